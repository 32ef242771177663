/* Rounds of everything at once: blocking and asynchronous calls, requests, providers, cancels,
   frees, shutdowns and forks on several threads, against faults that a seed chooses. At the end of
   each round everything is freed, and nothing may be left.
   Arguments: the number of seconds, and the seed of the first round. Each further round uses the
   next seed, so a failed round can be repeated with its seed. */
#include "soak.h"

#define PLACES 3
#define MOST_THREADS 6
#define OWN_CALLS 12
#define IN_FLIGHT 150
#define STEPS 250
#define ROUND_SECONDS 6.0
/* The heap may grow in the first rounds, because many things are allocated at their first use. */
#define WARM_UP_ROUNDS 4
#define HEAP_TOLERANCE (64 * 1024)

#include "holders.h"

static uint32_t round_seed;
static double round_ends;
static long steps, started, refused, called, destroyed, children, clients, shutdowns, blocking,
    sent, gets_made, good, data_made, data_destroyed;

static void *new_data(void)
{
    COUNT(data_made);
    return malloc(16);
}

static void on_data_destroy(void *data)
{
    COUNT(data_destroyed);
    free(data);
}

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level;
    (void)user_data;
    if (strstr(message, "eyJ")) bad_at(__LINE__, "a token in the log");
}

static void on_renewed(const zelf_session *session, void *user_data)
{
    (void)user_data;
    if (!zelf_session_token(session)) bad_at(__LINE__, "a renewed session without a token");
}

/* ---- Clients and providers ---- */

static zelf_client *new_client(uint32_t *random, uint32_t timeout_ms, int by_host)
{
    int tls = one_in(random, 2);
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_error *error = NULL;
    zelf_config_set_base_url(config, need_env(tls ? "ZELF_HTTPS" : "ZELF_HTTP"));
    if (tls) zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    zelf_config_set_timeout_ms(config, timeout_ms);
    zelf_config_set_max_attempts(config, from_to(random, 1, 3));
    zelf_config_set_dispatch(config, by_host);
    if (one_in(random, 2))
        zelf_config_set_log_callback(config, on_log, new_data(), on_data_destroy, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) bad_at(__LINE__, zelf_error_message(error));
    zelf_error_free(error);
    COUNT(clients);
    return client;
}

static struct holder *make(uint32_t *random)
{
    static const zelf_renewal renewals[] = {ZELF_RENEWAL_AT_EXPIRY, ZELF_RENEWAL_EARLY,
                                            ZELF_RENEWAL_NEVER_KILL};
    struct holder *holder = calloc(1, sizeof *holder);
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_options *options;
    char identifier[32];

    holder->users = 1;
    holder->by_host = one_in(random, 4);
    holder->timeout_ms = from_to(random, 300, 3000);
    holder->client = new_client(random, holder->timeout_ms, holder->by_host);
    snprintf(identifier, sizeof identifier, "soak-provider-%c", 'a' + (int)(next(random) % 6));
    options = options_for(identifier);
    zelf_provider_options_set_min_valid_s(how, from_to(random, 1, 4));
    zelf_provider_options_set_renewal(how, renewals[next(random) % 3]);
    zelf_provider_options_set_background(how, one_in(random, 2));
    if (one_in(random, 2))
        zelf_provider_options_set_renewed_callback(how, on_renewed, new_data(), on_data_destroy);
    holder->provider = zelf_session_provider_new(holder->client, options, how, NULL);
    if (!holder->provider) bad_at(__LINE__, "a provider can be made");
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    return holder;
}

static void replace(int place, struct holder *fresh, uint32_t *random)
{
    struct holder *old;
    pthread_mutex_lock(&places_lock);
    old = places[place];
    places[place] = fresh;
    pthread_mutex_unlock(&places_lock);
    if (old) leave(old, one_in(random, 2));
}

/* ---- Asynchronous calls ---- */

struct call {
    int called, by_host;
    uint32_t random;
    double until;
};

static zelf_call *start(struct holder *holder, uint32_t *random);

