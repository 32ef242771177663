/* Callbacks that shut down, dispatch or free their client or another: how deep the stack gets. */
#include <poll.h>

#include "calls.h"

enum { SHUTDOWNS = 3000, DISPATCHES = 10000, CLIENTS = 64 };

static struct record records[DISPATCHES];
static zelf_client *client;
static int depth, deepest, timeouts_inside, oks_inside;

static zelf_client *patient_client(int is_dispatched)
{
    zelf_config *config = tls_config();
    zelf_client *made;
    zelf_config_set_dispatch(config, is_dispatched != 0);
    zelf_config_set_timeout_ms(config, 60000);
    made = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return made;
}

static void stalls(void)
{
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    memset(records, 0, sizeof records);
    depth = deepest = timeouts_inside = oks_inside = 0;
}

static void fails_at_a_stalled_server(int is_dispatched)
{
    client = patient_client(is_dispatched);
    stalls();
}

static void enters(void)
{
    if (++depth > deepest) deepest = depth;
}

static void shuts_down(struct record *record)
{
    zelf_status status;
    (void)record;
    enters();
    status = zelf_client_shutdown(client, 60000);
    timeouts_inside += status == ZELF_ERROR_TIMEOUT;
    oks_inside += status == ZELF_OK;
    depth--;
}

/* One of many calls is cancelled. Its callback shuts the client down, and the callbacks of the
   others do the same. */
static void every_callback_may_shut_down(int is_dispatched)
{
    zelf_status status;
    int i;

    fails_at_a_stalled_server(is_dispatched);
    for (i = 0; i < SHUTDOWNS; i++) {
        records[i].then = shuts_down;
        start(client, &records[i], NULL);
    }
    zelf_call_cancel(records[0].call);
    if (is_dispatched) zelf_client_dispatch(client);
    await(records, SHUTDOWNS, 30);
    status = zelf_client_shutdown(client, 5000);
    PROMISE(status == ZELF_OK
                && exactly_once(records, SHUTDOWNS, ZELF_ERROR_CANCELLED) == SHUTDOWNS,
            "%d callbacks that each shut their client down run once each, %s", SHUTDOWNS,
            is_dispatched ? "dispatched" : "on its thread");
    PROMISE(deepest == 2, "no more than two of them are inside each other: %d", deepest);
    PROMISE(timeouts_inside + oks_inside == SHUTDOWNS && oks_inside >= 1
                && timeouts_inside >= SHUTDOWNS - 3,
            "a shutdown in an inner callback does not wait for the outer callbacks: %d of %d",
            timeouts_inside, SHUTDOWNS);
    zelf_client_free(client);
    release(records, SHUTDOWNS);
    fault(NULL);
}

static void dispatches(struct record *record)
{
    (void)record;
    enters();
    zelf_client_dispatch(client);
    depth--;
}

static void every_callback_may_dispatch(void)
{
    int i, count = getenv("ZELF_QUICK") ? DISPATCHES / 10 : DISPATCHES;

    fails_at_a_stalled_server(1);
    for (i = 0; i < count; i++) {
        records[i].then = dispatches;
        start(client, &records[i], NULL);
    }
    for (i = 0; i < count; i++) zelf_call_cancel(records[i].call);
    zelf_client_dispatch(client);
    PROMISE(exactly_once(records, count, ZELF_ERROR_CANCELLED) == count,
            "%d callbacks that each dispatch run once each", count);
    PROMISE(deepest > 1 && deepest <= 8, "a few of them are inside each other: %d", deepest);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
    release(records, count);
    fault(NULL);
}

static void shuts_down_and_dispatches(struct record *record)
{
    (void)record;
    enters();
    zelf_client_shutdown(client, 0);
    zelf_client_dispatch(client);
    depth--;
}

