/* warm KIND THREADS GETS ROUNDS BASE_URL CA_FILE: what a warm get costs, as JSON.
 *
 * KIND: get        zelf_session_provider_get alone
 *       get_free   and zelf_session_free
 *       copy       a cache behind a mutex that hands out copies, with free
 *       share      the same that hands out counted references, with the giving back
 *
 * A round is THREADS threads with GETS each, at once. "ns" is the processors' time of
 * one get in the cheapest round. What sleeps for a lock does not count, which favours
 * the cache, and neither do other programs. */
#include "provider.h"
#include "token_cache.h"

#include <pthread.h>
#include <time.h>

enum kind { GET, GET_FREE, COPY, SHARE, KINDS };

static const char *const NAMES[KINDS] = {"get", "get_free", "copy", "share"};

static const struct timespec CONFIRMED = {0, 300000000};

static enum kind kind;
static long each, rounds;
static struct provider provider;
static struct token_cache cache;
static pthread_barrier_t begins, ends;

static void get(long times)
{
    long i;
    switch (kind) {
    case GET:
        /* The count stays up, and the process ends soon. */
        for (i = 0; i < times; i++)
            if (!zelf_session_provider_get(provider.provider, NULL)) abort();
        break;
    case GET_FREE:
        for (i = 0; i < times; i++) {
            zelf_session *session = zelf_session_provider_get(provider.provider, NULL);
            if (!session) abort();
            zelf_session_free(session);
        }
        break;
    case COPY:
        for (i = 0; i < times; i++) {
            char *token = token_cache_copy(&cache);
            if (!token) abort();
            free(token);
        }
        break;
    default:
        for (i = 0; i < times; i++) {
            struct shared_token *token = token_cache_share(&cache);
            if (!token) abort();
            token_cache_give_back(token);
        }
    }
}

static void *work(void *unused)
{
    long round;
    for (round = 0; round < rounds; round++) {
        pthread_barrier_wait(&begins);
        get(each);
        pthread_barrier_wait(&ends);
    }
    return unused;
}

static double used(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static double cheapest_round(int threads)
{
    pthread_t *ids = calloc((size_t)threads, sizeof *ids);
    double least = 0;
    long round;
    int i;
    pthread_barrier_init(&begins, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&ends, NULL, (unsigned)threads + 1);
    for (i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
    for (round = 0; round < rounds; round++) {
        double before = used(), took;
        pthread_barrier_wait(&begins);
        pthread_barrier_wait(&ends);
        took = used() - before;
        if (round == 0 || took < least) least = took;
    }
    for (i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    free(ids);
    return least;
}

int main(int argc, char **argv)
{
    zelf_session *session;
    int threads;

    if (argc != 7) return 2;
    while (kind < KINDS && strcmp(argv[1], NAMES[kind]) != 0) kind++;
    if (kind == KINDS) return 2;
    threads = atoi(argv[2]);
    each = atol(argv[3]);
    rounds = atol(argv[4]);

    provider = provider_start(argv[5], argv[6], "-", 0);
    session = zelf_session_provider_get(provider.provider, NULL);
    must(session != NULL, "the first get");
    /* A new session is confirmed before it is handed out without a look. */
    nanosleep(&CONFIRMED, NULL);
    zelf_session_free(zelf_session_provider_get(provider.provider, NULL));
    token_cache_start(&cache, zelf_session_token(session));
    zelf_session_free(session);
    get(1);
    if (each == 0) return 0;
    if (threads == 1 && rounds == 1) {
        get(each); /* this is counted, with nothing beside it */
        return 0;
    }
    printf("{\"ns\":%.3f}\n", cheapest_round(threads) / ((double)threads * (double)each));
    provider_stop(provider);
    return 0;
}
