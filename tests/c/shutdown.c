/* Clients that are shut down or freed while calls are running. */
#include "calls.h"
#include "hanging_look_up.h"

#define MANY 64

static void shutdown_does_not_wait_for_a_look_up(void)
{
    static struct record records[8];
    zelf_client *client;
    double began, took;
    zelf_status status;
    int i;

    set_flag(&look_up_hangs, 1);
    client = client_of("https://hangs.test");
    for (i = 0; i < 8; i++) start(client, &records[i], NULL);
    usleep(20000);
    began = seconds_now();
    status = zelf_client_shutdown(client, 60000);
    took = seconds_now() - began;
    PROMISE(status == ZELF_OK, "a shutdown succeeds while a name look-up hangs: %s",
            zelf_status_name(status));
    PROMISE(took < AT_ONCE, "it does not wait for the look-up: %.0f ms", took * 1e3);
    PROMISE(exactly_once(records, 8, ZELF_ERROR_CANCELLED) == 8,
            "it cancels the calls that wait for the look-up");
    zelf_client_free(client);
    release(records, 8);
    set_flag(&look_up_hangs, 0);
}

static int may_return;

static void wait_for_permission(struct record *record)
{
    (void)record;
    while (!get_flag(&may_return)) usleep(1000);
}

static void shutdown_waits_for_callbacks(void)
{
    static struct record records[2];
    zelf_client *client = sandbox_client(1, 20000, 1);
    double began = seconds_now(), took;
    zelf_status first;

    memset(records, 0, sizeof records);
    set_flag(&may_return, 0);
    records[0].then = wait_for_permission;
    start(client, &records[0], "slow-callback-x");
    while (!times_called(&records[0])) usleep(1000);
    /* The I/O continues meanwhile. */
    forget_requests();
    start(client, &records[1], "beside-x");
    while (requests_arrived() == 0 && seconds_now() - began < AT_ONCE) usleep(1000);
    PROMISE(requests_arrived() == 1, "while a callback runs, the request of another call is sent");
    PROMISE(!times_called(&records[1]), "that call's callback waits for the first to return");
    began = seconds_now();
    first = zelf_client_shutdown(client, 100);
    took = seconds_now() - began;
    PROMISE(first == ZELF_ERROR_TIMEOUT, "a shutdown times out while a callback runs: %s",
            zelf_status_name(first));
    PROMISE(took < AT_ONCE, "it returns at its time limit: %.0f ms", took * 1e3);
    set_flag(&may_return, 1);
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK,
            "the next shutdown waits until the callback has returned");
    PROMISE(records[0].destroyed == 1, "the data of the callback that ran is destroyed then");
    PROMISE(records[1].destroyed == 1, "the data of the call that waited is destroyed then");
    release(records, 2);
    zelf_client_free(client);
}

static zelf_status status_inside;
static int destroyed_inside, others_have_begun;

static void shut_down_inside(struct record *record)
{
    struct record *others = record->with;
    int i;
    while (!get_flag(&others_have_begun)) usleep(1000);
    status_inside = zelf_client_shutdown(others[0].with, 20000);
    for (i = 0; i < 4; i++) destroyed_inside += others[i].destroyed;
}

static void shutdown_works_inside_a_callback(void)
{
    static struct record record, others[4];
    zelf_client *client = sandbox_client(1, 20000, 1);
    int i;

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"skip\":1}");
    record.then = shut_down_inside;
    record.with = others;
    others[0].with = client;
    start(client, &record, "inside-x");
    for (i = 0; i < 4; i++) start(client, &others[i], "others-x");
    set_flag(&others_have_begun, 1);
    await(&record, 1, AT_ONCE);
    PROMISE(status_inside == ZELF_OK, "a shutdown inside a callback succeeds: %s",
            zelf_status_name(status_inside));
    PROMISE(record.called == 1, "that callback runs once");
    PROMISE(destroyed_inside == 4, "before the shutdown returns it has run the other callbacks: %d",
            destroyed_inside);
    zelf_client_free(client);
    PROMISE(threads_left() == 0, "the client's threads end after it");
    release(&record, 1);
    release(others, 4);
    fault(NULL);
}

static zelf_client *to_be_freed;
static int log_lines;

static void frees_the_client(zelf_log_level level, const char *message, void *user_data)
{
    zelf_client *client = __sync_lock_test_and_set(&to_be_freed, NULL);
    (void)level, (void)message, (void)user_data;
    if (!client) return;
    log_lines++;
    if (user_data) zelf_client_shutdown(client, 1000);
    zelf_client_free(client);
}

