/* Random starts, cancels, frees, shutdowns and forks from several threads against a faulty server.
   Every count must be exact at the end. Arguments: the number of steps (default: a million), and
   the seed. */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"

#define THREADS 3
#define CLIENTS 4
#define IN_FLIGHT 1500
#define OWN_CALLS 64

/* Threads deliberately free clients that other threads use. The header forbids it. The library
   tolerates it until 256 other clients have been freed. */
static zelf_client *clients[CLIENTS];
static long long steps_left;
static long started, refused, called, destroyed, sessions, cancelled, other, children, bad;
static long blocking, shutdowns, frees;

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)
#define NOW(counter) __sync_fetch_and_add(&(counter), 0)

static void bad_at(int line)
{
    COUNT(bad);
    fprintf(stderr, "out of order: line %d\n", line);
}

struct call {
    int called;
};

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct call *call = user_data;
    zelf_status status = zelf_error_status(error);
    COUNT(called);
    if (call->called++ || !session == !error) bad_at(__LINE__);
    if (session) COUNT(sessions);
    else if (status == ZELF_ERROR_CANCELLED) COUNT(cancelled);
    else COUNT(other);
    if (status == ZELF_ERROR_PANIC || (session && !zelf_session_token(session))) bad_at(__LINE__);
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

