/* Session providers: a token that works, at any moment. */
#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "calls.h"
#include "children.h"

/* A session of the sandbox lives 600 s. With so many to be left it is of no more use to
   the provider after 2 s to 3 s, and the server has it for long after that. */
#define MOST 597

static const char *log_has;
static int log_count;

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)user_data;
    if (log_has && strstr(message, log_has)) __sync_fetch_and_add(&log_count, 1);
}

static zelf_session_provider *provider_of(zelf_client *client, const char *identifier,
                                          zelf_provider_options *how)
{
    zelf_session_options *options = options_for(identifier);
    zelf_error *error = NULL;
    zelf_session_provider *provider = zelf_session_provider_new(client, options, how, &error);
    if (!provider) {
        printf("not ok - a provider can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    zelf_session_options_free(options);
    zelf_provider_options_free(how);
    return provider;
}

static zelf_provider_options *how(uint32_t min_valid_s, zelf_renewal renewal)
{
    zelf_provider_options *options = zelf_provider_options_new();
    zelf_provider_options_set_min_valid_s(options, min_valid_s);
    zelf_provider_options_set_renewal(options, renewal);
    return options;
}

static zelf_session *get(zelf_session_provider *provider)
{
    return zelf_session_provider_get(provider, NULL);
}

static zelf_status failure_of(zelf_session_provider *provider)
{
    zelf_error *error = NULL;
    zelf_session *session = zelf_session_provider_get(provider, &error);
    zelf_status status = zelf_error_status(error);
    zelf_session_free(session);
    zelf_error_free(error);
    return status;
}

static int is_same(const zelf_session *one, const zelf_session *other)
{
    return one && other && strcmp(zelf_session_id(one), zelf_session_id(other)) == 0;
}

static int is_alive(const zelf_session *session)
{
    return session && route_status(zelf_session_authorization(session)) == 200;
}

/* How many requests since the last clearing wanted a session killed. */
static int kills_arrived(void)
{
    const char *at;
    int count = 0;
    sandbox("GET", "/sandbox/requests", "");
    /* The body is JSON in JSON. */
    for (at = http_answer; (at = strstr(at, "killSession\\\":true")) != NULL; at++) count++;
    return count;
}

/* Until a session is of no more use to its provider. */
static void wait_for_the_last_use(const zelf_session *session, int64_t min_valid_s)
{
    while (zelf_session_seconds_left(session) >= min_valid_s) usleep(2000);
}

/* Until the first get would confirm it. */
static void wait_for_doubt(void) { usleep(300000); }

static void making_one_does_nothing(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_error *error = (zelf_error *)&client;
    zelf_session_options *options = options_for("nothing-x");
    zelf_session_provider *provider;

    forget_requests();
    provider = zelf_session_provider_new(client, options, NULL, &error);
    PROMISE(provider && error == (zelf_error *)&client && requests_arrived() == 0
                && threads_alive() <= 1 && !zelf_session_provider_last_error(provider),
            "making a provider makes no request and no thread");
    zelf_session_options_free(options);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_warm_get_is_the_same_session(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "warm-x", NULL);
    zelf_error *error = (zelf_error *)&client;
    zelf_session *first, *second, *third;

    forget_requests();
    first = zelf_session_provider_get(provider, &error);
    second = zelf_session_provider_get(provider, &error);
    PROMISE(is_alive(first) && is_same(first, second) && error == (zelf_error *)&client,
            "a provider hands out a session that works, and *error is not written");
    PROMISE(requests_arrived() == 1, "and has asked for it once");
    wait_for_doubt();
    third = get(provider);
    PROMISE(is_same(first, third) && requests_arrived() == 2, "it is confirmed by one more request");
    zelf_session_free(third);
    third = get(provider);
    PROMISE(requests_arrived() == 2, "and by no other");
    zelf_session_free(first);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    PROMISE(is_alive(second) && is_alive(third),
            "sessions outlive the provider, and each is freed by itself");
    zelf_session_free(second);
    zelf_session_free(third);
}

#define WAITING 16
static pthread_barrier_t at_once;

static void *gets_at_once(void *provider)
{
    pthread_barrier_wait(&at_once);
    return get(provider);
}

static void many_threads_make_one_request(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "many-x", NULL);
    pthread_t threads[WAITING];
    void *sessions[WAITING];
    int i, same = 0;

    fault("{\"kind\":\"delay\",\"ms\":200}");
    forget_requests();
    pthread_barrier_init(&at_once, NULL, WAITING);
    for (i = 0; i < WAITING; i++) pthread_create(&threads[i], NULL, gets_at_once, provider);
    for (i = 0; i < WAITING; i++) pthread_join(threads[i], &sessions[i]);
    fault(NULL);
    for (i = 0; i < WAITING; i++) same += is_same(sessions[0], sessions[i]);
    PROMISE(same == WAITING && requests_arrived() == 1,
            "%d threads that ask at once share one request: %d", same, requests_arrived());
    for (i = 0; i < WAITING; i++) zelf_session_free(sessions[i]);
    pthread_barrier_destroy(&at_once);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void at_its_end_it_is_replaced_with_one_kill(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "end-x", how(MOST, ZELF_RENEWAL_AT_EXPIRY));
    zelf_session *first = get(provider), *second;

    zelf_session_free(first);
    forget_requests();
    wait_for_doubt();
    first = get(provider);
    PROMISE(requests_arrived() == 1 && kills_arrived() == 0, "a confirmation kills nothing");
    wait_for_the_last_use(first, MOST);
    forget_requests();
    second = get(provider);
    PROMISE(is_alive(second) && !is_same(first, second)
                && zelf_session_seconds_left(second) >= MOST - 1,
            "a session with too little left is not handed out: another one is");
    PROMISE(requests_arrived() == 2 && kills_arrived() == 1,
            "it takes a plain request and one kill: %d, %d", requests_arrived(), kills_arrived());
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void what_another_has_renewed_is_adopted(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "adopt-x", how(MOST, ZELF_RENEWAL_AT_EXPIRY));
    zelf_session_options *killing = options_for("adopt-x");
    zelf_session *first = get(provider), *other, *second;

    wait_for_the_last_use(first, MOST);
    zelf_session_options_set_kill_session(killing, true);
    other = zelf_session_create(client, killing, NULL);
    forget_requests();
    second = get(provider);
    PROMISE(is_same(other, second) && requests_arrived() == 1 && kills_arrived() == 0,
            "a session that another process has renewed is adopted without a kill");
    zelf_session_free(first);
    zelf_session_free(other);
    zelf_session_free(second);
    zelf_session_options_free(killing);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void never_kill_never_kills(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "never-x", how(5, ZELF_RENEWAL_NEVER_KILL));
    zelf_session *made = create(client, "never-x", NULL), *first, *second, *third;

    sandbox("POST", "/sandbox/age", "{\"identifier\":\"never-x\",\"seconds\":601}");
    forget_requests();
    first = get(provider);
    second = get(provider);
    PROMISE(is_same(made, first) && is_same(made, second) && zelf_session_seconds_left(first) == 0
                && is_alive(first),
            "without kills an expired session that the server still returns is handed out");
    PROMISE(requests_arrived() == 1 && kills_arrived() == 0, "and asked for once in some seconds");
    PROMISE(zelf_session_provider_invalidate(provider, first), "and it can be refused");
    sandbox("POST", "/sandbox/reap", "");
    third = get(provider);
    PROMISE(is_alive(third) && !is_same(made, third) && kills_arrived() == 0,
            "once it is gone a plain request brings a new one");
    zelf_session_free(made);
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_free(third);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* With 70 s or less left a session of 600 s is renewed early. */
static void early_kills_before_the_end(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "early-x", how(5, ZELF_RENEWAL_EARLY));
    zelf_session *made = create(client, "early-x", NULL), *first, *second;

    sandbox("POST", "/sandbox/age", "{\"identifier\":\"early-x\",\"seconds\":560}");
    first = get(provider);
    forget_requests();
    second = get(provider);
    PROMISE(is_same(made, first) && is_alive(second) && !is_same(first, second)
                && requests_arrived() == 1 && kills_arrived() == 1,
            "an early renewal is one kill, before the end");
    zelf_session_free(made);
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void ghosts_are_told(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider, *other;
    zelf_session *held, *moved, *session;
    zelf_status status = ZELF_OK;
    zelf_error *error = NULL;
    int i;

    provider = provider_of(client, "ghosts-x", how(MOST, ZELF_RENEWAL_EARLY));
    held = get(provider);
    sandbox("POST", "/sandbox/address", "{\"address\":\"198.51.100.7\"}");
    /* Another provider of the same identifier begins at the new address. */
    other = provider_of(client, "ghosts-x", NULL);
    moved = get(other);
    PROMISE(moved && !is_alive(moved), "after a change of network the server hands out a ghost");
    zelf_session_free(moved);
    for (i = 0; i < 3 && status == ZELF_OK; i++) {
        wait_for_doubt();
        status = failure_of(other);
    }
    PROMISE(status == ZELF_ERROR_GHOST_SESSION, "three of them in a row are an error: %s after %d",
            zelf_status_name(status), i);
    error = zelf_session_provider_last_error(other);
    PROMISE(zelf_error_status(error) == ZELF_ERROR_GHOST_SESSION
                && zelf_error_retry_after_ms(error) > 0 && !zelf_error_is_retryable(error),
            "the last error tells when it is asked again, and nobody knows whether that helps");
    forget_requests();
    PROMISE(failure_of(other) == ZELF_ERROR_GHOST_SESSION && requests_arrived() == 0,
            "until then nobody asks");
    sandbox("POST", "/sandbox/address", "{}");
    PROMISE(is_alive(held), "the old token works on");
    session = get(provider);
    PROMISE(session != NULL, "and where the network is as before, so does its provider");
    zelf_error_free(error);
    zelf_session_free(held);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_session_provider_free(other);
    zelf_client_free(client);
}

static void a_refused_session_is_replaced_once(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "refused-x", NULL);
    zelf_session *first = get(provider), *again = get(provider), *second, *third;

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"refused-x\"}");
    forget_requests();
    PROMISE(route_status(zelf_session_authorization(first)) == 403
                && zelf_session_provider_invalidate(provider, first),
            "a session that a route has refused is reported");
    PROMISE(!zelf_session_provider_invalidate(provider, first)
                && !zelf_session_provider_invalidate(provider, again) && requests_arrived() == 0,
            "once: who comes later with the same one changes nothing, and nothing is asked");
    second = get(provider);
    PROMISE(is_alive(second) && !is_same(first, second) && requests_arrived() == 2
                && kills_arrived() == 1,
            "where the server returns it again, one kill replaces it");
    PROMISE(!zelf_session_provider_invalidate(provider, first), "an old refusal spares the new one");
    forget_requests();
    third = get(provider);
    PROMISE(is_same(second, third) && requests_arrived() == 0, "which is handed out without a request");
    zelf_session_free(third);

    sandbox("DELETE", "/sandbox/sessions", "");
    PROMISE(zelf_session_provider_invalidate(provider, second), "a session that is gone is reported");
    forget_requests();
    third = get(provider);
    PROMISE(is_alive(third) && requests_arrived() == 1 && kills_arrived() == 0,
            "a plain request is enough then");
    zelf_session_free(first);
    zelf_session_free(again);
    zelf_session_free(second);
    zelf_session_free(third);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_failure_leaves_a_session_that_is_good(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "failure-x", NULL);
    zelf_session *first = get(provider), *second;
    zelf_error *error;

    fault("{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"3\"}}");
    wait_for_doubt();
    second = get(provider);
    error = zelf_session_provider_last_error(provider);
    PROMISE(is_same(first, second) && zelf_error_status(error) == ZELF_ERROR_SERVER
                && zelf_error_retry_after_ms(error) > 2000,
            "a failure costs nobody a session that is good; the last error tells of it");
    zelf_error_free(error);
    zelf_session_free(second);
    zelf_session_provider_invalidate(provider, first);
    PROMISE(failure_of(provider) == ZELF_ERROR_SERVER, "without a session it is everybody's error");
    forget_requests();
    PROMISE(failure_of(provider) == ZELF_ERROR_SERVER && requests_arrived() == 0,
            "and nobody asks before the server wants it");
    fault(NULL);
    usleep(3100000);
    second = get(provider);
    error = zelf_session_provider_last_error(provider);
    PROMISE(is_alive(second) && !error, "it recovers by itself, and there is no error any more");
    zelf_error_free(error);
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static int begins(zelf_session_provider *provider, struct record *record)
{
    pthread_mutex_lock(&calls_lock);
    record->call = zelf_session_provider_get_async(provider, on_session, record, on_destroy, NULL);
    pthread_mutex_unlock(&calls_lock);
    return record->call != NULL;
}

static void an_asynchronous_get_calls_back_once(void)
{
    static struct record cold[8], warm[8], cancelled, left;
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "async-get-x", NULL);
    zelf_error *error = NULL;
    int i, same = 0, calls = 0;

    PROMISE(!zelf_session_provider_get_async(provider, NULL, &calls, NULL, &error)
                && zelf_error_status(error) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL callback is refused");
    zelf_error_free(error);
    fault("{\"kind\":\"delay\",\"ms\":100}");
    forget_requests();
    for (i = 0; i < 8; i++) begins(provider, &cold[i]);
    await(cold, 8, 5);
    for (i = 0; i < 8; i++) same += is_same(cold[0].session, cold[i].session);
    PROMISE(exactly_once(cold, 8, ZELF_OK) == 8 && same == 8 && requests_arrived() == 1,
            "cold gets share one request, and each calls back and destroys once");
    for (i = 0; i < 8; i++) begins(provider, &warm[i]);
    await(warm, 8, 5);
    for (i = 0, same = 0; i < 8; i++) {
        same += is_same(cold[0].session, warm[i].session)
                && !pthread_equal(warm[i].ran_on, pthread_self());
    }
    PROMISE(exactly_once(warm, 8, ZELF_OK) == 8 && same == 8 && requests_arrived() == 1,
            "so do warm ones, on the client's thread, without a request");
    release(cold, 8);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    zelf_session_provider_invalidate(provider, warm[0].session);
    release(warm, 8);
    forget_requests();
    begins(provider, &cancelled);
    while (requests_arrived() == 0) usleep(1000);
    zelf_call_cancel(cancelled.call);
    PROMISE(await(&cancelled, 1, 5) && exactly_once(&cancelled, 1, ZELF_ERROR_CANCELLED) == 1,
            "one that is cancelled says so");
    release(&cancelled, 1);
    fault(NULL);
    begins(provider, &left);
    zelf_session_provider_free(provider);
    PROMISE(await(&left, 1, 5) && exactly_once(&left, 1, ZELF_OK) == 1,
            "one that is under way when its provider is freed goes on to its end");
    release(&left, 1);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
}

static void a_kill_that_was_cancelled_is_waited_for(void)
{
    static struct record cancelled;
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "cancelled-kill-x", NULL);
    zelf_session *used = get(provider), *session;

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"cancelled-kill-x\"}");
    zelf_session_provider_invalidate(provider, used);
    fault("{\"kind\":\"delay\",\"ms\":300}");
    forget_requests();
    begins(provider, &cancelled);
    while (kills_arrived() == 0) usleep(1000);
    zelf_call_cancel(cancelled.call);
    await(&cancelled, 1, 5);
    session = get(provider);
    PROMISE(exactly_once(&cancelled, 1, ZELF_ERROR_CANCELLED) == 1 && is_alive(session)
                && kills_arrived() == 1,
            "a get after a call that was cancelled in the middle of a kill waits for its end");
    fault(NULL);
    release(&cancelled, 1);
    zelf_session_free(used);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void in_the_background_nobody_waits(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_provider_options *options = how(594, ZELF_RENEWAL_AT_EXPIRY);
    zelf_session_provider *provider;
    zelf_session *first, *session;
    double until, began, longest = 0;
    int renewed = 0, gaps = 0;

    zelf_provider_options_set_background(options, true);
    forget_requests();
    provider = provider_of(client, "background-x", options);
    while (requests_arrived() < 2) usleep(5000);
    PROMISE(kills_arrived() == 0, "the client's thread gets a session and confirms it without a get");
    first = get(provider);
    fault("{\"kind\":\"delay\",\"ms\":400}");
    until = seconds_now() + 8;
    while (!renewed && seconds_now() < until) {
        began = seconds_now();
        session = get(provider);
        if (seconds_now() - began > longest) longest = seconds_now() - began;
        gaps += !session || zelf_session_seconds_left(session) < 593;
        renewed = !is_same(first, session);
        zelf_session_free(session);
        usleep(1000);
    }
    fault(NULL);
    PROMISE(renewed && gaps == 0 && kills_arrived() == 1, "it renews it ahead of time with one kill");
    if (!getenv("ZELF_QUICK"))
        PROMISE(longest < 0.1, "and no caller waits meanwhile: %.1f ms at most", longest * 1e3);
    session = get(provider);
    PROMISE(zelf_session_provider_invalidate(provider, session), "a refusal wakes it");
    forget_requests();
    zelf_session_free(session);
    until = seconds_now() + 5;
    while (requests_arrived() == 0 && seconds_now() < until) usleep(5000);
    PROMISE(requests_arrived() > 0, "and it asks anew by itself");
    zelf_session_free(first);
    zelf_session_provider_free(provider);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK && threads_alive() == 1,
            "a shutdown ends its thread");
    zelf_client_free(client);
}