/* The possible actions of a host in a callback. */
static void act_in_callback(uint32_t *random)
{
    struct holder *holder = enter((int)(next(random) % PLACES));
    if (!holder) return;
    switch (next(random) % 3) {
    case 0: zelf_call_free(start(holder, random)); break;
    case 1: zelf_client_dispatch(holder->client); break;
    default: zelf_client_shutdown(holder->client, 0);
    }
    leave(holder, one_in(random, 2));
}

static void has_called(struct call *call, const void *result, zelf_error *error)
{
    COUNT(called);
    if (call->called++ || !result == !error) bad_at(__LINE__, "a callback's arguments");
    if (!call->by_host && seconds_now() > call->until) bad_at(__LINE__, "a callback comes late");
    if (result) COUNT(good);
    look_at(error);
    zelf_error_free(error);
    if (one_in(&call->random, 25)) act_in_callback(&call->random);
}

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    if (session && !zelf_session_token(session)) bad_at(__LINE__, "a session without a token");
    has_called(user_data, session, error);
    zelf_session_free(session);
}

static void on_response(zelf_response *response, zelf_error *error, void *user_data)
{
    has_called(user_data, response, error);
    zelf_response_free(response);
}

static void on_destroy(void *user_data)
{
    struct call *call = user_data;
    if (call->called != 1) bad_at(__LINE__, "destroy before the callback, or a second one");
    free(call);
    COUNT(destroyed);
}

static zelf_session_options *some_options(uint32_t *random)
{
    char identifier[32];
    zelf_session_options *options;
    snprintf(identifier, sizeof identifier, "soak-x-%c", 'a' + (int)(next(random) % 8));
    options = options_for(identifier);
    if (one_in(random, 10)) zelf_session_options_set_kill_session(options, true);
    return options;
}

static zelf_request *some_request(uint32_t *random, uint32_t timeout_ms)
{
    static const char *const targets[] = {
        "/api/zelf-name-service/v2/search?zelfName=abc.zelf", "/api/tags/search?tagName=a",
        "/sandbox/bytes/300000", "/sandbox/bytes/5000?framing=chunked&piece=700&pause_ms=1",
        "/sandbox/bytes/100?short=5", "/sandbox/echo", "/sandbox/echo?check=session"};
    static const char body[40000] = {'{', '}'};
    uint32_t which = next(random) % (sizeof targets / sizeof *targets);
    zelf_request *request = zelf_request_new(which > 4 ? "POST" : "GET", targets[which]);
    if (which > 4)
        zelf_request_set_body(request, body, one_in(random, 2) ? 2 : sizeof body, "text/plain");
    zelf_request_set_timeout_ms(request, timeout_ms);
    zelf_request_set_repeatable(request, one_in(random, 2));
    return request;
}

static zelf_call *start(struct holder *holder, uint32_t *random)
{
    struct call *call = calloc(1, sizeof *call);
    zelf_session_options *options = some_options(random);
    zelf_request *request = some_request(random, holder->timeout_ms);
    zelf_error *error = NULL;
    zelf_call *handle;
    call->random = next(random) | 1;
    call->by_host = holder->by_host;
    call->until = seconds_now() + holder->timeout_ms / 1000.0 + MARGIN;
    /* Counted before the start, because a callback may come first. */
    COUNT(started);
    switch (next(random) % 3) {
    case 0:
        handle = zelf_session_create_async(holder->client, options, on_session, call, on_destroy, &error);
        break;
    case 1:
        handle = zelf_session_provider_get_async(holder->provider, on_session, call, on_destroy, &error);
        break;
    default:
        handle = zelf_session_provider_send_async(holder->provider, request, on_response, call, on_destroy, &error);
    }
    zelf_session_options_free(options);
    zelf_request_free(request);
    if (!handle) {
        __sync_fetch_and_sub(&started, 1);
        COUNT(refused);
        look_at(error);
        zelf_error_free(error);
        free(call);
    }
    return handle;
}

/* ---- Forks ---- */