/* On the I/O thread, which is the most difficult place. */
static void a_log_callback_may_free_the_client(void)
{
    static int shut_down_first;
    int round, fine = 0;
    log_lines = 0;
    for (round = 0; round < 10; round++) {
        struct record record = {0};
        zelf_config *config = tls_config();
        zelf_client *client;
        zelf_config_set_log_callback(config, frees_the_client, round % 2 ? &shut_down_first : NULL,
                                     NULL, ZELF_LOG_DEBUG);
        client = zelf_client_new(config, NULL);
        zelf_config_free(config);
        /* A blocking call leaves an idle connection that has to be closed then. */
        zelf_session_free(create(client, "log-frees-x", NULL));
        to_be_freed = client;
        if (!start(client, &record, "log-frees-x")) break;
        fine += await(&record, 1, AT_ONCE) && record.called == 1;
        release(&record, 1);
    }
    PROMISE(log_lines == 10,
            "a log callback may shut down and free the client whose call it tells of: %d of 10",
            log_lines);
    PROMISE(fine == 10, "the callback of that call runs once: %d of 10", fine);
    PROMISE(threads_left() == 0, "the threads of those clients end");
}

static int in_log, log_may_return, lines_after;

static void takes_its_time(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    set_flag(&in_log, 1);
    while (!get_flag(&log_may_return)) usleep(1000);
    __sync_fetch_and_add(&lines_after, 1);
}

static void a_shutdown_waits_for_the_log(void)
{
    struct record record = {0};
    zelf_config *config = tls_config();
    zelf_client *client;
    double began, took;
    zelf_status status;
    int lines;

    set_flag(&in_log, 0);
    set_flag(&log_may_return, 0);
    set_flag(&lines_after, 0);
    zelf_config_set_log_callback(config, takes_its_time, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    fault("{\"kind\":\"answer\",\"status\":400}");
    start(client, &record, "slow-log-x");
    while (!get_flag(&in_log)) usleep(1000);
    began = seconds_now();
    status = zelf_client_shutdown(client, 50);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_TIMEOUT, "a shutdown times out while a log callback runs: %s",
            zelf_status_name(status));
    PROMISE(record.destroyed == 1, "it has run the callback of the call");
    PROMISE(took < AT_ONCE, "it returns at its time limit: %.0f ms", took * 1e3);
    set_flag(&log_may_return, 1);
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK,
            "the next shutdown waits until the log callback has returned");
    lines = get_flag(&lines_after);
    zelf_session_free(create(client, "slow-log-x", NULL));
    usleep(20000);
    PROMISE(get_flag(&lines_after) == lines, "after it no log callback runs");
    PROMISE(threads_alive() == 1, "after it no thread is left");
    fault(NULL);
    release(&record, 1);
    zelf_client_free(client);
}

static void counts(void *user_data) { ++*(int *)user_data; }

static void nothing_comes(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
}