struct told {
    int count, destroyed;
    char last[64];
};

static void on_renewed(const zelf_session *session, void *user_data)
{
    struct told *told = user_data;
    told->count++;
    snprintf(told->last, sizeof told->last, "%s", zelf_session_id(session));
}

static void on_told_destroy(void *user_data) { ((struct told *)user_data)->destroyed++; }

static void a_renewal_is_told(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_provider_options *options = zelf_provider_options_new();
    zelf_session_options *session_options = options_for("told-x");
    struct told replaced = {0}, told = {0};
    zelf_session_provider *one, *other;
    zelf_session *first, *second;

    zelf_provider_options_set_renewed_callback(options, on_renewed, &replaced, on_told_destroy);
    zelf_provider_options_set_renewed_callback(options, on_renewed, &told, on_told_destroy);
    PROMISE(replaced.destroyed == 1 && told.destroyed == 0,
            "a callback that is replaced is destroyed at once");
    one = zelf_session_provider_new(client, session_options, options, NULL);
    other = zelf_session_provider_new(client, session_options, options, NULL);
    zelf_provider_options_free(options);
    zelf_session_options_free(session_options);
    first = get(one);
    PROMISE(told.count == 1 && strcmp(told.last, zelf_session_id(first)) == 0,
            "the callback receives the session that is held from now on");
    zelf_session_free(get(one));
    PROMISE(told.count == 1, "a warm get tells nothing");
    sandbox("POST", "/sandbox/use", "{\"identifier\":\"told-x\"}");
    zelf_session_provider_invalidate(one, first);
    second = get(one);
    PROMISE(told.count == 2 && strcmp(told.last, zelf_session_id(second)) == 0,
            "each renewal calls it once");
    zelf_session_provider_free(one);
    PROMISE(told.destroyed == 0, "its data stays while another provider needs it");
    zelf_session_provider_free(other);
    PROMISE(told.destroyed == 1 && replaced.destroyed == 1 && replaced.count == 0,
            "and is destroyed once, with the last");
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_client_free(client);
}

