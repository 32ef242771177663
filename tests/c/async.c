/* Asynchronous calls: every callback exactly once, whatever happens. */
#include <malloc.h>

#include "calls.h"
#include "full_listener.h"
#include "hanging_look_up.h"

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

/* Cancels a call that hangs in some stage, and says how long that took. */
static void cancels(zelf_client *client, const char *stage)
{
    struct record record = {0};
    double began, took;
    start(client, &record, "cancel-x");
    usleep(60000);
    began = seconds_now();
    PROMISE(times_called(&record) == 0, "a call hangs %s", stage);
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
    struct full_listener full;
    size_t i;

    set_flag(&look_up_hangs, 1);
    client = client_of("https://hangs.test");
    cancels(client, "in name look-up");
    zelf_client_free(client);
    set_flag(&look_up_hangs, 0);

    full_listener_open(&full);
    client = client_of(full.url);
    cancels(client, "in connecting");
    zelf_client_free(client);
    full_listener_close(&full);

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
    for (i = 0; i < CROWD; i++) done += times_called(&records[i]);
    PROMISE(started == CROWD - 1 && done == 0 && threads_alive() == 3 && each <= 16384,
            "10 000 calls are under way at once, with two threads and %lu bytes each",
            (unsigned long)each);
    sandbox("GET", "/sandbox/connections", "");
    open = atoi(strstr(http_answer, "\"open\":") + 7);
    PROMISE(open <= 34, "over 32 connections: %d, one of them to ask this", open);
    PROMISE(await(records, CROWD, 60) && exactly_once(records, CROWD, ZELF_ERROR_VALIDATION) == CROWD,
            "and each gets its answer");
    /* The first 32 make their connections, which takes each its time. Of the others
       one may be slow, so look at those far behind it. */
    for (i = 64; i + 1000 < CROWD; i++) in_order &= records[i].ended <= records[i + 1000].ended;
    PROMISE(in_order, "in the order they came");
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, CROWD);
    zelf_client_free(client);
}

#define OUTAGE 400

/* A tenth of them is tried again later: more than there are connections. */
static void who_waits_for_another_attempt_makes_room(void)
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
    while (ended < OUTAGE * 8 / 10 && seconds_now() - began < 10) {
        usleep(10000);
        for (i = 0, ended = 0; i < OUTAGE; i++) ended += times_called(&records[i]);
    }
    usleep(100000);
    for (i = 0, ended = 0; i < OUTAGE; i++) ended += times_called(&records[i]);
    PROMISE(ended >= OUTAGE * 85 / 100 && ended < OUTAGE,
            "a call that waits for another attempt makes room: %d of %d have ended, the others wait",
            ended, OUTAGE);
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    release(records, OUTAGE);
    zelf_client_free(client);
}

static void who_comes_back_takes_a_connection_that_rests(void)
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
    PROMISE(created > 32 && created + exactly_once(records, OUTAGE, ZELF_ERROR_SERVER) == OUTAGE
                && open <= 33,
            "%d calls that come back after a wait make do with the 32 connections: %d", created,
            open - 1);
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

#define HELD 300

static int is_held;

static void holds_the_thread(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    if (get_flag(&is_held) == 0) set_flag(&is_held, 1);
    while (get_flag(&is_held) == 1) usleep(1000);
}

/* The calls wait in line while the thread that does the I/O is in a log callback. */
static void what_was_cancelled_is_not_sent(void)
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
    await(&first, 1, 5);
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
    cancelling_late_is_nothing();
    a_callback_may_do_anything();
    what_was_cancelled_is_not_sent();
    /* Not for a tool that makes everything slow. */
    if (!getenv("ZELF_QUICK")) {
        ten_thousand_calls_are_under_way_at_once();
        who_waits_for_another_attempt_makes_room();
        who_comes_back_takes_a_connection_that_rests();
    }
    no_thread_is_left();
    return check_failed;
}
