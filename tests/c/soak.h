/* The counts of a soak test, and the current step of each of its threads. */
#ifndef SOAK_H
#define SOAK_H

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"
#include "heap.h"

/* A busy machine may be late by this many seconds. */
#define MARGIN 15.0

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)
#define NOW(counter) __sync_fetch_and_add(&(counter), 0)

/* Counts of what must not happen, by line. The first one tells the most. */
static long bad;
static int first_bad_line;

static inline void bad_at(int line, const char *what)
{
    if (COUNT(bad) == 0) first_bad_line = line;
    fprintf(stderr, "out of order: line %d: %s\n", line, what);
}

/* Checks the rules that hold for every error. */
static inline void look_at(const zelf_error *error)
{
    if (error && zelf_error_status(error) == ZELF_ERROR_PANIC)
        bad_at(__LINE__, zelf_error_message(error));
    if (error && strstr(zelf_error_message(error), "eyJ")) bad_at(__LINE__, "a token in an error");
}

static inline uint32_t next(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static inline int one_in(uint32_t *random, uint32_t chance) { return next(random) % chance == 0; }

/* Returns a number from least to most. */
static inline uint32_t from_to(uint32_t *random, uint32_t least, uint32_t most)
{
    return least + next(random) % (most - least + 1);
}

/* ---- The current step of a thread, for the thread that detects hangs ---- */

struct doing {
    pthread_mutex_t lock;
    const char *what; /* NULL: it is not waiting */
    double began, until;
};

static inline void begin(struct doing *doing, const char *what, double limit_s)
{
    pthread_mutex_lock(&doing->lock);
    doing->what = what;
    doing->began = seconds_now();
    doing->until = doing->began + limit_s + MARGIN;
    pthread_mutex_unlock(&doing->lock);
}

static inline void end(struct doing *doing)
{
    pthread_mutex_lock(&doing->lock);
    doing->what = NULL;
    pthread_mutex_unlock(&doing->lock);
}

/* Returns whether the step is late, and prints which. */
static inline int is_late(struct doing *doing)
{
    int late;
    pthread_mutex_lock(&doing->lock);
    late = doing->what && seconds_now() > doing->until;
    if (late) fprintf(stderr, "%s goes on after %.1f s\n", doing->what,
                      seconds_now() - doing->began);
    pthread_mutex_unlock(&doing->lock);
    return late;
}

/* ---- The resources of the process ---- */

/* Restarts the program without glibc's per-thread caches, because glibc counts the memory in them
   as in use. */
static inline void count_each_allocation(char **argv)
{
    if (getenv("GLIBC_TUNABLES")) return;
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
    execv("/proc/self/exe", argv);
}

static inline long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#endif
