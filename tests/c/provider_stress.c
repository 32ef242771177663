/* Random gets, refusals, asynchronous gets, cancels, frees, shutdowns and forks around providers,
   from several threads against a faulty server. Every count must be exact at the end. Arguments:
   the number of steps, and the seed. */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"

#define THREADS 3
#define PLACES 4
#define IN_FLIGHT 500
#define OWN_CALLS 16

#include "holders.h"

static long long steps_left;
static long started, refused, called, destroyed, sessions, cancelled, other, bad;
static long gets_made, handed_out, refusals, shutdowns, frees, children, made, told, told_destroyed;

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)
#define NOW(counter) __sync_fetch_and_add(&(counter), 0)

static void bad_at(int line)
{
    COUNT(bad);
    fprintf(stderr, "out of order: line %d\n", line);
}

static uint32_t next(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static int one_in(uint32_t *random, uint32_t chance) { return next(random) % chance == 0; }

static void on_renewed(const zelf_session *session, void *user_data)
{
    (void)user_data;
    COUNT(told);
    if (!zelf_session_token(session)) bad_at(__LINE__);
}

static void on_told_destroy(void *user_data)
{
    COUNT(told_destroyed);
    free(user_data);
}

static struct holder *make(int place)
{
    static const zelf_renewal renewals[PLACES] = {ZELF_RENEWAL_AT_EXPIRY, ZELF_RENEWAL_AT_EXPIRY,
                                                  ZELF_RENEWAL_EARLY, ZELF_RENEWAL_NEVER_KILL};
    struct holder *holder = calloc(1, sizeof *holder);
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_options *options;
    char identifier[32];

    snprintf(identifier, sizeof identifier, "provider-stress-x-%c", 'a' + place);
    options = options_for(identifier);
    zelf_provider_options_set_min_valid_s(how, 3);
    zelf_provider_options_set_renewal(how, renewals[place]);
    zelf_provider_options_set_background(how, place % 2 == 1);
    zelf_provider_options_set_renewed_callback(how, on_renewed, malloc(1), on_told_destroy);
    holder->users = 1;
    holder->client = sandbox_client(place % 2, 3000, 2);
    holder->provider = zelf_session_provider_new(holder->client, options, how, NULL);
    if (!holder->provider) bad_at(__LINE__);
    COUNT(made);
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    return holder;
}

struct call {
    int called;
};

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct call *call = user_data;
    COUNT(called);
    if (call->called++ || !session == !error) bad_at(__LINE__);
    if (session) COUNT(sessions);
    else if (zelf_error_status(error) == ZELF_ERROR_CANCELLED) COUNT(cancelled);
    else COUNT(other);
    if (zelf_error_status(error) == ZELF_ERROR_PANIC) bad_at(__LINE__);
    if (session && !zelf_session_token(session)) bad_at(__LINE__);
    zelf_session_free(session);
    zelf_error_free(error);
}

static void on_destroy(void *user_data)
{
    struct call *call = user_data;
    COUNT(destroyed);
    if (call->called != 1) bad_at(__LINE__);
    free(call);
}

static zelf_call *start(zelf_session_provider *provider)
{
    struct call *call = calloc(1, sizeof *call);
    zelf_call *handle = zelf_session_provider_get_async(provider, on_session, call, on_destroy, NULL);
    if (handle) COUNT(started);
    else {
        COUNT(refused);
        if (call->called) bad_at(__LINE__);
        free(call);
    }
    return handle;
}

static int in_child(zelf_session_provider *provider)
{
    zelf_error *error = NULL;
    zelf_session *session;
    zelf_status status;
    alarm(60);
    session = zelf_session_provider_get(provider, &error);
    status = zelf_error_status(error);
    if (!session == !error || status == ZELF_ERROR_PANIC) return 8;
    zelf_session_provider_invalidate(provider, session);
    zelf_session_free(session);
    zelf_error_free(error);
    error = zelf_session_provider_last_error(provider);
    zelf_error_free(error);
    error = NULL;
    session = zelf_session_provider_get(provider, &error);
    status = zelf_error_status(error);
    if (!session == !error || status == ZELF_ERROR_PANIC) return 8;
    zelf_session_free(session);
    zelf_error_free(error);
    return 7;
}