static void the_client_may_go_first(void)
{
    int round;
    for (round = 0; round < 4; round++) {
        int is_background = round % 2, is_freed = round / 2;
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_provider_options *options = zelf_provider_options_new();
        zelf_session_provider *provider;
        zelf_session *first, *second;
        struct record record = {0};
        zelf_status status;
        zelf_provider_options_set_background(options, is_background);
        provider = provider_of(client, "client-first-x", options);
        first = get(provider);
        if (is_freed) zelf_client_free(client);
        else zelf_client_shutdown(client, 5000);
        second = get(provider);
        PROMISE(is_same(first, second), "what is held is handed out after the client is %s%s",
                is_freed ? "freed" : "shut down", is_background ? ", with background" : "");
        zelf_session_provider_invalidate(provider, first);
        status = failure_of(provider);
        PROMISE(status == ZELF_ERROR_SHUT_DOWN, "and a renewal fails with %s",
                zelf_status_name(status));
        PROMISE(!begins(provider, &record) && record.called == 0 && record.destroyed == 0,
                "an asynchronous get is refused then");
        zelf_session_free(first);
        zelf_session_free(second);
        zelf_session_provider_free(provider);
        if (!is_freed) zelf_client_free(client);
    }
}

static int allocations_count = -1;

static void *small_get(void *provider) { return get(provider); }