/* Frees in a child what it inherits, and makes a client there. */
static int in_child(struct holder *inherited, zelf_call *call, uint32_t random)
{
    struct holder own = {0};
    zelf_session_options *options = some_options(&random);
    zelf_session *session;
    zelf_error *error = NULL;
    int fine;

    alarm(60);
    if (one_in(&random, 2)) {
        session = zelf_session_provider_get(inherited->provider, &error);
        look_at(error);
        zelf_session_free(session);
        zelf_error_free(error);
        error = NULL;
    }
    zelf_call_cancel(call);
    zelf_call_free(call);
    zelf_session_provider_free(inherited->provider);
    zelf_client_free(inherited->client);

    own.timeout_ms = 2000;
    own.client = new_client(&random, own.timeout_ms, 0);
    own.provider = zelf_session_provider_new(own.client, options, NULL, NULL);
    session = zelf_session_create(own.client, options, &error);
    fine = !session != !error;
    look_at(error);
    zelf_session_free(session);
    zelf_error_free(error);
    started = called = destroyed = 0;
    zelf_call_free(start(&own, &random));
    fine &= zelf_client_shutdown(own.client, 20000) == ZELF_OK && NOW(called) == NOW(started)
            && NOW(destroyed) == NOW(started);
    zelf_session_provider_free(own.provider);
    zelf_client_free(own.client);
    zelf_session_options_free(options);
    return fine && NOW(bad) == 0 ? 7 : 8;
}

static void fork_one(struct holder *holder, zelf_call *call, uint32_t *random)
{
    int status = 0;
    uint32_t seed = next(random) | 1;
    pid_t child;
    /* A sanitizer's allocator may stay locked in the child of a process with threads. */
    if (getenv("ZELF_QUICK")) return;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        bad = 0;
        pthread_mutex_init(&places_lock, NULL);
        memset(places, 0, sizeof places);
        _exit(in_child(holder, call, seed));
    }
    COUNT(children);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR) continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
        fprintf(stderr, "a child of seed %u ended with %x\n", seed, (unsigned)status);
        bad_at(__LINE__, "a child");
    }
}

/* ---- The steps of a thread ---- */

struct worker {
    pthread_t thread;
    uint32_t random;
    struct doing doing;
};

static void block(struct worker *worker, struct holder *holder)
{
    uint32_t *random = &worker->random;
    double limit = holder->timeout_ms / 1000.0;
    zelf_session *session = NULL;
    zelf_response *response = NULL;
    zelf_error *error = NULL;
    zelf_session_options *options = some_options(random);
    zelf_request *request = some_request(random, holder->timeout_ms);

    switch (next(random) % 4) {
    case 0:
        COUNT(blocking);
        begin(&worker->doing, "zelf_session_create", limit);
        session = zelf_session_create(holder->client, options, &error);
        break;
    case 1:
        COUNT(sent);
        begin(&worker->doing, "zelf_session_provider_send", limit);
        response = zelf_session_provider_send(holder->provider, request, &error);
        break;
    default:
        COUNT(gets_made);
        begin(&worker->doing, "zelf_session_provider_get", limit);
        session = zelf_session_provider_get(holder->provider, &error);
        if (session && one_in(random, 8)) zelf_session_provider_invalidate(holder->provider, session);
        if (session && one_in(random, 4)) {
            begin(&worker->doing, "zelf_session_send", limit);
            response = zelf_session_send(holder->client, session, request, NULL);
        }
    }
    if (is_late(&worker->doing)) bad_at(__LINE__, "a call ends late");
    end(&worker->doing);
    if ((!session && !response) == !error) bad_at(__LINE__, "either a result or an error");
    if (session || response) COUNT(good);
    look_at(error);
    zelf_error_free(error);
    zelf_session_free(session);
    zelf_response_free(response);
    zelf_session_options_free(options);
    zelf_request_free(request);
}

