/* Session providers: a valid token at any time. */
#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "allocator.h"
#include "calls.h"
#include "children.h"

/* A session of the sandbox lives 600 s. With this minimum the provider stops using it after 2 s to
   3 s, and the server keeps it for much longer. */
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

/* Returns how many requests asked for a kill since the last clearing. */
static int kills_arrived(void)
{
    const char *at;
    int count = 0;
    sandbox("GET", "/sandbox/requests", "");
    /* The body is JSON inside JSON. */
    for (at = http_answer; (at = strstr(at, "killSession\\\":true")) != NULL; at++) count++;
    return count;
}

/* Waits until a provider no longer uses a session. */
static void wait_for_the_last_use(const zelf_session *session, int64_t min_valid_s)
{
    while (zelf_session_seconds_left(session) >= min_valid_s) usleep(2000);
}

/* Waits until the first get would confirm the session. */
static void wait_for_doubt(void) { usleep(300000); }

static void making_one_does_nothing(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_error *error = (zelf_error *)&client;
    zelf_session_options *options = options_for("nothing-x");
    zelf_session_provider *provider;

    forget_requests();
    provider = zelf_session_provider_new(client, options, NULL, &error);
    PROMISE(provider != NULL, "a provider is made");
    PROMISE(error == (zelf_error *)&client, "*error is not written on success");
    PROMISE(requests_arrived() == 0, "making a provider makes no request");
    PROMISE(threads_alive() <= 1, "making a provider makes no thread");
    PROMISE(!zelf_session_provider_last_error(provider), "a new provider has no last error");
    zelf_session_options_free(options);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_warm_get_is_the_same_session(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "warm-x", NULL);
    zelf_error *error = (zelf_error *)&client;
    zelf_session *first, *second, *third;
    double began;
    int i;

    /* A get that comes 250 ms later confirms the session. */
    for (i = 1;; i++) {
        forget_requests();
        began = seconds_now();
        first = zelf_session_provider_get(provider, &error);
        second = zelf_session_provider_get(provider, &error);
        if (seconds_now() - began < 0.2 || i == MEASUREMENTS) break;
        zelf_session_free(first);
        zelf_session_free(second);
        zelf_session_provider_free(provider);
        provider = provider_of(client, "warm-x", NULL);
    }
    PROMISE(is_alive(first), "a provider hands out a session that works");
    PROMISE(is_same(first, second), "the next get has the same session");
    PROMISE(error == (zelf_error *)&client, "*error is not written by a get that succeeds");
    PROMISE(requests_arrived() == 1, "both gets make one request");
    wait_for_doubt();
    third = zelf_session_provider_current(provider);
    PROMISE(!third, "while a get would confirm the session there is no current one");
    PROMISE(requests_arrived() == 1, "that makes no request");
    third = get(provider);
    PROMISE(is_same(first, third) && requests_arrived() == 2, "a later get confirms the session with one request");
    zelf_session_free(third);
    third = get(provider);
    PROMISE(requests_arrived() == 2, "the get after that makes no request");
    zelf_session_free(second);
    second = zelf_session_provider_current(provider);
    PROMISE(is_same(first, second), "a session that get returns at once is the current one");
    zelf_session_free(first);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    PROMISE(is_alive(second) && is_alive(third),
            "sessions outlive the provider");
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
    zelf_client *client = sandbox_client(1, 20000, 1);
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
    zelf_client *client = sandbox_client(1, 20000, 1);
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
    PROMISE(!is_same(first, second), "a session with too little left is not handed out");
    PROMISE(is_alive(second), "the new session works");
    PROMISE(zelf_session_seconds_left(second) >= MOST - 1, "the new session has enough time left");
    PROMISE(requests_arrived() == 2 && kills_arrived() == 1,
            "a renewal is a plain request and one kill: %d, %d", requests_arrived(), kills_arrived());
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_session_that_another_process_has_renewed_is_adopted(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "adopt-x", how(MOST, ZELF_RENEWAL_AT_EXPIRY));
    zelf_session_options *killing = options_for("adopt-x");
    zelf_session *first = get(provider), *other, *second;

    wait_for_the_last_use(first, MOST);
    zelf_session_options_set_kill_session(killing, true);
    other = zelf_session_create(client, killing, NULL);
    forget_requests();
    second = get(provider);
    PROMISE(is_same(other, second), "a session that another process has renewed is adopted");
    PROMISE(requests_arrived() == 1, "that takes one request: %d", requests_arrived());
    PROMISE(kills_arrived() == 0, "that takes no kill: %d", kills_arrived());
    zelf_session_free(first);
    zelf_session_free(other);
    zelf_session_free(second);
    zelf_session_options_free(killing);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void never_kill_never_kills(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "never-x", how(5, ZELF_RENEWAL_NEVER_KILL));
    zelf_session *made = create(client, "never-x", NULL), *first, *second, *third;

    sandbox("POST", "/sandbox/age", "{\"identifier\":\"never-x\",\"seconds\":601}");
    forget_requests();
    first = get(provider);
    second = get(provider);
    PROMISE(is_same(made, first),
            "without kills an expired session that the server still returns is handed out");
    PROMISE(is_same(made, second), "the next get has the same session");
    PROMISE(zelf_session_seconds_left(first) == 0, "it has no seconds left");
    PROMISE(is_alive(first), "it works");
    PROMISE(requests_arrived() == 1 && kills_arrived() == 0, "both gets make one request, no kill");
    PROMISE(zelf_session_provider_invalidate(provider, first), "it can be refused");
    sandbox("POST", "/sandbox/reap", "");
    third = get(provider);
    PROMISE(is_alive(third), "when the server has removed it, a get has a session that works");
    PROMISE(!is_same(made, third), "that is a new session");
    PROMISE(kills_arrived() == 0, "a provider without kills makes none: %d", kills_arrived());
    zelf_session_free(made);
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_free(third);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* Gets a session that no later get confirms. */
static zelf_session *confirmed(zelf_session_provider *provider)
{
    zelf_session_free(get(provider));
    wait_for_doubt();
    return get(provider);
}

/* This is for programs that send their requests with another HTTP client. */
static void an_answer_that_refuses_the_session_invalidates_it(void)
{
    static const char inactive[] = "{\"validationError\":\"Session is not active\"}";
    static const char protected_route[] =
        "Protected resource, use Authorization header to get access";
    static const struct { int status; const char *body; } others[] = {
        {200, inactive},
        {401, "{\"error\":\"Invalid session\"}"},
        {403, "{\"validationError\":\"Search limit exceeded\"}"},
        {403, "{\"validationError\":\"Tag is not active\"}"},
        {403, ""},
        {-403, inactive},
        {65939, inactive},
    };
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "answered-x", NULL);
    zelf_session *first = confirmed(provider), *second, *third;
    size_t i;

    forget_requests();
    for (i = 0; i < sizeof others / sizeof *others; i++)
        PROMISE(!zelf_session_provider_invalidate_if_refused(
                    provider, first, others[i].status, others[i].body, strlen(others[i].body)),
                "%d \"%s\" does not refuse the session", others[i].status, others[i].body);
    PROMISE(!zelf_session_provider_invalidate_if_refused(provider, first, 403, NULL, 0),
            "an answer without a body does not refuse the session");
    PROMISE(!zelf_session_provider_invalidate_if_refused(provider, first, 403, inactive, SIZE_MAX),
            "a length that no object has is no refusal");
    second = get(provider);
    PROMISE(is_same(first, second) && requests_arrived() == 0,
            "after these answers the provider has the same session");
    zelf_session_free(second);

    PROMISE(zelf_session_provider_invalidate_if_refused(provider, first, 401, protected_route,
                                                        strlen(protected_route)),
            "401 \"Protected resource\" refuses the session");
    second = get(provider);
    PROMISE(kills_arrived() == 0, "it makes the next get ask, not kill: %d", kills_arrived());
    PROMISE(requests_arrived() == 1, "that get makes one request: %d", requests_arrived());

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"answered-x\"}");
    forget_requests();
    PROMISE(zelf_session_provider_invalidate_if_refused(provider, second, 403, inactive,
                                                        strlen(inactive)),
            "403 \"Session is not active\" refuses the session");
    PROMISE(requests_arrived() == 0, "the function makes no request: %d", requests_arrived());
    third = confirmed(provider);
    PROMISE(is_alive(third), "the next get has a session that works");
    PROMISE(zelf_session_provider_invalidate_if_refused(provider, second, 403, inactive,
                                                        strlen(inactive)),
            "a late answer refuses the old session, too");
    forget_requests();
    zelf_session_free(first);
    first = get(provider);
    PROMISE(is_same(first, third) && requests_arrived() == 0, "it renews nothing");
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_free(third);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* A session of 600 s is renewed early when it has 70 s or less left. */
static void early_kills_before_the_end(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "early-x", how(5, ZELF_RENEWAL_EARLY));
    zelf_session *made = create(client, "early-x", NULL), *first, *second;

    sandbox("POST", "/sandbox/age", "{\"identifier\":\"early-x\",\"seconds\":560}");
    first = get(provider);
    forget_requests();
    second = get(provider);
    PROMISE(is_same(made, first), "with early renewal a session in its last minutes is handed out");
    PROMISE(!is_same(first, second), "the next get renews it");
    PROMISE(is_alive(second), "the new session works");
    PROMISE(requests_arrived() == 1, "an early renewal is one request: %d", requests_arrived());
    PROMISE(kills_arrived() == 1, "that request is a kill: %d", kills_arrived());
    zelf_session_free(made);
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void ghosts_are_an_error(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider, *other;
    zelf_session *held, *moved, *session;
    zelf_status status = ZELF_OK;
    zelf_error *error = NULL;
    int i;

    provider = provider_of(client, "ghosts-x", how(MOST, ZELF_RENEWAL_EARLY));
    held = get(provider);
    sandbox("POST", "/sandbox/address", "{\"address\":\"198.51.100.7\"}");
    /* Another provider of the same identifier starts at the new address. */
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
    PROMISE(zelf_error_status(error) == ZELF_ERROR_GHOST_SESSION, "the last error is that error: %s",
            zelf_status_name(zelf_error_status(error)));
    PROMISE(zelf_error_retry_after_ms(error) > 0, "the last error has the time of the next request");
    PROMISE(!zelf_error_is_retryable(error), "the last error is not retryable");
    forget_requests();
    PROMISE(failure_of(other) == ZELF_ERROR_GHOST_SESSION && requests_arrived() == 0,
            "until then a get fails without a request");
    sandbox("POST", "/sandbox/address", "{}");
    PROMISE(is_alive(held), "the old token works at the old address");
    session = get(provider);
    PROMISE(session != NULL, "its provider works on at the old address");
    zelf_error_free(error);
    zelf_session_free(held);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_session_provider_free(other);
    zelf_client_free(client);
}