static void every_callback_may_do_both(void)
{
    int i;

    fails_at_a_stalled_server(1);
    for (i = 0; i < SHUTDOWNS; i++) {
        records[i].then = shuts_down_and_dispatches;
        start(client, &records[i], NULL);
    }
    zelf_call_cancel(records[0].call);
    zelf_client_dispatch(client);
    PROMISE(exactly_once(records, SHUTDOWNS, ZELF_ERROR_CANCELLED) == SHUTDOWNS && deepest <= 8,
            "callbacks that shut down and dispatch run once each, %d inside each other", deepest);
    zelf_client_free(client);
    release(records, SHUTDOWNS);
    fault(NULL);
}

/* ---- Many clients ---- */

static zelf_client *clients[CLIENTS];
static void (*ends)(zelf_client **next);

static void dispatches_it(zelf_client **next) { zelf_client_dispatch(*next); }

static void shuts_it_down(zelf_client **next)
{
    zelf_status status = zelf_client_shutdown(*next, 60000);
    timeouts_inside += status == ZELF_ERROR_TIMEOUT;
    oks_inside += status == ZELF_OK;
}

static void frees_it(zelf_client **next)
{
    zelf_client_free(*next);
    *next = NULL;
}

/* How many callbacks had run when the first one returned. */
static int told;

static void goes_on_with_the_next_client(struct record *record)
{
    int next = (int)(record - records) + 1, i;
    enters();
    if (next < CLIENTS) ends(&clients[next]);
    if (record == records)
        for (told = 0, i = 1; i < CLIENTS; i++) told += times_called(&records[i]);
    depth--;
}

/* Dispatches the first client, and each other one whose descriptor tells of a callback. Returns how
   many clients it dispatches. */
static int dispatches_what_is_due(void)
{
    int i, dispatched = 0;
    for (i = 0; i < CLIENTS; i++) {
        struct pollfd wait = {-1, POLLIN, 0};
        wait.fd = zelf_client_descriptor(clients[i]);
        if (poll(&wait, 1, 0) != 1) continue;
        dispatched++;
        zelf_client_dispatch(clients[i]);
        if (ends != dispatches_it) break;
    }
    return dispatched;
}

/* The callback of each client dispatches, shuts down or frees the next client. */
static void callbacks_of_many_clients(void (*what)(zelf_client **next), const char *words)
{
    int i, here = 0, dispatched;

    stalls();
    ends = what;
    for (i = 0; i < CLIENTS; i++) {
        clients[i] = patient_client(1);
        records[i].then = goes_on_with_the_next_client;
        start(clients[i], &records[i], NULL);
        zelf_call_cancel(records[i].call);
    }
    dispatched = dispatches_what_is_due();
    for (i = 0; i < CLIENTS; i++) here += pthread_equal(records[i].ran_on, pthread_self()) != 0;
    PROMISE(exactly_once(records, CLIENTS, ZELF_ERROR_CANCELLED) == CLIENTS && here == CLIENTS,
            "callbacks of %d clients that each %s the next run once each, on the thread that dispatches: %d",
            CLIENTS, words, here);
    PROMISE(deepest > 2 && deepest <= 8, "a few of them are inside each other: %d", deepest);
    if (what != dispatches_it)
        PROMISE(told == CLIENTS - 1, "none of them waits for the first to return: %d", told);
    if (what == dispatches_it)
        PROMISE(dispatched == CLIENTS / 8, "the remaining clients' descriptors become readable: %d",
                dispatched);
    if (what == shuts_it_down)
        PROMISE(timeouts_inside > 0 && timeouts_inside + oks_inside == CLIENTS - 1,
                "the innermost shutdowns do not wait: %d of %d", timeouts_inside, CLIENTS);
    for (i = 0; i < CLIENTS; i++) zelf_client_free(clients[i]);
    release(records, CLIENTS);
    fault(NULL);
}

/* ---- The I/O thread ---- */

static pthread_t io_thread;
static int shuts_down_first;
/* One per client, because the client that was freed may still log. */
static int has_logged[3];
static zelf_status status_in_log;

static void ends_the_client(zelf_log_level level, const char *message, void *user_data)
{
    /* The test continues, and makes another client, before this callback has returned. */
    zelf_client *ended = client;
    (void)level, (void)message;
    if (__sync_lock_test_and_set((int *)user_data, 1)) return;
    io_thread = pthread_self();
    if (shuts_down_first) {
        zelf_status status = zelf_client_shutdown(ended, 5000);
        if (status != ZELF_OK) status_in_log = status;
    }
    zelf_client_free(ended);
}

