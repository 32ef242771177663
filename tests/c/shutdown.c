/* Clients that are shut down, or freed, with calls under way. */
#include "calls.h"
#include "hanging_look_up.h"

#define MANY 64

static void shutdown_keeps_its_time(void)
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
    status = zelf_client_shutdown(client, 500);
    took = seconds_now() - began;
    PROMISE(status == ZELF_OK && took < 0.6
                && exactly_once(records, 8, ZELF_ERROR_CANCELLED) == 8,
            "a shutdown is over in time though name look-up hangs: %.0f ms", took * 1e3);
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
    zelf_client *client = sandbox_client(1, 5000, 1);
    double began = seconds_now(), took;
    zelf_status first;

    memset(records, 0, sizeof records);
    set_flag(&may_return, 0);
    records[0].then = wait_for_permission;
    start(client, &records[0], "slow-callback-x");
    while (!times_called(&records[0])) usleep(1000);
    /* The I/O goes on meanwhile. */
    forget_requests();
    start(client, &records[1], "beside-x");
    while (requests_arrived() == 0 && seconds_now() - began < 5) usleep(1000);
    PROMISE(requests_arrived() == 1 && !times_called(&records[1]),
            "a callback that takes its time stalls no other call's I/O");
    began = seconds_now();
    first = zelf_client_shutdown(client, 100);
    took = seconds_now() - began;
    PROMISE(first == ZELF_ERROR_TIMEOUT && took < 0.2,
            "a shutdown does not wait longer than it may for a callback: %.0f ms", took * 1e3);
    set_flag(&may_return, 1);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK && records[0].destroyed == 1
                && records[1].destroyed == 1,
            "the next shutdown goes on waiting");
    release(records, 2);
    zelf_client_free(client);
}

static zelf_status status_inside;
static int destroyed_inside;

static void shut_down_inside(struct record *record)
{
    struct record *others = record->with;
    int i;
    status_inside = zelf_client_shutdown(others[0].with, 2000);
    for (i = 0; i < 4; i++) destroyed_inside += others[i].destroyed;
}

static void shutdown_works_inside_a_callback(void)
{
    static struct record record, others[4];
    zelf_client *client = sandbox_client(1, 5000, 1);
    int i;

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"skip\":1}");
    record.then = shut_down_inside;
    record.with = others;
    others[0].with = client;
    start(client, &record, "inside-x");
    for (i = 0; i < 4; i++) start(client, &others[i], "others-x");
    await(&record, 1, 5);
    PROMISE(status_inside == ZELF_OK && record.called == 1 && destroyed_inside >= 3,
            "a shutdown inside a callback runs those that are left, and is over");
    zelf_client_free(client);
    for (i = 0; i < 4; i++)
        if (!others[i].call) others[i].destroyed = 1;
    PROMISE(await(others, 4, 2) && threads_alive() <= 2, "and the threads end after it");
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

/* On the thread that does the I/O, the most awkward place there is. */
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
        /* A blocking call leaves a connection that is to be closed then. */
        zelf_session_free(create(client, "log-frees-x", NULL));
        to_be_freed = client;
        if (!start(client, &record, "log-frees-x")) break;
        fine += await(&record, 1, 5) && record.called == 1;
        release(&record, 1);
    }
    for (round = 0; round < 200 && threads_alive() > 1; round++) usleep(10000);
    PROMISE(fine == 10 && log_lines == 10 && threads_alive() == 1,
            "a log callback may shut down and free the client whose call it tells of");
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
    PROMISE(zelf_client_shutdown(client, 50) == ZELF_ERROR_TIMEOUT && record.destroyed == 1,
            "a shutdown is not over while a log callback runs");
    took = seconds_now() - began;
    PROMISE(took < 0.2, "and says so in time: %.0f ms", took * 1e3);
    set_flag(&log_may_return, 1);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK, "the next one sees it return");
    lines = get_flag(&lines_after);
    zelf_session_free(create(client, "slow-log-x", NULL));
    usleep(20000);
    PROMISE(get_flag(&lines_after) == lines && threads_alive() == 1,
            "after it no log callback runs, and no thread is left");
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
    await(&record, 1, 5);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
    PROMISE(destroyed == 1, "the log's destroy does not wait for calls that are not freed");
    zelf_call_cancel(record.call);
    PROMISE(record.called == 1, "and those may still be cancelled, which is nothing");
    release(&record, 1);
}

static pthread_key_t key;
static int destructor_ms, destructors_ended;
static zelf_client *shut_down_by_destructor;
static zelf_status status_in_destructor;

static void takes_its_leave(void *nothing)
{
    (void)nothing;
    if (shut_down_by_destructor)
        status_in_destructor = zelf_client_shutdown(shut_down_by_destructor, 100);
    usleep((useconds_t)destructor_ms * 1000);
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
    zelf_client *client = sandbox_client(1, 5000, 1);
    double began, took;
    zelf_status first, second;

    pthread_key_create(&key, takes_its_leave);
    destructor_ms = 600;
    record.then = leaves_something_on_its_thread;
    start(client, &record, "leaves-x");
    await(&record, 1, 5);
    began = seconds_now();
    first = zelf_client_shutdown(client, 50);
    took = seconds_now() - began;
    PROMISE(first == ZELF_ERROR_TIMEOUT && took < 0.3 && get_flag(&destructors_ended) == 0,
            "a shutdown does not wait too long for a destructor on the client's thread: %.0f ms",
            took * 1e3);
    second = zelf_client_shutdown(client, 5000);
    PROMISE(second == ZELF_OK && destructors_ended == 1 && threads_alive() == 1,
            "and is not over before it has run");
    release(&record, 1);
    zelf_client_free(client);
    pthread_key_delete(key);
}

/* A thread-local variable that is first used in such a destructor is never freed by
   glibc, which a leak checker reports. */
static void a_shutdown_works_inside_such_a_destructor(void)
{
    struct record another = {0};
    zelf_client *client;
    zelf_status status;

    pthread_key_create(&key, takes_its_leave);
    destructor_ms = 0;
    client = sandbox_client(1, 5000, 1);
    another.then = leaves_something_on_its_thread;
    start(client, &another, "leaves-y");
    await(&another, 1, 5);
    shut_down_by_destructor = client;
    status = zelf_client_shutdown(client, 5000);
    PROMISE(status == ZELF_OK && get_flag(&destructors_ended) == 2 && status_in_destructor == ZELF_OK,
            "such a destructor may call it too: %s", zelf_status_name(status_in_destructor));
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
    PROMISE(await(records, MANY, 2)
                && exactly_once(records, MANY, ZELF_ERROR_CANCELLED) == MANY,
            "freeing a client cancels its calls, each with its callback");
    for (i = 0; i < 100 && threads_alive() > 1; i++) usleep(10000);
    PROMISE(threads_alive() == 1, "and its threads end by themselves");
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
    PROMISE(1, "a client may be freed while other threads are inside calls of every kind");
}

int main(void)
{
    shutdown_keeps_its_time();
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