static void a_refused_session_is_replaced_once(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "refused-x", NULL);
    zelf_session *first = get(provider), *again = get(provider), *second, *third;

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"refused-x\"}");
    forget_requests();
    PROMISE(route_status(zelf_session_authorization(first)) == 403
                && zelf_session_provider_invalidate(provider, first),
            "a session that a route has refused is reported");
    PROMISE(!zelf_session_provider_invalidate(provider, first),
            "a second report of the same session does nothing");
    PROMISE(!zelf_session_provider_invalidate(provider, again),
            "a report of another copy of the session does nothing");
    PROMISE(requests_arrived() == 0, "a report makes no request: %d", requests_arrived());
    second = get(provider);
    PROMISE(!is_same(first, second), "the next get has a new session");
    PROMISE(is_alive(second), "the new session works");
    PROMISE(requests_arrived() == 2 && kills_arrived() == 1,
            "that takes a plain request and one kill: %d, %d", requests_arrived(), kills_arrived());
    PROMISE(!zelf_session_provider_invalidate(provider, first),
            "a late report of the old session does nothing");
    forget_requests();
    third = get(provider);
    PROMISE(is_same(second, third) && requests_arrived() == 0,
            "the new session is handed out without a request");
    zelf_session_free(third);

    sandbox("DELETE", "/sandbox/sessions", "");
    PROMISE(zelf_session_provider_invalidate(provider, second), "a session that is gone is reported");
    forget_requests();
    third = get(provider);
    PROMISE(is_alive(third), "the next get has a session that works");
    PROMISE(requests_arrived() == 1, "that takes one request: %d", requests_arrived());
    PROMISE(kills_arrived() == 0, "that takes no kill: %d", kills_arrived());
    zelf_session_free(first);
    zelf_session_free(again);
    zelf_session_free(second);
    zelf_session_free(third);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_failure_leaves_a_session_that_is_good(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "failure-x", NULL);
    zelf_session *first = get(provider), *second;
    zelf_error *error;

    fault("{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"6\"}}");
    wait_for_doubt();
    second = get(provider);
    error = zelf_session_provider_last_error(provider);
    PROMISE(is_same(first, second), "after a failed confirmation the session is handed out");
    PROMISE(zelf_error_status(error) == ZELF_ERROR_SERVER, "the last error has its status: %s",
            zelf_status_name(zelf_error_status(error)));
    PROMISE(zelf_error_retry_after_ms(error) > 2000 && zelf_error_retry_after_ms(error) <= 6000,
            "the last error has what is left of the Retry-After: %ld ms",
            (long)zelf_error_retry_after_ms(error));
    zelf_error_free(error);
    zelf_session_free(second);
    zelf_session_provider_invalidate(provider, first);
    PROMISE(failure_of(provider) == ZELF_ERROR_SERVER, "without a session a get fails");
    forget_requests();
    PROMISE(failure_of(provider) == ZELF_ERROR_SERVER && requests_arrived() == 0,
            "a get before the Retry-After is over fails without a request");
    fault(NULL);
    usleep(6100000);
    second = get(provider);
    error = zelf_session_provider_last_error(provider);
    PROMISE(is_alive(second), "a get after the Retry-After has a session that works");
    PROMISE(!error, "after that there is no last error");
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

