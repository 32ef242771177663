/* starts RUNS COMMAND BASE_URL CA_FILE DIRECTORY: the time from the start of a process to
   its token, in µs, as JSON, of runs of the command that take turns: without a directory,
   with one that has a session, and of "/bin/echo", which is what a process costs. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static double start(char **command)
{
    double began, took;
    int ends[2], status;
    posix_spawn_file_actions_t actions;
    pid_t child;
    char byte;

    if (pipe(ends) != 0) exit(1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    began = now();
    if (posix_spawn(&child, command[0], &actions, NULL, command, environ) != 0) exit(1);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) exit(1);
    took = now() - began;
    waitpid(child, &status, 0);
    if (status != 0) exit(1);
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    return took;
}

static int ascending(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void print(const char *name, double *took, long runs)
{
    qsort(took, (size_t)runs, sizeof *took, ascending);
    printf("\"%s\":{\"least\":%.0f,\"median\":%.0f,\"p99\":%.0f}", name, took[0], took[runs / 2],
           took[runs * 99 / 100]);
}

int main(int argc, char **argv)
{
    double *requested, *stored, *empty;
    long runs, i;

    if (argc != 6) return 2;
    runs = atol(argv[1]);
    requested = calloc((size_t)runs + 1, sizeof *requested);
    stored = calloc((size_t)runs + 1, sizeof *stored);
    empty = calloc((size_t)runs + 1, sizeof *empty);
    for (i = -2; i < runs; i++) {
        char *without[] = {argv[2], argv[3], argv[4], "-", NULL};
        char *with[] = {argv[2], argv[3], argv[4], argv[5], NULL};
        char *echo[] = {"/bin/echo", "token", NULL};
        double one = start(without), two = start(with), three = start(echo);
        if (i < 0) continue; /* the first one stores */
        requested[i] = one;
        stored[i] = two;
        empty[i] = three;
    }
    printf("{");
    print("request", requested, runs);
    printf(",");
    print("stored", stored, runs);
    printf(",");
    print("echo", empty, runs);
    printf("}\n");
    return 0;
}