static void a_warm_get_touches_nothing(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "touch-x", NULL);
    struct sigaction before[32], after[32];
    sigset_t mask_before, mask_after;
    zelf_session *first = get(provider), *session;
    int number, same = 1, kept;
    pthread_attr_t attributes;
    pthread_t thread;
    void *small = NULL;

    wait_for_doubt();
    zelf_session_free(get(provider));
    for (number = 1; number < 32; number++) sigaction(number, NULL, &before[number]);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    errno = 4242;
    session = get(provider);
    kept = errno == 4242;
    zelf_session_free(session);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (number = 1; number < 32; number++) {
        sigaction(number, NULL, &after[number]);
        same &= before[number].sa_handler == after[number].sa_handler
                && sigismember(&mask_before, number) == sigismember(&mask_after, number);
    }
    PROMISE(session && kept && same, "a warm get leaves errno and signals as they were");
    pthread_attr_init(&attributes);
    same = pthread_attr_setstacksize(&attributes, 64 * 1024);
    if (same == 0 && pthread_create(&thread, &attributes, small_get, provider) == 0) {
        pthread_join(thread, &small);
        PROMISE(is_same(first, small), "a stack of 64 KiB is enough for it");
        zelf_session_free(small);
    }
    pthread_attr_destroy(&attributes);
    zelf_session_free(first);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* Sanitizers have a malloc of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(ZELF_RACES)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return __libc_realloc(old, size);
}

