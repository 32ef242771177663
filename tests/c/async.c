/* Asynchronous calls: each callback runs exactly once, whatever happens. */
#include "calls.h"
#include "full_listener.h"
#include "hanging_look_up.h"
#include "heap.h"

#define MANY 64

static void every_call_calls_back_once(void)
{
    static struct record records[MANY];
    zelf_client *client = sandbox_client(1, 60000, 1);
    char identifier[32];
    int i, started = 0, elsewhere = 0;

    for (i = 0; i < MANY; i++) {
        snprintf(identifier, sizeof identifier, "once-x-%d", i);
        started += start(client, &records[i], identifier);
    }
    PROMISE(started == MANY, "%d calls begin: %d", MANY, started);
    PROMISE(await(records, MANY, 60), "they end");
    PROMISE(exactly_once(records, MANY, ZELF_OK) == MANY,
            "each gets a session in one callback, then one destroy");
    for (i = 0; i < MANY; i++) {
        elsewhere += !pthread_equal(records[i].ran_on, pthread_self());
        snprintf(identifier, sizeof identifier, "once-x-%d", i);
        started -= records[i].session
                   && strcmp(zelf_session_identifier(records[i].session), identifier) == 0;
    }
    PROMISE(elsewhere == MANY, "each callback runs on the client's thread: %d", elsewhere);
    PROMISE(started == 0, "each call gets its own session");
    PROMISE(threads_alive() == 3, "the library serves them with two threads: %d",
            threads_alive() - 1);
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK, "the client can be shut down");
    PROMISE(threads_alive() == 1, "after that no thread is left");
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
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_options *bad = options_for("");
    zelf_error *error = NULL;
    int calls = 0;
    zelf_status no_client, no_callback, bad_options, shut;

    zelf_call_free(zelf_session_create_async(NULL, NULL, never, &calls, never_destroy, &error));
    no_client = zelf_error_status(error);
    zelf_error_free(error);
    zelf_call_free(zelf_session_create_async(client, NULL, NULL, &calls, never_destroy, &error));
    no_callback = zelf_error_status(error);
    zelf_error_free(error);
    zelf_call_free(zelf_session_create_async(client, bad, never, &calls, never_destroy, &error));
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
            "it takes no blocking call either: %s", zelf_error_message(error));
    zelf_error_free(error);
    zelf_session_options_free(bad);
    zelf_client_free(client);
    PROMISE(no_client == ZELF_ERROR_INVALID_ARGUMENT, "a NULL client is refused: %s",
            zelf_status_name(no_client));
    PROMISE(no_callback == ZELF_ERROR_INVALID_ARGUMENT, "a NULL callback is refused: %s",
            zelf_status_name(no_callback));
    PROMISE(bad_options == ZELF_ERROR_INVALID_ARGUMENT, "bad options are refused: %s",
            zelf_status_name(bad_options));
    PROMISE(shut == ZELF_ERROR_SHUT_DOWN, "a client that has been shut down says so: %s",
            zelf_status_name(shut));
    PROMISE(calls == 0, "where NULL is returned neither callback nor destroy runs: %d", calls);
}

/* Cancels a call of a new client that is stuck at some stage, and measures how long that takes.
   url: NULL for the sandbox. */
static void cancels(const char *url, int waits_for_its_turn, const char *stage)
{
    int measured, hung = 0, exact = 0;
    double took = 1;
    for (measured = 0; measured < MEASUREMENTS && took >= 0.05; measured++) {
        struct record first = {0}, record = {0};
        zelf_client *client = url ? client_of(url) : sandbox_client(1, 15000, 3);
        double began;
        if (waits_for_its_turn) start(client, &first, "cancel-x");
        start(client, &record, "cancel-x");
        usleep(60000);
        began = seconds_now();
        hung += times_called(&record) == 0;
        zelf_call_cancel(record.call);
        zelf_call_cancel(record.call);
        await(&record, 1, AT_ONCE);
        took = record.ended - began;
        exact += exactly_once(&record, 1, ZELF_ERROR_CANCELLED);
        zelf_call_cancel(record.call);
        zelf_client_shutdown(client, 20000);
        release(&record, 1);
        release(&first, 1);
        zelf_client_free(client);
    }
    PROMISE(hung == measured, "a call hangs %s", stage);
    PROMISE(exact == measured, "it is cancelled %s, and calls back once", stage);
    PROMISE(took < 0.05, "that takes less than 50 ms %s: %.1f ms", stage, took * 1e3);
}

