/* Runs one asynchronous client and prints what a call took as one line of JSON.
 *
 *   async_harness BASE_URL CA_FILE IN_FLIGHT WARM_UP CALLS
 *
 * Warm-up calls come first and do not count. CPU time is that of the whole
 * process, so a library's own threads count too. */
#include "async_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void must(int fine)
{
    if (!fine) {
        fprintf(stderr, "%s: a call failed\n", async_client.name);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    long warm_up, calls;
    double began;
    void *state;

    if (argc != 6) return 2;
    warm_up = atol(argv[4]);
    calls = atol(argv[5]);
    state = async_client.start(argv[1], argv[2], atoi(argv[3]));
    must(state != NULL);
    must(async_client.run(state, warm_up));
    began = cpu_us();
    must(async_client.run(state, calls));
    printf("{\"cpu_us\":%.3f}\n", (cpu_us() - began) / (double)calls);
    async_client.stop(state);
    return 0;
}
