/* One client, many threads. */
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

int main(void)
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
    forget_requests();
    for (i = 0; i < 4; i++) pthread_create(&threads[i], NULL, one_slow_call, shared);
    while (requests_arrived() == 0) usleep(1000);
    usleep(100000); /* the others have to be inside too; nothing else tells */
    zelf_client_free(shared);
    for (i = 0, right = 0; i < 4; i++) {
        void *session;
        pthread_join(threads[i], &session);
        right += session != NULL;
        zelf_session_free(session);
    }
    PROMISE(right == 4, "calls under way survive the free of their client");
    fault(NULL);
    return check_failed;
}
