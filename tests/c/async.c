/* Asynchronous calls: every callback exactly once, whatever happens. */
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include "calls.h"

/* Takes the place of the C library's look-up: hangs until it is let go. */
static volatile int look_up_hangs;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    while (look_up_hangs) usleep(1000);
    return EAI_FAIL;
}

#define MANY 64

static void every_call_calls_back_once(void)
{
    static struct record records[MANY];
    zelf_client *client = sandbox_client(1, 5000, 1);
    char identifier[32];
    int i, started = 0, elsewhere = 0;

    for (i = 0; i < MANY; i++) {
        snprintf(identifier, sizeof identifier, "once-x-%d", i);
        started += start(client, &records[i], identifier);
    }
    PROMISE(started == MANY && await(records, MANY, 10)
                && exactly_once(records, MANY, ZELF_OK) == MANY,
            "each of %d calls gets its session in one callback, then one destroy", MANY);
    for (i = 0; i < MANY; i++) {
        elsewhere += !pthread_equal(records[i].ran_on, pthread_self());
        snprintf(identifier, sizeof identifier, "once-x-%d", i);
        started -= records[i].session
                   && strcmp(zelf_session_identifier(records[i].session), identifier) == 0;
    }
    PROMISE(elsewhere == MANY && started == 0, "each on the client's thread, with its own session");
    PROMISE(threads_alive() == 3, "two threads of ours serve them: %d", threads_alive() - 1);
    PROMISE(zelf_client_shutdown(client, 1000) == ZELF_OK && threads_alive() == 1,
            "after a shutdown there are none");
    release(records, MANY);
    zelf_client_free(client);
}

static void never(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)session, (void)error;
    ++*(int *)user_data;
}

static void never_destroy(void *user_data) { ++*(int *)user_data; }

static void null_means_no_callback_ever(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_options *bad = options_for("");
    zelf_error *error = NULL;
    int calls = 0;
    zelf_status no_client, no_callback, bad_options, shut;

    zelf_session_create_async(NULL, NULL, never, &calls, never_destroy, &error);
    no_client = zelf_error_status(error);
    zelf_error_free(error);
    zelf_session_create_async(client, NULL, NULL, &calls, never_destroy, &error);
    no_callback = zelf_error_status(error);
    zelf_error_free(error);
    zelf_session_create_async(client, bad, never, &calls, never_destroy, &error);
    bad_options = zelf_error_status(error);
    zelf_error_free(error);
    zelf_client_shutdown(client, 1000);
    PROMISE(!zelf_session_create_async(client, NULL, never, &calls, never_destroy, &error),
            "a client that has been shut down takes no call");
    shut = zelf_error_status(error);
    zelf_error_free(error);
    error = NULL;
    PROMISE(!zelf_session_create(client, NULL, &error)
                && zelf_error_status(error) == ZELF_ERROR_SHUT_DOWN,
            "nor a blocking one: %s", zelf_error_message(error));
    zelf_error_free(error);
    zelf_session_options_free(bad);
    zelf_client_free(client);
    PROMISE(no_client == ZELF_ERROR_INVALID_ARGUMENT && no_callback == ZELF_ERROR_INVALID_ARGUMENT
                && bad_options == ZELF_ERROR_INVALID_ARGUMENT && shut == ZELF_ERROR_SHUT_DOWN
                && calls == 0,
            "where NULL is returned neither callback nor destroy ever runs");
}

/* A port whose connections never get through: its backlog is full. */
static int full_listener(int *fillers, int count)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), i;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (i = 0; i < count; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&at, sizeof at);
    }
    return listener;
}

static zelf_client *client_of(const char *url)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, url);
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

/* Cancels a call that hangs in some stage, and says how long that took. */
static void cancels(zelf_client *client, const char *stage)
{
    struct record record = {0};
    double began, took;
    start(client, &record, "cancel-x");
    usleep(60000);
    began = seconds_now();
    PROMISE(record.called == 0, "a call hangs %s", stage);
    zelf_call_cancel(record.call);
    zelf_call_cancel(record.call);
    await(&record, 1, 2);
    took = record.ended - began;
    PROMISE(exactly_once(&record, 1, ZELF_ERROR_CANCELLED) == 1 && took < 0.05,
            "a call is cancelled within 50 ms %s: %.1f ms", stage, took * 1e3);
    zelf_call_cancel(record.call);
    release(&record, 1);
}