/* With zelf_config_set_dispatch, no other thread runs the remaining callbacks. */
static void no_callback_runs_on_the_thread_of_the_io(void)
{
    enum { CALLS = 8 };
    int i, on_io = 0;
    zelf_config *config = tls_config();

    memset(records, 0, CALLS * sizeof *records);
    status_in_log = ZELF_OK;
    zelf_config_set_dispatch(config, true);
    zelf_config_set_log_callback(config, ends_the_client, &has_logged[shuts_down_first], NULL,
                                 ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    /* The first answer is logged. The other calls wait behind it in the queue. */
    fault("{\"kind\":\"delay\",\"ms\":1000,\"stage\":\"request\"}");
    for (i = 0; i < CALLS; i++) start(client, &records[i], "on-io-x");
    await(records, CALLS, 10);
    for (i = 0; i < CALLS; i++) on_io += pthread_equal(records[i].ran_on, io_thread) != 0;
    PROMISE(get_flag(&has_logged[shuts_down_first]) && on_io == 0 && status_in_log == ZELF_OK
                && exactly_once(records, CALLS, ZELF_ERROR_CANCELLED) == CALLS,
            "if a log callback %s its client, no callback runs on the I/O thread: %d",
            shuts_down_first ? "shuts down" : "frees", on_io);
    release(records, CALLS);
    fault(NULL);
}

static zelf_client *other;
static int called_in_log;
static zelf_status other_status;

static void uses_clients(zelf_log_level level, const char *message, void *user_data)
{
    int before;
    (void)level, (void)message;
    if (__sync_lock_test_and_set((int *)user_data, 1)) return;
    io_thread = pthread_self();
    zelf_call_cancel(records[1].call);
    before = times_called(&records[1]);
    zelf_client_dispatch(client);
    called_in_log = times_called(&records[1]) - before;
    other_status = zelf_client_shutdown(other, 10000);
}

/* A log callback on the I/O thread of one client, and the callbacks of two clients. */
static void no_callback_of_another_client_runs_there(void)
{
    zelf_config *config = tls_config();

    memset(records, 0, 3 * sizeof *records);
    zelf_config_set_dispatch(config, true);
    other = zelf_client_new(config, NULL);
    zelf_config_set_log_callback(config, uses_clients, &has_logged[2], NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    fault("{\"kind\":\"delay\",\"ms\":1000,\"stage\":\"request\"}");
    start(other, &records[2], "on-io-other-x");
    start(client, &records[1], "on-io-x");
    start(client, &records[0], "on-io-y");
    await(&records[2], 1, 10);
    PROMISE(!pthread_equal(records[2].ran_on, io_thread),
            "a log callback's shutdown of another client runs no callback on the I/O thread");
    PROMISE(called_in_log == 0, "a log callback's dispatch runs no callback: %d", called_in_log);
    zelf_client_shutdown(client, 10000);
    PROMISE(other_status == ZELF_OK && records[2].called == 1 && records[2].destroyed == 1
                && records[1].called == 1 && records[1].destroyed == 1,
            "each callback runs once, and both clients are shut down: %s",
            zelf_status_name(other_status));
    zelf_client_free(client);
    zelf_client_free(other);
    release(records, 3);
    fault(NULL);
}

int main(void)
{
    every_callback_may_shut_down(0);
    every_callback_may_shut_down(1);
    every_callback_may_dispatch();
    every_callback_may_do_both();
    callbacks_of_many_clients(dispatches_it, "dispatch");
    callbacks_of_many_clients(shuts_it_down, "shut down");
    callbacks_of_many_clients(frees_it, "free");
    for (shuts_down_first = 0; shuts_down_first < 2; shuts_down_first++)
        no_callback_runs_on_the_thread_of_the_io();
    no_callback_of_another_client_runs_there();
    no_thread_is_left();
    return check_failed;
}