static void a_call_keeps_nothing_of_its_client(void)
{
    struct record record = {0};
    int destroyed = 0;
    zelf_config *config = tls_config();
    zelf_client *client;

    zelf_config_set_log_callback(config, nothing_comes, &destroyed, counts, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    start(client, &record, "keeps-x");
    await(&record, 1, AT_ONCE);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
    PROMISE(destroyed == 1, "the log's destroy runs before the calls are freed");
    zelf_call_cancel(record.call);
    PROMISE(record.called == 1, "cancelling such a call does nothing");
    release(&record, 1);
}

static pthread_key_t key;
static int destructor_may_end, destructors_ended;
static zelf_client *shut_down_by_destructor;
static zelf_status status_in_destructor;

static void takes_its_leave(void *nothing)
{
    (void)nothing;
    if (shut_down_by_destructor)
        status_in_destructor = zelf_client_shutdown(shut_down_by_destructor, 5000);
    while (!get_flag(&destructor_may_end)) usleep(1000);
    __sync_fetch_and_add(&destructors_ended, 1);
}

static void leaves_something_on_its_thread(struct record *record)
{
    (void)record;
    pthread_setspecific(key, &key);
}

static void a_shutdown_waits_for_what_its_threads_destroy(void)
{
    struct record record = {0};
    zelf_client *client = sandbox_client(1, 20000, 1);
    double began, took;
    zelf_status first, second;

    pthread_key_create(&key, takes_its_leave);
    set_flag(&destructor_may_end, 0);
    record.then = leaves_something_on_its_thread;
    start(client, &record, "leaves-x");
    await(&record, 1, AT_ONCE);
    began = seconds_now();
    first = zelf_client_shutdown(client, 50);
    took = seconds_now() - began;
    PROMISE(first == ZELF_ERROR_TIMEOUT,
            "a shutdown times out while a destructor runs on the client's thread: %s",
            zelf_status_name(first));
    PROMISE(took < AT_ONCE, "it returns at its time limit: %.0f ms", took * 1e3);
    set_flag(&destructor_may_end, 1);
    second = zelf_client_shutdown(client, 20000);
    PROMISE(second == ZELF_OK, "the next shutdown succeeds: %s", zelf_status_name(second));
    PROMISE(destructors_ended == 1, "before it returns the destructor has run");
    PROMISE(threads_alive() == 1, "before it returns the thread has ended");
    release(&record, 1);
    zelf_client_free(client);
    pthread_key_delete(key);
}

/* A thread-local variable that is first used in such a destructor is never freed by glibc, which a
   leak checker reports. */
static void a_shutdown_works_inside_such_a_destructor(void)
{
    struct record another = {0};
    zelf_client *client;
    zelf_status status;

    pthread_key_create(&key, takes_its_leave);
    set_flag(&destructor_may_end, 1);
    client = sandbox_client(1, 20000, 1);
    another.then = leaves_something_on_its_thread;
    start(client, &another, "leaves-y");
    await(&another, 1, AT_ONCE);
    shut_down_by_destructor = client;
    status = zelf_client_shutdown(client, 5000);
    PROMISE(status_in_destructor == ZELF_OK, "such a destructor may shut its client down: %s",
            zelf_status_name(status_in_destructor));
    PROMISE(status == ZELF_OK, "a shutdown beside it succeeds: %s", zelf_status_name(status));
    PROMISE(get_flag(&destructors_ended) == 2, "before that returns the destructor has run");
    shut_down_by_destructor = NULL;
    release(&another, 1);
    zelf_client_free(client);
    pthread_key_delete(key);
}

static void freeing_a_client_cancels_its_calls(void)
{
    static struct record records[MANY];
    zelf_client *client = sandbox_client(1, 15000, 1);
    char identifier[32];
    int i;

    memset(records, 0, sizeof records);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < MANY; i++) {
        snprintf(identifier, sizeof identifier, "freed-x-%d", i);
        start(client, &records[i], identifier);
    }
    usleep(20000);
    zelf_client_free(client);
    PROMISE(await(records, MANY, AT_ONCE), "freeing a client ends its calls");
    PROMISE(exactly_once(records, MANY, ZELF_ERROR_CANCELLED) == MANY,
            "each calls back once, with ZELF_ERROR_CANCELLED");
    PROMISE(threads_left() == 0, "the client's threads end by themselves");
    release(records, MANY);
    fault(NULL);
}

static void ends_at_once(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)user_data;
    zelf_session_free(session);
    zelf_error_free(error);
}

static void *hammer(void *client)
{
    int i;
    for (i = 0; i < 200; i++) zelf_session_free(zelf_session_create(client, NULL, NULL));
    return NULL;
}

static void *hammer_with_all_else(void *client)
{
    int i;
    for (i = 0; i < 200; i++) {
        zelf_call *call = zelf_session_create_async(client, NULL, ends_at_once, NULL, NULL, NULL);
        zelf_client_dispatch(client);
        zelf_client_descriptor(client);
        zelf_call_cancel(call);
        if (i == 150) zelf_client_shutdown(client, 1);
        zelf_call_free(call);
    }
    return NULL;
}

static void freeing_amid_calls_is_safe(void)
{
    int round, i;
    for (round = 0; round < 40; round++) {
        zelf_config *config = tls_config();
        zelf_client *client;
        pthread_t threads[4];
        zelf_config_set_dispatch(config, round % 2);
        client = zelf_client_new(config, NULL);
        zelf_config_free(config);
        for (i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, i % 2 ? hammer : hammer_with_all_else, client);
        usleep((useconds_t)round * 300);
        zelf_client_free(client);
        for (i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    PROMISE(1, "freeing a client while other threads are inside calls of every kind does not crash");
}

int main(void)
{
    shutdown_does_not_wait_for_a_look_up();
    shutdown_waits_for_callbacks();
    shutdown_works_inside_a_callback();
    a_log_callback_may_free_the_client();
    a_shutdown_waits_for_the_log();
    a_call_keeps_nothing_of_its_client();
    a_shutdown_waits_for_what_its_threads_destroy();
    if (!getenv("ZELF_QUICK")) a_shutdown_works_inside_such_a_destructor();
    freeing_a_client_cancels_its_calls();
    freeing_amid_calls_is_safe();
    no_thread_is_left();
    return check_failed;
}