static void cancelling_works_in_every_stage(void)
{
    static const struct { const char *fault, *stage; } hangs[] = {
        {"{\"kind\":\"stall\",\"stage\":\"accept\"}", "in the TLS handshake"},
        {"{\"kind\":\"stall\",\"stage\":\"request\"}", "waiting for an answer"},
        {"{\"kind\":\"stall\",\"stage\":\"body\"}", "in the body"},
        {"{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"5\"}}", "between attempts"},
    };
    struct full_listener full;
    size_t i;

    set_flag(&look_up_hangs, 1);
    cancels("https://hangs.test", 0, "in name look-up");
    set_flag(&look_up_hangs, 0);

    full_listener_open(&full);
    cancels(full.url, 0, "in connecting");
    full_listener_close(&full);

    for (i = 0; i < sizeof hangs / sizeof *hangs; i++) {
        fault(hangs[i].fault);
        cancels(NULL, 0, hangs[i].stage);
    }
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    cancels(NULL, 1, "waiting for its identifier's turn");
    fault(NULL);
}

static void cancelling_late_does_nothing(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    struct record record = {0};
    start(client, &record, "late-x");
    await(&record, 1, AT_ONCE);
    zelf_call_cancel(record.call);
    zelf_call_cancel(record.call);
    zelf_call_cancel(NULL);
    zelf_client_shutdown(client, 1000);
    PROMISE(exactly_once(&record, 1, ZELF_OK) == 1, "cancelling late, or twice, does nothing");
    release(&record, 1);
    zelf_client_free(client);
}

static void free_everything(struct record *record)
{
    zelf_call_free(record->call);
    record->call = NULL;
    zelf_client_free(record->with);
}

static int has_blocked;

static void create_both_ways(struct record *record)
{
    struct record *nested = record->with;
    zelf_client *client = nested->with;
    zelf_session *blocking = create(client, "nested-blocking-x", NULL);
    has_blocked = blocking != NULL;
    zelf_session_free(blocking);
    start(client, nested, "nested-x");
}

static void a_callback_may_do_anything(void)
{
    struct record record = {0}, nested = {0};
    zelf_client *client = sandbox_client(1, 20000, 1);

    nested.with = client;
    record.with = &nested;
    record.then = create_both_ways;
    start(client, &record, "outer-x");
    await(&record, 1, AT_ONCE);
    await(&nested, 1, AT_ONCE);
    PROMISE(exactly_once(&record, 1, ZELF_OK) == 1, "a callback may create sessions");
    PROMISE(has_blocked, "it may create one with a blocking call");
    PROMISE(exactly_once(&nested, 1, ZELF_OK) == 1, "it may create one with an asynchronous call");
    release(&record, 1);
    release(&nested, 1);

    memset(&record, 0, sizeof record);
    record.then = free_everything;
    record.with = client;
    start(client, &record, "free-inside-x");
    PROMISE(await(&record, 1, AT_ONCE) && exactly_once(&record, 1, ZELF_OK) == 1,
            "a callback may free its call and its client");
    release(&record, 1);
}

#define CROWD 10000

static void ten_thousand_calls_are_under_way_at_once(void)
{
    static struct record records[CROWD];
    zelf_client *client = sandbox_client(1, 60000, 1);
    size_t before, each;
    char identifier[32];
    int i, started = 0, in_order = 1, done = 0, open;

    /* 10 000 sessions would take the sandbox too long. */
    fault("[{\"kind\":\"delay\",\"ms\":6000,\"stage\":\"request\",\"times\":32},"
          "{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"enough\"}]");
    start(client, &records[0], "crowd-x-0");
    usleep(50000);
    before = heap_in_use();
    for (i = 1; i < CROWD; i++) {
        snprintf(identifier, sizeof identifier, "crowd-x-%d", i);
        started += start(client, &records[i], identifier);
    }
    usleep(300000);
    each = (heap_in_use() - before) / CROWD;
    for (i = 0; i < CROWD; i++) done += times_called(&records[i]);
    PROMISE(started == CROWD - 1, "10 000 calls begin: %d", started + 1);
    PROMISE(done == 0, "they are under way at once: %d have ended", done);
    PROMISE(threads_alive() == 3, "two threads serve them: %d", threads_alive() - 1);
    PROMISE(each <= 16384, "a call takes at most 16 KiB: %lu bytes", (unsigned long)each);
    sandbox("GET", "/sandbox/connections", "");
    open = atoi(strstr(http_answer, "\"open\":") + 7);
    PROMISE(open <= 34, "they use 32 connections at most: %d, one of them to ask this", open);
    PROMISE(await(records, CROWD, 60) && exactly_once(records, CROWD, ZELF_ERROR_VALIDATION) == CROWD,
            "each gets its answer");
    /* The first 32 open their connections at different speeds, and one of the others may be slow.
       So compare calls that are far apart. */
    for (i = 64; i + 1000 < CROWD; i++) in_order &= records[i].ended <= records[i + 1000].ended;
    PROMISE(in_order, "they get their answers in the order in which they began");
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, CROWD);
    zelf_client_free(client);
}

#define OUTAGE 400

