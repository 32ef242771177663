/* One client used by many threads. */
#include <pthread.h>

#include "check.h"

#define THREADS 16
#define CALLS 20

static zelf_client *shared;
static pthread_barrier_t together;

static void *calls(void *number)
{
    char identifier[32];
    long right = 0, i;
    snprintf(identifier, sizeof identifier, "thread-%c", 'a' + (int)(long)number);
    pthread_barrier_wait(&together);
    for (i = 0; i < CALLS; i++) {
        zelf_error *error = NULL;
        zelf_session *session = create(shared, identifier, &error);
        right += session && strcmp(zelf_session_identifier(session), identifier) == 0;
        zelf_session_free(session);
        zelf_error_free(error);
    }
    return (void *)right;
}

static void *one_slow_call(void *client)
{
    zelf_error *error = NULL;
    zelf_session *session = create(client, "slow-x", &error);
    zelf_error_free(error);
    return session;
}

#define CROWD 64

static long crowd_calls;
static long ended[100];

/* Makes calls during faults, and counts each outcome by status. */
static void *calls_amid_faults(void *number)
{
    char identifier[32];
    long i;
    snprintf(identifier, sizeof identifier, "crowd-%ld", (long)number % 50);
    for (i = 0; i < crowd_calls / CROWD; i++) {
        zelf_error *error = NULL;
        zelf_session *session = create(shared, identifier, &error);
        zelf_status status = zelf_error_status(error);
        if (!session == !error) abort();
        __sync_fetch_and_add(&ended[status < 100 ? status : 99], 1);
        zelf_session_free(session);
        zelf_error_free(error);
    }
    return NULL;
}

static void a_crowd_amid_faults(void)
{
    static pthread_t threads[CROWD];
    int descriptors, status;
    long i, all = 0, kinds = 0;

    fault("[{\"kind\":\"reset\",\"stage\":\"request\",\"share\":0.02,\"seed\":1},"
          "{\"kind\":\"close\",\"stage\":\"body\",\"share\":0.01,\"seed\":2},"
          "{\"kind\":\"garbage\",\"share\":0.01,\"seed\":3},"
          "{\"kind\":\"answer\",\"status\":503,\"share\":0.01,\"seed\":4}]");
    descriptors = entries("/proc/self/fd");
    shared = sandbox_client(1, 20000, 1);
    for (i = 0; i < CROWD; i++) pthread_create(&threads[i], NULL, calls_amid_faults, (void *)i);
    for (i = 0; i < CROWD; i++) pthread_join(threads[i], NULL);
    PROMISE(threads_alive() == 1, "no thread of ours is left");
    zelf_client_free(shared);
    for (status = 0; status < 100; status++) {
        all += ended[status];
        kinds += ended[status] > 0;
        if (ended[status]) printf("# %6ld %s\n", ended[status], zelf_status_name(status));
    }
    PROMISE(all == crowd_calls / CROWD * CROWD && ended[ZELF_OK] > all * 9 / 10 && kinds >= 3,
            "%d threads make %ld calls during faults, and each call ends", CROWD, all);
    PROMISE(entries("/proc/self/fd") == descriptors, "no descriptor is left");
    fault(NULL);
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    long i, right = 0;

    shared = sandbox_client(1, 20000, 1);
    pthread_barrier_init(&together, NULL, THREADS);
    for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, calls, (void *)i);
    for (i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right += (long)result;
    }
    PROMISE(right == THREADS * CALLS, "%d threads with one client get %d sessions: %ld", THREADS,
            THREADS * CALLS, right);
    pthread_barrier_destroy(&together);
    zelf_client_free(shared);

    shared = sandbox_client(1, 20000, 1);
    fault("{\"kind\":\"delay\",\"ms\":500}");
    for (i = 0; i < 4; i++) pthread_create(&threads[i], NULL, one_slow_call, shared);
    usleep(200000); /* the other threads must be inside too; there is no other sign of it */
    zelf_client_free(shared);
    for (i = 0, right = 0; i < 4; i++) {
        void *session;
        pthread_join(threads[i], &session);
        right += session != NULL;
        zelf_session_free(session);
    }
    PROMISE(right == 4, "calls under way survive the free of their client");
    fault(NULL);

    crowd_calls = argc > 1 ? atol(argv[1]) : 1000;
    a_crowd_amid_faults();
    return check_failed;
}