static void cancelling_works_in_every_stage(void)
{
    static const struct { const char *fault, *stage; } hangs[] = {
        {"{\"kind\":\"stall\",\"stage\":\"accept\"}", "in the TLS handshake"},
        {"{\"kind\":\"stall\",\"stage\":\"request\"}", "waiting for an answer"},
        {"{\"kind\":\"stall\",\"stage\":\"body\"}", "in the body"},
        {"{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"5\"}}", "between attempts"},
    };
    struct record first = {0};
    zelf_client *client;
    char url[64];
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int fillers[8], listener;
    size_t i;

    look_up_hangs = 1;
    client = client_of("https://hangs.test");
    cancels(client, "in name look-up");
    zelf_client_free(client);
    look_up_hangs = 0;

    listener = full_listener(fillers, 8);
    getsockname(listener, (struct sockaddr *)&at, &size);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", ntohs(at.sin_port));
    client = client_of(url);
    cancels(client, "in connecting");
    zelf_client_free(client);
    for (i = 0; i < 8; i++) close(fillers[i]);
    close(listener);

    for (i = 0; i < sizeof hangs / sizeof *hangs; i++) {
        fault(hangs[i].fault);
        client = sandbox_client(1, 15000, 3);
        cancels(client, hangs[i].stage);
        zelf_client_free(client);
    }
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    client = sandbox_client(1, 15000, 3);
    start(client, &first, "cancel-x");
    cancels(client, "waiting for its identifier's turn");
    zelf_client_shutdown(client, 1000);
    release(&first, 1);
    zelf_client_free(client);
    fault(NULL);
}

static void cancelling_late_is_nothing(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    struct record record = {0};
    start(client, &record, "late-x");
    await(&record, 1, 5);
    zelf_call_cancel(record.call);
    zelf_call_cancel(record.call);
    zelf_call_cancel(NULL);
    zelf_client_shutdown(client, 1000);
    PROMISE(exactly_once(&record, 1, ZELF_OK) == 1, "cancelling late, or twice, is nothing");
    release(&record, 1);
    zelf_client_free(client);
}

static void shutdown_keeps_its_time(void)
{
    static struct record records[8];
    zelf_client *client;
    double began, took;
    zelf_status status;
    int i;

    look_up_hangs = 1;
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
    look_up_hangs = 0;
}

static volatile int may_return;

static void wait_for_permission(struct record *record)
{
    (void)record;
    while (!may_return) usleep(1000);
}