/* A tenth of the calls is retried later: more calls than there are connections. */
static void a_call_that_waits_for_another_attempt_makes_room(void)
{
    static struct record records[OUTAGE];
    zelf_client *client = sandbox_client(1, 30000, 3);
    double began;
    char identifier[32];
    int i, ended = 0;

    fault("{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"20\"}}");
    for (i = 0; i < OUTAGE; i++) {
        snprintf(identifier, sizeof identifier, "room-x-%d", i);
        start(client, &records[i], identifier);
    }
    began = seconds_now();
    while (ended < OUTAGE * 85 / 100 && seconds_now() - began < AT_ONCE) {
        usleep(10000);
        for (i = 0, ended = 0; i < OUTAGE; i++) ended += times_called(&records[i]);
    }
    PROMISE(ended >= OUTAGE * 85 / 100 && ended < OUTAGE,
            "a call that waits for another attempt makes room: %d of %d have ended, the others wait",
            ended, OUTAGE);
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, OUTAGE);
    zelf_client_free(client);
}

static void a_second_attempt_takes_a_connection_that_rests(void)
{
    static struct record records[OUTAGE];
    zelf_client *client = sandbox_client(1, 30000, 3);
    char identifier[32];
    int i, open, created;

    fault("{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"1\"},\"times\":400}");
    for (i = 0; i < OUTAGE; i++) {
        snprintf(identifier, sizeof identifier, "back-x-%d", i);
        start(client, &records[i], identifier);
    }
    await(records, OUTAGE, 20);
    created = exactly_once(records, OUTAGE, ZELF_OK);
    sandbox("GET", "/sandbox/connections", "");
    open = atoi(strstr(http_answer, "\"open\":") + 7);
    PROMISE(created > 32, "more than 32 calls succeed at their second attempt: %d", created);
    PROMISE(created + exactly_once(records, OUTAGE, ZELF_ERROR_SERVER) == OUTAGE,
            "all others fail with ZELF_ERROR_SERVER");
    PROMISE(open <= 33, "second attempts use the 32 connections: %d", open - 1);
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, OUTAGE);
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
    PROMISE(await(&record, 1, AT_ONCE) && exactly_once(&record, 1, ZELF_ERROR_CONNECT) == 1,
            "the callback receives the error: %s", zelf_status_name(record.status));
    release(&record, 1);
    zelf_client_free(client);
    zelf_config_free(config);

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    client = sandbox_client(1, 200, 1);
    start(client, &slow, NULL);
    PROMISE(await(&slow, 1, AT_ONCE) && exactly_once(&slow, 1, ZELF_ERROR_TIMEOUT) == 1,
            "the time limit holds for asynchronous calls");
    fault(NULL);
    release(&slow, 1);
    zelf_client_free(client);
}

#define HELD 300

static int is_held;

static void holds_the_thread(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    if (get_flag(&is_held) == 0) set_flag(&is_held, 1);
    while (get_flag(&is_held) == 1) usleep(1000);
}

/* The calls wait in the queue while the I/O thread is in a log callback. */
static void a_cancelled_call_is_not_sent(void)
{
    static struct record first, records[HELD];
    zelf_config *config = tls_config();
    zelf_session_options *kill = options_for("cancelled-kill-x");
    zelf_client *client;
    int i, sent;

    zelf_config_set_log_callback(config, holds_the_thread, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_session_options_set_kill_session(kill, true);
    start(client, &first, "held-x");
    while (get_flag(&is_held) == 0) usleep(1000);
    forget_requests();
    for (i = 0; i < HELD; i++) {
        records[i].call = zelf_session_create_async(client, kill, on_session, &records[i],
                                                    on_destroy, NULL);
        zelf_call_cancel(records[i].call);
    }
    await(records, HELD, 10);
    set_flag(&is_held, 2);
    await(&first, 1, AT_ONCE);
    zelf_client_shutdown(client, 5000);
    sent = requests_arrived();
    PROMISE(exactly_once(records, HELD, ZELF_ERROR_CANCELLED) == HELD && sent == 0,
            "of calls that were cancelled before they began none is sent: %d", sent);
    release(records, HELD);
    release(&first, 1);
    zelf_session_options_free(kill);
    zelf_client_free(client);
}

int main(void)
{
    every_call_calls_back_once();
    null_means_no_callback_ever();
    failures_come_to_the_callback();
    cancelling_works_in_every_stage();
    cancelling_late_does_nothing();
    a_callback_may_do_anything();
    a_cancelled_call_is_not_sent();
    /* Not with a tool that makes everything slow. */
    if (!getenv("ZELF_QUICK")) {
        ten_thousand_calls_are_under_way_at_once();
        a_call_that_waits_for_another_attempt_makes_room();
        a_second_attempt_takes_a_connection_that_rests();
    }
    no_thread_is_left();
    return check_failed;
}