static void a_warm_get_takes_no_memory(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider = provider_of(client, "memory-x", NULL);
    zelf_session *sessions[1000];
    int i, count, some;

    zelf_session_free(get(provider));
    wait_for_doubt();
    zelf_session_free(get(provider));
    allocations_count = 0;
    for (i = 0; i < 1000; i++) sessions[i] = get(provider);
    for (i = 0; i < 1000; i++) zelf_session_free(sessions[i]);
    count = allocations_count;
    zelf_session_provider_free(provider_of(client, "memory-x", NULL));
    some = allocations_count - count;
    allocations_count = -1;
    PROMISE(count == 0 && (some > 0 || getenv("ZELF_QUICK")),
            "a thousand warm gets take no memory: %d (making a provider: %d)", count, some);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}
#else
static void a_warm_get_takes_no_memory(void) { (void)allocations_count; }
#endif

static int accepted(void)
{
    sandbox("GET", "/sandbox/connections", "");
    return atoi(strstr(http_answer, "{\"accepted\":") + 12);
}

static int goes_on(zelf_session_provider *provider, const zelf_session *parents)
{
    zelf_session *warm, *own;
    int fine, before;
    alarm(20);
    warm = get(provider);
    fine = is_same(warm, parents) && is_alive(warm);
    sandbox("POST", "/sandbox/use", "{\"identifier\":\"child-x\"}");
    fine &= zelf_session_provider_invalidate(provider, warm);
    before = accepted();
    own = get(provider);
    fine &= is_alive(own) && !is_same(own, parents);
    /* The child makes a new connection, and another one for the kill. */
    fine &= accepted() > before;
    zelf_session_free(warm);
    zelf_session_free(own);
    zelf_session_provider_free(provider);
    return fine ? 7 : 8;
}

