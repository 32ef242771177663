/* Runs one client and prints what it took as one line of JSON.
 *
 *   harness BASE_URL CA_FILE|- THREADS WARM_UP CALLS
 *
 * Warm-up calls come first and do not count. CPU time is that of the whole
 * process, so a library's own threads count too. */
#include "client.h"
#include "identifier.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
    pthread_t thread;
    void *state;
    int number;
    long calls;
    double *latency;
};

static const char *base_url, *ca_file;
static void *shared_state;
static long warm_up;
static pthread_barrier_t warm, counted;

static double now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void must(int fine)
{
    if (!fine) {
        fprintf(stderr, "%s: a call failed\n", client.name);
        exit(1);
    }
}

static void *work(void *of)
{
    struct worker *worker = of;
    char identifier[IDENTIFIER_SIZE];
    long i;

    name_identifier(identifier, worker->number);
    for (i = 0; i < warm_up; i++) must(client.create(worker->state, identifier));
    pthread_barrier_wait(&warm);
    for (i = 0; i < worker->calls; i++) {
        double began = now(CLOCK_MONOTONIC);
        must(client.create(worker->state, identifier));
        worker->latency[i] = now(CLOCK_MONOTONIC) - began;
    }
    pthread_barrier_wait(&counted);
    return NULL;
}

/* The most memory this program held. Not getrusage's figure, which begins with
   that of the process that started us. */
static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    if (status) fclose(status);
    return kib;
}

static int ascending(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    double began, cpu, took, *all;
    struct worker *workers;
    int threads, i;
    long calls, peak;

    if (argc != 6) return 2;
    base_url = argv[1];
    ca_file = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    threads = atoi(argv[3]);
    warm_up = atol(argv[4]);
    calls = atol(argv[5]);

    workers = calloc((size_t)threads, sizeof *workers);
    all = calloc((size_t)(threads * calls) + 1, sizeof *all);
    pthread_barrier_init(&warm, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&counted, NULL, (unsigned)threads + 1);
    if (client.shared) shared_state = client.start(base_url, ca_file);
    for (i = 0; i < threads; i++) {
        workers[i].number = i;
        workers[i].calls = calls;
        workers[i].latency = all + i * calls;
        workers[i].state = client.shared ? shared_state : client.start(base_url, ca_file);
        must(workers[i].state != NULL);
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    pthread_barrier_wait(&warm);
    began = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    pthread_barrier_wait(&counted);
    took = now(CLOCK_MONOTONIC) - began;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (!client.shared) client.stop(workers[i].state);
    }
    if (client.shared) client.stop(shared_state);
    peak = peak_kib();

    qsort(all, (size_t)(threads * calls), sizeof *all, ascending);
    if (calls == 0) {
        printf("{\"peak_kib\":%ld}\n", peak);
        return 0;
    }
    printf("{\"cpu_us\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"calls_per_s\":%.1f,\"peak_kib\":%ld}\n",
           cpu * 1e6 / (double)(threads * calls), all[threads * calls / 2] * 1e6,
           all[threads * calls * 99 / 100] * 1e6, (double)(threads * calls) / took,
           peak);
    return 0;
}