static void an_asynchronous_get_that_times_out_is_a_failed_renewal(void)
{
    static struct record record;
    zelf_client *client = sandbox_client(1, 300, 1);
    zelf_session_provider *provider = provider_of(client, "async-late-x", NULL);
    zelf_error *error;

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    begins(provider, &record);
    await(&record, 1, AT_ONCE);
    error = zelf_session_provider_last_error(provider);
    PROMISE(exactly_once(&record, 1, ZELF_ERROR_TIMEOUT) == 1,
            "an asynchronous get ends at the time limit");
    PROMISE(zelf_error_status(error) == ZELF_ERROR_TIMEOUT,
            "the provider then pauses, as after every failed renewal: %s",
            zelf_status_name(zelf_error_status(error)));
    fault(NULL);
    zelf_error_free(error);
    release(&record, 1);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void an_asynchronous_get_calls_back_once(void)
{
    static struct record cold[8], warm[8], cancelled, left;
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "async-get-x", NULL);
    zelf_error *error = NULL;
    int i, same = 0, elsewhere = 0, calls = 0;

    PROMISE(!zelf_session_provider_get_async(provider, NULL, &calls, NULL, &error)
                && zelf_error_status(error) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL callback is refused");
    zelf_error_free(error);
    fault("{\"kind\":\"delay\",\"ms\":100}");
    forget_requests();
    for (i = 0; i < 8; i++) begins(provider, &cold[i]);
    await(cold, 8, AT_ONCE);
    for (i = 0; i < 8; i++) same += is_same(cold[0].session, cold[i].session);
    PROMISE(exactly_once(cold, 8, ZELF_OK) == 8, "gets without a session call back once each");
    PROMISE(same == 8, "they get the same session: %d of 8", same);
    PROMISE(requests_arrived() == 1, "they share one request: %d", requests_arrived());
    for (i = 0; i < 8; i++) begins(provider, &warm[i]);
    await(warm, 8, AT_ONCE);
    for (i = 0, same = 0; i < 8; i++) {
        same += is_same(cold[0].session, warm[i].session);
        elsewhere += !pthread_equal(warm[i].ran_on, pthread_self());
    }
    PROMISE(exactly_once(warm, 8, ZELF_OK) == 8, "gets with a session call back once each");
    PROMISE(same == 8, "they get that session: %d of 8", same);
    PROMISE(elsewhere == 8, "they call back on the client's thread: %d of 8", elsewhere);
    PROMISE(requests_arrived() == 1, "they make no request: %d", requests_arrived() - 1);
    release(cold, 8);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    zelf_session_provider_invalidate(provider, warm[0].session);
    release(warm, 8);
    forget_requests();
    begins(provider, &cancelled);
    while (requests_arrived() == 0) usleep(1000);
    zelf_call_cancel(cancelled.call);
    PROMISE(await(&cancelled, 1, AT_ONCE) && exactly_once(&cancelled, 1, ZELF_ERROR_CANCELLED) == 1,
            "a get that is cancelled calls back with ZELF_ERROR_CANCELLED");
    release(&cancelled, 1);
    fault(NULL);
    begins(provider, &left);
    zelf_session_provider_free(provider);
    PROMISE(await(&left, 1, AT_ONCE) && exactly_once(&left, 1, ZELF_OK) == 1,
            "a get goes on after its provider is freed");
    release(&left, 1);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
}

static void a_kill_that_was_cancelled_is_waited_for(void)
{
    static struct record cancelled;
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "cancelled-kill-x", NULL);
    zelf_session *used = get(provider), *session;

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"cancelled-kill-x\"}");
    zelf_session_provider_invalidate(provider, used);
    fault("{\"kind\":\"delay\",\"ms\":300}");
    forget_requests();
    begins(provider, &cancelled);
    while (kills_arrived() == 0) usleep(1000);
    zelf_call_cancel(cancelled.call);
    await(&cancelled, 1, AT_ONCE);
    session = get(provider);
    PROMISE(exactly_once(&cancelled, 1, ZELF_ERROR_CANCELLED) == 1,
            "a get can be cancelled during its kill");
    PROMISE(is_alive(session), "the next get has a session that works");
    PROMISE(kills_arrived() == 1, "the next get makes no second kill: %d", kills_arrived());
    fault(NULL);
    release(&cancelled, 1);
    zelf_session_free(used);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void in_the_background_no_get_waits(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_provider_options *options = how(594, ZELF_RENEWAL_AT_EXPIRY);
    zelf_session_provider *provider;
    zelf_session *first, *session;
    double until;
    int renewed = 0, gaps = 0, meanwhile = 0, asks;

    zelf_provider_options_set_background(options, true);
    forget_requests();
    provider = provider_of(client, "background-x", options);
    while (requests_arrived() < 2) usleep(5000);
    PROMISE(kills_arrived() == 0, "the client's thread creates a session and confirms it, without a kill");
    first = get(provider);
    forget_requests();
    fault("{\"kind\":\"delay\",\"ms\":1000}");
    until = seconds_now() + AT_ONCE;
    while (!renewed && seconds_now() < until) {
        asks = requests_arrived() > 0;
        session = get(provider);
        gaps += !session || zelf_session_seconds_left(session) < 593;
        renewed = !is_same(first, session);
        /* The get returned before the running renewal ended. */
        meanwhile += asks && !renewed;
        zelf_session_free(session);
        usleep(1000);
    }
    fault(NULL);
    PROMISE(renewed, "it renews the session");
    PROMISE(gaps == 0, "each get has a session with enough time left: %d have not", gaps);
    PROMISE(kills_arrived() == 1, "a renewal is one kill: %d", kills_arrived());
    PROMISE(meanwhile > 0, "gets return while a renewal is under way: %d", meanwhile);
    session = get(provider);
    PROMISE(zelf_session_provider_invalidate(provider, session), "a refused session can be reported");
    forget_requests();
    zelf_session_free(session);
    until = seconds_now() + 5;
    while (requests_arrived() == 0 && seconds_now() < until) usleep(5000);
    PROMISE(requests_arrived() > 0, "after that the client's thread renews it");
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

static void a_renewal_calls_back(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
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
    PROMISE(told.count == 1, "a get without a request does not call it");
    sandbox("POST", "/sandbox/use", "{\"identifier\":\"told-x\"}");
    zelf_session_provider_invalidate(one, first);
    second = get(one);
    PROMISE(told.count == 2 && strcmp(told.last, zelf_session_id(second)) == 0,
            "a renewal calls it once");
    zelf_session_provider_free(one);
    PROMISE(told.destroyed == 0, "its data stays while another provider needs it");
    zelf_session_provider_free(other);
    PROMISE(told.destroyed == 1, "its data is destroyed once, with the last provider");
    PROMISE(replaced.destroyed == 1, "the data of the replaced callback is destroyed once");
    PROMISE(replaced.count == 0, "the replaced callback does not run");
    zelf_session_free(first);
    zelf_session_free(second);
    zelf_client_free(client);
}

/* Reports that a route refused a session. Returns whether the provider then has another one that
   works. */
static int renews(zelf_session_provider *provider, const zelf_session *old)
{
    zelf_session *session;
    int fine;
    zelf_session_provider_invalidate(provider, old);
    session = get(provider);
    fine = is_alive(session) && !is_same(session, old);
    zelf_session_free(session);
    return fine;
}

/* A callback that another thread stops, or that forks. */
struct reporting {
    int count, stops, forks;
    pid_t child;
};

static void on_renewed_stops_or_forks(const zelf_session *session, void *user_data)
{
    struct reporting *reporting = user_data;
    (void)session;
    reporting->count++;
    if (reporting->stops) {
        reporting->stops = 0;
        pthread_barrier_wait(&at_once);
        pthread_barrier_wait(&at_once);
    }
    if (reporting->forks) {
        reporting->forks = 0;
        reporting->child = fork();
        if (reporting->child == 0) alarm(20);
    }
}

static zelf_session_provider *provider_reporting_to(struct reporting *reporting,
                                                    zelf_client *client, const char *identifier)
{
    zelf_provider_options *options = zelf_provider_options_new();
    zelf_provider_options_set_renewed_callback(options, on_renewed_stops_or_forks, reporting, NULL);
    return provider_of(client, identifier, options);
}

static void *gets_and_frees(void *provider)
{
    zelf_session_free(get(provider));
    return NULL;
}

static void a_child_reports_what_it_renews(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    struct reporting reporting = {0, 1, 0, -1};
    zelf_session_provider *provider = provider_reporting_to(&reporting, client, "reporting-x");
    zelf_session *session;
    pthread_t thread;
    pid_t child;

    pthread_barrier_init(&at_once, NULL, 2);
    pthread_create(&thread, NULL, gets_and_frees, provider);
    pthread_barrier_wait(&at_once);
    session = get(provider);
    PROMISE(session != NULL, "a get has the session that is being reported");
    sandbox("POST", "/sandbox/use", "{\"identifier\":\"reporting-x\"}");
    child = fork();
    if (child == 0) {
        alarm(20);
        _exit(renews(provider, session) && reporting.count == 2 ? 7 : 8);
    }
    PROMISE(status_of(child) == 7,
            "a child reports what it renews, although a thread of its parent reported at the fork");
    PROMISE(renews(provider, session) && reporting.count == 1,
            "while a report runs, another thread renews and makes none: %d", reporting.count);
    zelf_session_free(session);
    pthread_barrier_wait(&at_once);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&at_once);
    PROMISE(reporting.count == 2, "the new session is reported after it: %d", reporting.count);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_child_that_is_forked_in_a_report_reports(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    struct reporting reporting = {0, 0, 1, -1};
    zelf_session_provider *provider = provider_reporting_to(&reporting, client, "forking-x");
    zelf_session *session = get(provider);

    if (reporting.child == 0) {
        sandbox("POST", "/sandbox/use", "{\"identifier\":\"forking-x\"}");
        _exit(renews(provider, session) && reporting.count == 2 ? 7 : 8);
    }
    PROMISE(status_of(reporting.child) == 7, "a child that was forked in a report reports");
    PROMISE(renews(provider, session) && reporting.count == 2, "its parent reports too: %d",
            reporting.count);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

struct caller {
    zelf_client *client;
    zelf_request *request;
    zelf_status created, sent;
    int is_done;
};

static void on_renewed_calls(const zelf_session *session, void *data)
{
    struct caller *caller = data;
    zelf_error *error = NULL;
    zelf_session_free(zelf_session_create(caller->client, NULL, &error));
    caller->created = zelf_error_status(error);
    zelf_error_free(error);
    error = NULL;
    zelf_response_free(zelf_session_send(caller->client, session, caller->request, &error));
    caller->sent = zelf_error_status(error);
    zelf_error_free(error);
    set_flag(&caller->is_done, 1);
}

static void a_renewed_callback_on_the_io_thread_cannot_wait(void)
{
    struct caller caller = {0};
    zelf_provider_options *options = zelf_provider_options_new();
    zelf_session_provider *provider;
    int i;

    caller.client = sandbox_client(1, 20000, 1);
    caller.request = zelf_request_new("GET", "/sandbox/echo");
    zelf_provider_options_set_renewed_callback(options, on_renewed_calls, &caller, NULL);
    zelf_provider_options_set_background(options, true);
    provider = provider_of(caller.client, "renewed-calls-x", options);
    for (i = 0; i < 1000 && !get_flag(&caller.is_done); i++) usleep(10000);
    zelf_client_shutdown(caller.client, 5000);
    PROMISE(caller.created == ZELF_ERROR_INVALID_ARGUMENT,
            "a create in a renewed callback on the I/O thread is %s", zelf_status_name(caller.created));
    PROMISE(caller.sent == ZELF_ERROR_INVALID_ARGUMENT, "a send there is %s",
            zelf_status_name(caller.sent));
    zelf_session_provider_free(provider);
    zelf_request_free(caller.request);
    zelf_client_free(caller.client);
}

static void the_client_may_go_first(void)
{
    int round;
    for (round = 0; round < 4; round++) {
        int is_background = round % 2, is_freed = round / 2;
        zelf_client *client = sandbox_client(1, 20000, 1);
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
        PROMISE(is_same(first, second), "the session is handed out after the client is %s%s",
                is_freed ? "freed" : "shut down", is_background ? ", with background" : "");
        zelf_session_provider_invalidate(provider, first);
        status = failure_of(provider);
        PROMISE(status == ZELF_ERROR_SHUT_DOWN, "a renewal then fails with %s",
                zelf_status_name(status));
        PROMISE(!begins(provider, &record), "an asynchronous get does not begin then");
        PROMISE(record.called == 0, "it does not call back");
        PROMISE(record.destroyed == 0, "its data is not destroyed");
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
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_session_provider *provider = provider_of(client, "touch-x", NULL);
    struct sigaction before[32], after[32];
    sigset_t mask_before, mask_after;
    zelf_session *first = get(provider), *session;
    int number, same = 1, kept, got;
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
    got = session != NULL;
    zelf_session_free(session);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (number = 1; number < 32; number++) {
        sigaction(number, NULL, &after[number]);
        same &= before[number].sa_handler == after[number].sa_handler
                && sigismember(&mask_before, number) == sigismember(&mask_after, number);
    }
    PROMISE(got, "a get without a request has a session");
    PROMISE(kept, "it does not change errno");
    PROMISE(same, "it does not change signal handlers and the signal mask");
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

/* Sanitizers replace malloc. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(ZELF_RACES)
void *malloc(size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return real_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (allocations_count >= 0) allocations_count++;
    return real_realloc(old, size);
}

static void a_warm_get_takes_no_memory(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
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
    PROMISE(count == 0, "a thousand gets without a request allocate nothing: %d", count);
    if (!getenv("ZELF_QUICK"))
        PROMISE(some > 0, "allocations are counted: making a provider makes %d", some);
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
    /* The child opens a new connection, and another one for the kill. */
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
        zelf_client *client = sandbox_client(1, 20000, 1);
        zelf_provider_options *options = zelf_provider_options_new();
        const char *kind = is_background ? " of a provider with background" : "";
        zelf_session_provider *provider;
        zelf_session *first, *second;
        struct told told = {0};
        pid_t child;
        int end;

        zelf_provider_options_set_background(options, is_background);
        zelf_provider_options_set_renewed_callback(options, on_renewed, &told, on_told_destroy);
        provider = provider_of(client, "child-x", options);
        first = get(provider);
        fflush(stdout);
        child = fork();
        if (child == 0) {
            end = goes_on(provider, first);
            zelf_client_free(client);
            _exit(told.destroyed == 0 ? end : 9);
        }
        end = status_of(child);
        PROMISE(end != 9, "a forked child%s destroys no data of its parent's", kind);
        PROMISE(end == 7, "it has its parent's session, and renews it over new connections%s: %d",
                kind, end);
        PROMISE(zelf_session_provider_invalidate(provider, first),
                "the parent still has the old session%s", kind);
        second = get(provider);
        PROMISE(is_alive(second), "the parent's next get has a session that works%s", kind);
        zelf_session_free(first);
        zelf_session_free(second);
        zelf_session_provider_free(provider);
        zelf_client_shutdown(client, 5000);
        zelf_client_free(client);
        PROMISE(told.destroyed == 1, "the parent destroys the data once%s", kind);
    }
}

static void without_a_lock_file_the_log_says_so(void)
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
    log_has = "other processes may renew at the same time";
    provider = provider_of(client, "lockless-x", NULL);
    session = get(provider);
    PROMISE(is_alive(session) && log_count == 1, "without a lock file the log says so once");
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
    a_session_that_another_process_has_renewed_is_adopted();
    never_kill_never_kills();
    early_kills_before_the_end();
    ghosts_are_an_error();
    a_refused_session_is_replaced_once();
    an_answer_that_refuses_the_session_invalidates_it();
    a_failure_leaves_a_session_that_is_good();
    an_asynchronous_get_calls_back_once();
    an_asynchronous_get_that_times_out_is_a_failed_renewal();
    a_kill_that_was_cancelled_is_waited_for();
    in_the_background_no_get_waits();
    a_renewal_calls_back();
    a_renewed_callback_on_the_io_thread_cannot_wait();
    the_client_may_go_first();
    a_warm_get_touches_nothing();
    a_warm_get_takes_no_memory();
    without_a_lock_file_the_log_says_so();
    /* A sanitizer's allocator may stay locked in the child of a process with threads. */
    if (!getenv("ZELF_QUICK")) {
        a_child_goes_on();
        a_child_reports_what_it_renews();
        a_child_that_is_forked_in_a_report_reports();
    }
    no_thread_is_left();
    return check_failed;
}