static void step(uint32_t *random, zelf_call **own)
{
    int place = (int)(next(random) % PLACES);
    zelf_call **call = &own[next(random) % OWN_CALLS];
    uint32_t what = next(random) % 100000;
    struct holder *holder = enter(place);
    zelf_error *error = NULL;

    if (what < 70000) {
        zelf_session *session = zelf_session_provider_get(holder->provider, &error);
        COUNT(gets_made);
        if (!session == !error || zelf_error_status(error) == ZELF_ERROR_PANIC
            || zelf_error_status(error) == ZELF_ERROR_FORKED)
            bad_at(__LINE__);
        if (session) COUNT(handed_out);
        if (session && !zelf_session_token(session)) bad_at(__LINE__);
        if (session && one_in(random, 400)) {
            COUNT(refusals);
            zelf_session_provider_invalidate(holder->provider, session);
        }
        zelf_session_free(session);
    } else if (what < 80000) {
        error = zelf_session_provider_last_error(holder->provider);
        if (error && !zelf_error_message(error)) bad_at(__LINE__);
    } else if (what < 92000) {
        if (NOW(started) - NOW(destroyed) > IN_FLIGHT) usleep(500);
        else {
            zelf_call_free(*call);
            *call = start(holder->provider);
            if (one_in(random, 2)) zelf_call_cancel(*call);
        }
    } else if (what < 99900) {
        zelf_call_cancel(*call);
        zelf_call_free(*call);
        *call = NULL;
    } else if (what < 99920) {
        COUNT(shutdowns);
        zelf_client_shutdown(holder->client, next(random) % 20);
    } else if (what < 99960) {
        struct holder *fresh = make(place), *old;
        COUNT(frees);
        pthread_mutex_lock(&places_lock);
        old = places[place];
        places[place] = fresh;
        pthread_mutex_unlock(&places_lock);
        leave(old, one_in(random, 2));
    } else if (!getenv("ZELF_QUICK")) {
        /* A sanitizer's allocator may stay locked in the child of a process with threads, and
           valgrind reports the memory that the child inherits as lost. */
        int status = 0;
        pid_t child = fork();
        if (child == 0) _exit(in_child(holder->provider));
        COUNT(children);
        while (waitpid(child, &status, 0) == -1 && errno == EINTR) continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
            fprintf(stderr, "a child ended with %x\n", (unsigned)status);
            bad_at(__LINE__);
        }
    }
    zelf_error_free(error);
    leave(holder, one_in(random, 2));
}

static void *work(void *seed)
{
    uint32_t random = (uint32_t)(size_t)seed;
    zelf_call *own[OWN_CALLS] = {0};
    int i;
    while (__sync_fetch_and_sub(&steps_left, 1) > 0) step(&random, own);
    for (i = 0; i < OWN_CALLS; i++) zelf_call_free(own[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    long long steps = argc > 1 ? atoll(argv[1]) : 100000;
    long seed = argc > 2 ? atol(argv[2]) : 20261127;
    int descriptors, i;

    fault("[{\"kind\":\"reset\",\"stage\":\"request\",\"share\":0.05,\"seed\":1},"
          "{\"kind\":\"close\",\"stage\":\"body\",\"share\":0.05,\"seed\":2},"
          "{\"kind\":\"answer\",\"status\":503,\"share\":0.05,\"seed\":3},"
          "{\"kind\":\"delay\",\"ms\":20,\"share\":0.1,\"seed\":5}]");
    descriptors = entries("/proc/self/fd");
    steps_left = steps;
    for (i = 0; i < PLACES; i++) places[i] = make(i);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(size_t)(seed * 31 + i * 7919 + 1));
    for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (i = 0; i < PLACES; i++) {
        if (zelf_client_shutdown(places[i]->client, 20000) != ZELF_OK) bad_at(__LINE__);
        leave(places[i], i % 2);
    }
    /* Clients that were freed and not shut down end by themselves. */
    for (i = 0; i < 2000 && (NOW(destroyed) < started || threads_alive() > 1); i++) usleep(10000);

    PROMISE(NOW(called) == started, "seed %ld: %ld gets began, and %ld called back", seed, started,
            called);
    PROMISE(destroyed == started, "%ld gets began, and the data of %ld was destroyed", started,
            destroyed);
    PROMISE(sessions + cancelled + other == started,
            "each had one outcome: %ld sessions, %ld cancelled, %ld failed (%ld did not begin)",
            sessions, cancelled, other, refused);
    PROMISE(bad == 0, "nothing out of order among %ld gets (%ld sessions), %ld refusals, "
            "%ld shutdowns, %ld frees, %ld children: %ld", gets_made, handed_out, refusals, shutdowns,
            frees, children, bad);
    PROMISE(handed_out > 0, "some blocking gets had sessions: %ld", handed_out);
    PROMISE(sessions > 0, "some asynchronous gets had sessions: %ld", sessions);
    PROMISE(refusals > 0, "some sessions were reported as refused: %ld", refusals);
    PROMISE(told > 0, "some renewals called back: %ld", told);
    PROMISE(told_destroyed == made, "each of %ld providers frees its callback's data: %ld", made,
            told_destroyed);
    PROMISE(threads_alive() == 1, "no thread is left: %d", threads_alive() - 1);
#ifndef ZELF_RACES /* ThreadSanitizer opens some too */
    PROMISE(entries("/proc/self/fd") == descriptors, "no descriptor is left: %d",
            entries("/proc/self/fd") - descriptors);
#endif
    fault(NULL);
    return check_failed;
}