static void step(struct worker *worker, zelf_call **own)
{
    uint32_t *random = &worker->random, timeout, what;
    int place = (int)(next(random) % PLACES);
    zelf_call **call = &own[next(random) % OWN_CALLS];
    struct holder *holder = enter(place);
    zelf_error *error;

    COUNT(steps);
    what = next(random) % 1000;
    if (what < 150) block(worker, holder);
    else if (what < 500) {
        if (NOW(started) - NOW(destroyed) < IN_FLIGHT) {
            zelf_call_free(*call);
            *call = start(holder, random);
        } else usleep(1000);
        if (one_in(random, 3)) zelf_call_cancel(*call);
    } else if (what < 700) {
        zelf_call_cancel(*call);
        zelf_call_free(*call);
        *call = NULL;
    } else if (what < 850) {
        begin(&worker->doing, "zelf_client_dispatch", 0);
        zelf_client_dispatch(holder->client);
        end(&worker->doing);
    } else if (what < 940) {
        error = zelf_session_provider_last_error(holder->provider);
        look_at(error);
        zelf_error_free(error);
    } else if (what < 960) {
        COUNT(shutdowns);
        timeout = next(random) % 30;
        begin(&worker->doing, "zelf_client_shutdown", timeout / 1000.0 + 0.1);
        zelf_client_shutdown(holder->client, timeout);
        end(&worker->doing);
    } else if (what < 990) {
        begin(&worker->doing, "zelf_client_free", 0);
        replace(place, make(random), random);
        end(&worker->doing);
    } else {
        begin(&worker->doing, "a child", 60);
        fork_one(holder, *call, random);
        end(&worker->doing);
    }
    begin(&worker->doing, "zelf_session_provider_free", 0);
    leave(holder, one_in(random, 2));
    end(&worker->doing);
}

static void *work(void *worker)
{
    zelf_call *own[OWN_CALLS] = {0};
    int i;
    for (i = 0; i < STEPS && seconds_now() < round_ends; i++) step(worker, own);
    for (i = 0; i < OWN_CALLS; i++) zelf_call_free(own[i]);
    return NULL;
}

/* ---- Rounds ---- */

static const char *const faults[] = {
    "\"kind\":\"reset\",\"stage\":\"request\"", "\"kind\":\"reset\",\"stage\":\"accept\"",
    "\"kind\":\"reset\",\"stage\":\"tls\"", "\"kind\":\"close\",\"stage\":\"body\"",
    "\"kind\":\"close\",\"stage\":\"answer\"", "\"kind\":\"close\",\"stage\":\"half_head\"",
    "\"kind\":\"close\",\"stage\":\"upload\"", "\"kind\":\"stall\",\"stage\":\"request\"",
    "\"kind\":\"stall\",\"stage\":\"body\"", "\"kind\":\"truncate\"", "\"kind\":\"garbage\"",
    "\"kind\":\"answer\",\"status\":503", "\"kind\":\"refusal\",\"as\":\"not_active\"",
    "\"kind\":\"answer\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"}",
    "\"kind\":\"refusal\",\"as\":\"bad_gateway\"", "\"kind\":\"redirect\"",
    "\"kind\":\"oversized_body\",\"bytes\":3000000,\"chunked\":true",
    "\"kind\":\"oversized_headers\",\"bytes\":100000,\"line\":8000",
    "\"kind\":\"drip\",\"ms\":3", "\"kind\":\"framing\",\"as\":\"until_close\"",
    "\"kind\":\"framing\",\"as\":\"chunked\"", "\"kind\":\"delay\",\"ms\":20",
    "\"kind\":\"delay\",\"ms\":400", "\"kind\":\"missing_date\"",
    "\"kind\":\"unasked\",\"ms\":5,\"text\":\"HTTP/1.1 408 X\\r\\n\\r\\n\"",
    "\"kind\":\"header\",\"name\":\"Connection\",\"value\":\"close\"",
    "\"kind\":\"clock_skew\",\"seconds\":-3600",
    "\"kind\":\"patch\",\"body\":{\"data\":{\"expiresAt\":null}}",
    "\"kind\":\"claims\",\"claims\":{\"identifier\":\"other\"}",
    "\"kind\":\"certificate\",\"wrong\":\"expired\",\"listener\":\"https\""};

static void arm_faults(uint32_t *random)
{
    char json[4096] = "[";
    uint32_t count = from_to(random, 2, 6), i;
    for (i = 0; i < count; i++) {
        size_t used = strlen(json);
        snprintf(json + used, sizeof json - used, "%s{%s,\"share\":0.%02u,\"seed\":%u}", i ? "," : "",
                 faults[next(random) % (sizeof faults / sizeof *faults)], from_to(random, 2, 12),
                 next(random) % 1000);
    }
    strcat(json, "]");
    fprintf(stderr, "seed %u: faults %s\n", round_seed, json);
    fault(json);
}

/* Returns whether all activity has ended. Clients that were freed and not shut down end by
   themselves, and a renewal on their thread continues until its time limit. */