static void a_child_goes_on(void)
{
    int is_background;
    for (is_background = 0; is_background < 2; is_background++) {
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_provider_options *options = zelf_provider_options_new();
        const char *kind = is_background ? " of a provider with background" : "";
        zelf_session_provider *provider;
        zelf_session *first, *second;
        struct told told = {0};
        pid_t child;

        zelf_provider_options_set_background(options, is_background);
        zelf_provider_options_set_renewed_callback(options, on_renewed, &told, on_told_destroy);
        provider = provider_of(client, "child-x", options);
        first = get(provider);
        fflush(stdout);
        child = fork();
        if (child == 0) {
            int end = goes_on(provider, first);
            zelf_client_free(client);
            _exit(told.destroyed == 0 ? end : 9);
        }
        PROMISE(status_of(child) == 7,
                "a forked child%s has its parent's session, renews it over its own connections, "
                "and frees nothing of its parent's", kind);
        PROMISE(zelf_session_provider_invalidate(provider, first),
                "its parent still has the old one%s", kind);
        second = get(provider);
        PROMISE(is_alive(second), "and finds the child's%s", kind);
        zelf_session_free(first);
        zelf_session_free(second);
        zelf_session_provider_free(provider);
        zelf_client_shutdown(client, 5000);
        zelf_client_free(client);
        PROMISE(told.destroyed == 1, "and frees what is its own%s", kind);
    }
}

