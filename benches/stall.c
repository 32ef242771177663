/* stall BACKGROUND SECONDS CA_FILE BASE_URL STALLED_BASE_URL: the latency of warm gets,
 * in ns, of a provider whose server answers and of one whose server stalls all requests
 * but the first, as JSON. The two take turns, one get each.
 *
 * With BACKGROUND 0 another thread carries out what stalls, else the client's. */
#include "provider.h"

#include <pthread.h>
#include <time.h>

enum { MOST = 4000000 };

/* A new session is confirmed after so long. */
static const struct timespec CONFIRMED = {0, 400000000};

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static float get(struct provider from)
{
    double began = now(), took;
    zelf_session *session = zelf_session_provider_get(from.provider, NULL);
    took = now() - began;
    must(session != NULL, "a get");
    zelf_session_free(session);
    return (float)took;
}

static void *get_once(void *of)
{
    get(*(struct provider *)of);
    return NULL;
}

static int ascending(const void *one, const void *other)
{
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void print(const char *name, float *took, long times)
{
    qsort(took, (size_t)times, sizeof *took, ascending);
    printf("\"%s\":{\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f}", name, took[times / 2],
           took[times * 99 / 100], took[times * 999 / 1000]);
}

int main(int argc, char **argv)
{
    float *answered = calloc(MOST, sizeof *answered), *stalled = calloc(MOST, sizeof *stalled);
    struct provider answers, stalls;
    pthread_t thread;
    double end;
    long times = 0;
    int background;

    if (argc != 6) return 2;
    background = atoi(argv[1]);
    answers = provider_start(argv[4], argv[3], "-", background);
    stalls = provider_start(argv[5], argv[3], "-", background);
    get(answers);
    get(stalls);
    nanosleep(&CONFIRMED, NULL);
    if (!background) pthread_create(&thread, NULL, get_once, &stalls);
    /* The first is confirmed by now, or here. The second is being confirmed. */
    get(answers);
    nanosleep(&CONFIRMED, NULL);
    for (end = now() + atof(argv[2]) * 1e9; times < MOST && now() < end; times++) {
        answered[times] = get(answers);
        stalled[times] = get(stalls);
    }
    printf("{");
    print("answers", answered, times);
    printf(",");
    print("stalls", stalled, times);
    printf("}\n");
    /* Ends the process without waiting for the stalled calls. */
    fflush(stdout);
    _Exit(0);
}