static uint32_t next(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static int one_in(uint32_t *random, uint32_t chance) { return next(random) % chance == 0; }

static void name(char *into, size_t size, uint32_t *random)
{
    snprintf(into, size, "stress-x-%c%c", 'a' + (int)(next(random) % 8), 'a' + (int)(next(random) % 8));
}

static zelf_client *replace_client(int slot)
{
    return __atomic_exchange_n(&clients[slot], sandbox_client(slot % 2, 5000, 2), __ATOMIC_ACQ_REL);
}

static zelf_call *start(zelf_client *client, uint32_t *random)
{
    struct call *call = calloc(1, sizeof *call);
    char identifier[32];
    zelf_session_options *options;
    zelf_call *handle;
    name(identifier, sizeof identifier, random);
    options = options_for(identifier);
    handle = zelf_session_create_async(client, options, on_session, call, on_destroy, NULL);
    zelf_session_options_free(options);
    if (handle) COUNT(started);
    else {
        COUNT(refused);
        if (call->called) bad_at(__LINE__);
        free(call);
    }
    return handle;
}

static int in_child(zelf_client *client)
{
    zelf_error *error = NULL;
    zelf_call *call;
    zelf_session *session;
    int fine;
    alarm(60);
    call = zelf_session_create_async(client, NULL, on_session, calloc(1, sizeof(struct call)),
                                     on_destroy, &error);
    /* At the fork, the client may have been freed, shut down or new. */
    fine = call || zelf_error_status(error) == ZELF_ERROR_FORKED
           || zelf_error_status(error) == ZELF_ERROR_SHUT_DOWN
           || zelf_error_status(error) == ZELF_ERROR_INVALID_ARGUMENT;
    if (!fine) fprintf(stderr, "a child: %s\n", zelf_error_message(error));
    zelf_error_free(error);
    session = create(client, "stress-child-x", NULL);
    zelf_session_free(session);
    zelf_client_free(client);
    return fine ? 7 : 8;
}

static void step(uint32_t *random, zelf_call **own)
{
    int slot = (int)(next(random) % CLIENTS);
    zelf_client *client = __atomic_load_n(&clients[slot], __ATOMIC_ACQUIRE);
    zelf_call **call = &own[next(random) % OWN_CALLS];
    uint32_t what = next(random) % 100000;

    if (what < 45000) {
        if (NOW(started) - NOW(destroyed) > IN_FLIGHT) {
            usleep(500);
            return;
        }
        zelf_call_free(*call);
        *call = start(client, random);
        /* Most calls do not reach the network, because the sandbox would limit the speed. */
        if (!one_in(random, 6)) zelf_call_cancel(*call);
    } else if (what < 80000) {
        zelf_call_cancel(*call);
    } else if (what < 99800) {
        zelf_call_free(*call);
        *call = NULL;
    } else if (what < 99900) {
        COUNT(blocking);
        zelf_session_free(create(client, "stress-blocking-x", NULL));
    } else if (what < 99915) {
        COUNT(shutdowns);
        zelf_client_shutdown(client, next(random) % 20);
    } else if (what < 99950) {
        /* When two threads replace one client, each frees the client that it took out. */
        zelf_client *old = replace_client(slot);
        COUNT(frees);
        if (one_in(random, 2)) zelf_client_shutdown(old, 5);
        zelf_client_free(old);
    } else if (what < 99999) {
        int status = 0;
        pid_t child;
        /* AddressSanitizer's allocator may stay locked in the child of a process with threads, and
           valgrind reports the memory that the child inherits as lost. */
        if (getenv("ZELF_QUICK")) return;
        child = fork();
        if (child == 0) _exit(in_child(client));
        COUNT(children);
        while (waitpid(child, &status, 0) == -1 && errno == EINTR) continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
            fprintf(stderr, "a child ended with %x\n", (unsigned)status);
            bad_at(__LINE__);
        }
    } else {
        usleep(2000);
    }
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
    long long steps = argc > 1 ? atoll(argv[1]) : 1000000;
    long seed = argc > 2 ? atol(argv[2]) : 20261123;
    int descriptors, i;

    fault("[{\"kind\":\"reset\",\"stage\":\"request\",\"share\":0.05,\"seed\":1},"
          "{\"kind\":\"close\",\"stage\":\"body\",\"share\":0.05,\"seed\":2},"
          "{\"kind\":\"answer\",\"status\":503,\"share\":0.05,\"seed\":3},"
          "{\"kind\":\"garbage\",\"share\":0.02,\"seed\":4},"
          "{\"kind\":\"delay\",\"ms\":20,\"share\":0.1,\"seed\":5}]");
    descriptors = entries("/proc/self/fd");
    steps_left = steps;
    for (i = 0; i < CLIENTS; i++) replace_client(i);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(size_t)(seed * 31 + i * 7919 + 1));
    for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (i = 0; i < CLIENTS; i++) {
        if (zelf_client_shutdown(clients[i], 20000) != ZELF_OK) bad_at(__LINE__);
        zelf_client_free(clients[i]);
    }
    /* Clients that were freed and not shut down end by themselves. */
    for (i = 0; i < 2000 && (NOW(destroyed) < started || threads_alive() > 1); i++) usleep(10000);

    PROMISE(NOW(called) == started, "seed %ld: %ld calls began, and %ld called back", seed, started,
            called);
    PROMISE(destroyed == started, "%ld calls began, and the data of %ld was destroyed", started,
            destroyed);
    PROMISE(sessions + cancelled + other == started,
            "each had one outcome: %ld sessions, %ld cancelled, %ld failed (%ld did not begin)",
            sessions, cancelled, other, refused);
    PROMISE(bad == 0, "nothing out of order among %ld blocking calls, %ld shutdowns, %ld frees, "
            "%ld children: %ld", blocking, shutdowns, frees, children, bad);
    PROMISE(sessions > 0, "some calls got sessions: %ld", sessions);
    PROMISE(cancelled > 0, "some calls were cancelled: %ld", cancelled);
    PROMISE(other > 0, "some calls failed: %ld", other);
    PROMISE(threads_alive() == 1, "no thread is left: %d", threads_alive() - 1);
#ifndef ZELF_RACES /* ThreadSanitizer opens some too */
    PROMISE(entries("/proc/self/fd") == descriptors, "no descriptor is left: %d",
            entries("/proc/self/fd") - descriptors);
#endif
    fault(NULL);
    return check_failed;
}