static void shutdown_waits_for_callbacks(void)
{
    static struct record records[2];
    zelf_client *client = sandbox_client(1, 5000, 1);
    double began = seconds_now(), took;
    zelf_status first;

    memset(records, 0, sizeof records);
    may_return = 0;
    records[0].then = wait_for_permission;
    start(client, &records[0], "slow-callback-x");
    while (!records[0].called) usleep(1000);
    /* The I/O goes on meanwhile. */
    forget_requests();
    start(client, &records[1], "beside-x");
    while (requests_arrived() == 0 && seconds_now() - began < 5) usleep(1000);
    PROMISE(requests_arrived() == 1 && !records[1].called,
            "a callback that takes its time stalls no other call's I/O");
    began = seconds_now();
    first = zelf_client_shutdown(client, 100);
    took = seconds_now() - began;
    PROMISE(first == ZELF_ERROR_TIMEOUT && took < 0.2,
            "a shutdown does not wait longer than it may for a callback: %.0f ms", took * 1e3);
    may_return = 1;
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
    pthread_mutex_lock(&calls_lock);
    pthread_mutex_unlock(&calls_lock);
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

static void free_everything(struct record *record)
{
    zelf_call_free(record->call);
    record->call = NULL;
    zelf_client_free(record->with);
}

static void create_both_ways(struct record *record)
{
    struct record *nested = record->with;
    zelf_client *client = nested->with;
    nested->session = NULL;
    zelf_session_free(create(client, "nested-blocking-x", NULL));
    start(client, nested, "nested-x");
}

static void a_callback_may_do_anything(void)
{
    struct record record = {0}, nested = {0};
    zelf_client *client = sandbox_client(1, 5000, 1);

    nested.with = client;
    record.with = &nested;
    record.then = create_both_ways;
    start(client, &record, "outer-x");
    PROMISE(await(&record, 1, 5) && await(&nested, 1, 5)
                && exactly_once(&record, 1, ZELF_OK) && exactly_once(&nested, 1, ZELF_OK),
            "a callback may create sessions, blocking and not");
    release(&record, 1);
    release(&nested, 1);

    memset(&record, 0, sizeof record);
    record.then = free_everything;
    record.with = client;
    start(client, &record, "free-inside-x");
    PROMISE(await(&record, 1, 5) && exactly_once(&record, 1, ZELF_OK) == 1,
            "a callback may free its call and its client");
    release(&record, 1);
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

static void *hammer(void *client)
{
    int i;
    for (i = 0; i < 200; i++) zelf_session_free(zelf_session_create(client, NULL, NULL));
    return NULL;
}

static void freeing_amid_calls_is_safe(void)
{
    int round, i;
    for (round = 0; round < 20; round++) {
        zelf_client *client = sandbox_client(0, 5000, 1);
        pthread_t threads[4];
        for (i = 0; i < 4; i++) pthread_create(&threads[i], NULL, hammer, client);
        usleep((useconds_t)round * 300);
        zelf_client_free(client);
        for (i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    PROMISE(1, "a client may be freed while other threads are inside calls");
}

#define CROWD 10000

static void ten_thousand_calls_are_under_way_at_once(void)
{
    static struct record records[CROWD];
    zelf_client *client = sandbox_client(1, 60000, 1);
    size_t before, each;
    char identifier[32];
    int i, started = 0, in_order = 1, done = 0, open;

    /* 10 000 sessions would be the sandbox's work, not ours. */
    fault("[{\"kind\":\"delay\",\"ms\":1500,\"stage\":\"request\",\"times\":32},"
          "{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"enough\"}]");
    start(client, &records[0], "crowd-x-0");
    usleep(50000);
    before = mallinfo2().uordblks;
    for (i = 1; i < CROWD; i++) {
        snprintf(identifier, sizeof identifier, "crowd-x-%d", i);
        started += start(client, &records[i], identifier);
    }
    usleep(300000);
    each = (mallinfo2().uordblks - before) / CROWD;
    for (i = 0; i < CROWD; i++) done += records[i].called;
    PROMISE(started == CROWD - 1 && done == 0 && threads_alive() == 3 && each <= 16384,
            "10 000 calls are under way at once, with two threads and %lu bytes each",
            (unsigned long)each);
    sandbox("GET", "/sandbox/connections", "");
    open = atoi(strstr(http_answer, "\"open\":") + 7);
    PROMISE(open <= 34, "over 32 connections: %d, one of them to ask this", open);
    PROMISE(await(records, CROWD, 60) && exactly_once(records, CROWD, ZELF_ERROR_VALIDATION) == CROWD,
            "and each gets its answer");
    /* Of 32 at once one may be slow, so look at those far behind it. */
    for (i = 1; i + 1000 < CROWD; i++) in_order &= records[i].ended <= records[i + 1000].ended;
    PROMISE(in_order, "in the order they came");
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, CROWD);
    zelf_client_free(client);
}

static int is_readable(int descriptor)
{
    struct pollfd wait;
    wait.fd = descriptor;
    wait.events = POLLIN;
    return poll(&wait, 1, 5000) == 1;
}

static void a_host_may_dispatch_itself(void)
{
    static struct record records[8];
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    int descriptor, i, here = 0, early = 0;
    char identifier[32];

    memset(records, 0, sizeof records);
    zelf_config_set_base_url(config, need_env("ZELF_HTTPS"));
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    zelf_config_set_dispatch(config, true);
    client = zelf_client_new(config, NULL);
    descriptor = zelf_client_descriptor(client);
    for (i = 0; i < 8; i++) {
        snprintf(identifier, sizeof identifier, "pump-x-%d", i);
        start(client, &records[i], identifier);
    }
    PROMISE(is_readable(descriptor) && threads_alive() == 2,
            "the descriptor becomes readable, and no callback thread exists");
    for (i = 0; i < 8; i++) early += records[i].called;
    while (!await(records, 8, -1) && is_readable(descriptor)) zelf_client_dispatch(client);
    for (i = 0; i < 8; i++) here += pthread_equal(records[i].ran_on, pthread_self()) != 0;
    PROMISE(early == 0 && here == 8 && exactly_once(records, 8, ZELF_OK) == 8,
            "callbacks run where they are dispatched, and only then");
    {
        struct pollfd wait;
        wait.fd = descriptor;
        wait.events = POLLIN;
        PROMISE(poll(&wait, 1, 0) == 0, "the descriptor is quiet when nothing is due");
    }
    PROMISE(zelf_client_dispatch(client) == ZELF_OK, "dispatching nothing is fine");
    release(records, 8);

    memset(records, 0, sizeof records);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    PROMISE(zelf_client_shutdown(client, 1000) == ZELF_OK
                && exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4
                && pthread_equal(records[0].ran_on, pthread_self()),
            "a shutdown dispatches what is left itself");
    release(records, 4);
    zelf_client_free(client);

    memset(records, 0, sizeof records);
    client = zelf_client_new(config, NULL);
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    zelf_client_free(client);
    PROMISE(exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4,
            "and so does freeing the client");
    release(records, 4);
    zelf_config_free(config);
    fault(NULL);

    client = sandbox_client(1, 1000, 1);
    PROMISE(zelf_client_descriptor(client) == -1 && zelf_client_descriptor(NULL) == -1
                && zelf_client_dispatch(client) == ZELF_ERROR_INVALID_ARGUMENT
                && zelf_client_dispatch(NULL) == ZELF_ERROR_INVALID_ARGUMENT,
            "a client with a callback thread has nothing to dispatch");
    zelf_client_free(client);
}

static void failures_come_to_the_callback(void)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    struct record record = {0}, slow = {0};

    zelf_config_set_base_url(config, "http://127.0.0.1:1");
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, NULL);
    start(client, &record, NULL);
    PROMISE(await(&record, 1, 5) && exactly_once(&record, 1, ZELF_ERROR_CONNECT) == 1,
            "what went wrong comes to the callback: %s", zelf_status_name(record.status));
    release(&record, 1);
    zelf_client_free(client);
    zelf_config_free(config);

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    client = sandbox_client(1, 200, 1);
    start(client, &slow, NULL);
    PROMISE(await(&slow, 1, 5) && exactly_once(&slow, 1, ZELF_ERROR_TIMEOUT) == 1,
            "the time limit holds for asynchronous calls");
    fault(NULL);
    release(&slow, 1);
    zelf_client_free(client);
}

static void nothing_is_left(void)
{
    int i;
    /* Clients that were freed and not shut down end by themselves. */
    for (i = 0; i < 1000 && threads_alive() > 1; i++) usleep(10000);
    PROMISE(threads_alive() == 1, "with the clients, their threads end: %d", threads_alive() - 1);
}

int main(void)
{
    every_call_calls_back_once();
    null_means_no_callback_ever();
    failures_come_to_the_callback();
    cancelling_works_in_every_stage();
    cancelling_late_is_nothing();
    shutdown_keeps_its_time();
    shutdown_waits_for_callbacks();
    shutdown_works_inside_a_callback();
    a_callback_may_do_anything();
    a_log_callback_may_free_the_client();
    freeing_a_client_cancels_its_calls();
    freeing_amid_calls_is_safe();
    /* Not for a tool that makes everything slow. */
    if (!getenv("ZELF_QUICK")) ten_thousand_calls_are_under_way_at_once();
    a_host_may_dispatch_itself();
    nothing_is_left();
    return check_failed;
}