static int is_at_rest(void)
{
    return NOW(destroyed) == NOW(started) && NOW(data_destroyed) == NOW(data_made)
           && threads_alive() == 1;
}

static void end_round(uint32_t *random)
{
    int place, i;
    for (place = 0; place < PLACES; place++) {
        struct holder *holder = enter(place);
        if (one_in(random, 2) && zelf_client_shutdown(holder->client, 20000) != ZELF_OK)
            bad_at(__LINE__, "a client can be shut down");
        leave(holder, 0);
        replace(place, NULL, random);
    }
    for (i = 0; i < 3000 && !is_at_rest(); i++) usleep(10000);
}

static void join(struct worker *workers, int count)
{
    int i, other;
    for (i = 0; i < count; i++)
        while (pthread_tryjoin_np(workers[i].thread, NULL) == EBUSY) {
            for (other = 0; other < count; other++)
                if (is_late(&workers[other].doing)) {
                    PROMISE(0, "seed %u: no call hangs", round_seed);
                    abort();
                }
            usleep(20000);
        }
}

static void run_round(void)
{
    static struct worker workers[MOST_THREADS];
    uint32_t random = round_seed * 2654435761u + 1;
    int count, i;

    next(&random);
    count = (int)from_to(&random, 2, MOST_THREADS);
    arm_faults(&random);
    for (i = 0; i < PLACES; i++) replace(i, make(&random), &random);
    round_ends = seconds_now() + ROUND_SECONDS;
    for (i = 0; i < count; i++) {
        workers[i].random = next(&random) | 1;
        pthread_mutex_init(&workers[i].doing.lock, NULL);
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    join(workers, count);
    end_round(&random);
}

int main(int argc, char **argv)
{
    double until = seconds_now() + (argc > 1 ? atof(argv[1]) : 60), began;
    uint32_t first_seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    int descriptors, rounds = 0, is_left = 0;
    size_t heap = 0, warm = 0, highest = 0;

    count_each_allocation(argv);
    fault(NULL);
    descriptors = entries("/proc/self/fd");
    for (round_seed = first_seed; seconds_now() < until && !bad && !is_left; round_seed++) {
        began = seconds_now();
        run_round();
        rounds++;
        heap = heap_in_use();
        fprintf(stderr,
                "seed %u: round %d, %.1f s: %ld steps, %ld blocking calls, %ld gets, %ld requests, "
                "%ld asynchronous calls (%ld refused), %ld good, %ld clients, %ld shutdowns, %ld children; "
                "at rest: heap %zu, resident %ld KiB, %d descriptors, %d threads\n",
                round_seed, rounds, seconds_now() - began, steps, blocking, gets_made, sent, started,
                refused, good, clients, shutdowns, children, heap, resident_kib(),
                entries("/proc/self/fd"), threads_alive());
        if (rounds <= WARM_UP_ROUNDS && heap > warm) warm = heap;
        if (heap > highest) highest = heap;
        is_left = !is_at_rest() || entries("/proc/self/fd") != descriptors;
    }
    round_seed--;
    fault(NULL);
    PROMISE(bad == 0, "seeds %u to %u, %d rounds: nothing is out of order: %ld, first in line %d",
            first_seed, round_seed, rounds, bad, first_bad_line);
    PROMISE(called == started && destroyed == started,
            "%ld asynchronous calls were started, %ld called back, %ld were destroyed", started,
            called, destroyed);
    PROMISE(data_destroyed == data_made, "%ld callbacks' data was set, %ld destroyed", data_made,
            data_destroyed);
    PROMISE(threads_alive() == 1, "no thread is left: %d", threads_alive() - 1);
#ifndef ZELF_RACES /* ThreadSanitizer opens some */
    PROMISE(entries("/proc/self/fd") == descriptors, "no descriptor is left: %d",
            entries("/proc/self/fd") - descriptors);
#endif
    PROMISE(highest <= warm + HEAP_TOLERANCE,
            "the heap is %zu bytes at most, and was %zu after %d rounds", highest, warm,
            WARM_UP_ROUNDS);
    PROMISE(good > 0 && refused > 0 && shutdowns > 0 && steps > 0,
            "calls succeed, calls are refused, and clients are shut down");
    return check_failed;
}