static void where_no_lock_can_be_had_the_log_tells(void)
{
    zelf_config *config = tls_config();
    char *runtime = getenv("XDG_RUNTIME_DIR") ? strdup(getenv("XDG_RUNTIME_DIR")) : NULL;
    char *temporary = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    zelf_client *client;
    zelf_session_provider *provider;
    zelf_session *session;

    zelf_config_set_log_callback(config, on_log, NULL, NULL, ZELF_LOG_WARNING);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    setenv("XDG_RUNTIME_DIR", "/nonexistent/x", 1);
    setenv("TMPDIR", "/nonexistent/y", 1);
    log_has = "other processes are not locked out";
    provider = provider_of(client, "lockless-x", NULL);
    session = get(provider);
    PROMISE(is_alive(session) && log_count == 1, "where no lock can be had the log tells, once");
    if (runtime) setenv("XDG_RUNTIME_DIR", runtime, 1);
    else unsetenv("XDG_RUNTIME_DIR");
    if (temporary) setenv("TMPDIR", temporary, 1);
    else unsetenv("TMPDIR");
    free(runtime);
    free(temporary);
    log_has = NULL;
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

int main(void)
{
    making_one_does_nothing();
    a_warm_get_is_the_same_session();
    many_threads_make_one_request();
    at_its_end_it_is_replaced_with_one_kill();
    what_another_has_renewed_is_adopted();
    never_kill_never_kills();
    early_kills_before_the_end();
    ghosts_are_told();
    a_refused_session_is_replaced_once();
    a_failure_leaves_a_session_that_is_good();
    an_asynchronous_get_calls_back_once();
    a_kill_that_was_cancelled_is_waited_for();
    in_the_background_nobody_waits();
    a_renewal_is_told();
    the_client_may_go_first();
    a_warm_get_touches_nothing();
    a_warm_get_takes_no_memory();
    where_no_lock_can_be_had_the_log_tells();
    /* A sanitizer's allocator may stay locked in the child of a process with threads. */
    if (!getenv("ZELF_QUICK")) a_child_goes_on();
    no_thread_is_left();
    return check_failed;
}
