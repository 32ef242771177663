/* Signals around asynchronous calls. */
#include <signal.h>

#include "calls.h"
#include "children.h"
#include "hanging_look_up.h"

/* The signals that the threads of ours block, from /proc. */
static void our_threads_take_no_signals(void)
{
    static struct record record, looking;
    zelf_client *client = sandbox_client(1, 5000, 1), *nowhere;
    DIR *tasks;
    struct dirent *task;
    int looked = 0, right = 0, i;

    start(client, &record, "signals-x");
    await(&record, 1, 5);
    set_flag(&look_up_hangs, 1);
    nowhere = client_of("https://hangs.test");
    start(nowhere, &looking, "signals-x");
    for (i = 0; i < 500 && threads_alive() < 6; i++) usleep(10000);
    tasks = opendir("/proc/self/task");
    while ((task = readdir(tasks)) != NULL) {
        char path[300], line[256], name[64] = "";
        unsigned long long blocked = 0;
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        file = fopen(path, "r");
        if (!file) continue;
        while (fgets(line, sizeof line, file)) {
            sscanf(line, "Name: %63s", name);
            sscanf(line, "SigBlk: %llx", &blocked);
        }
        fclose(file);
        if (strncmp(name, "zelf-", 5) != 0) continue;
        looked++;
#define BLOCKS(number) (blocked >> ((number) - 1) & 1)
        right += BLOCKS(SIGINT) && BLOCKS(SIGTERM) && BLOCKS(SIGPIPE) && BLOCKS(SIGCHLD)
                 && BLOCKS(SIGUSR1) && BLOCKS(SIGALRM) && BLOCKS(SIGWINCH) && !BLOCKS(SIGPROF)
                 && !BLOCKS(SIGSEGV) && !BLOCKS(SIGBUS) && !BLOCKS(SIGFPE) && !BLOCKS(SIGILL)
                 && !BLOCKS(SIGTRAP) && !BLOCKS(SIGABRT) && !BLOCKS(SIGSYS);
    }
    closedir(tasks);
    PROMISE(looked == 5 && right == 5,
            "our threads, a name look-up's too, block what is meant for the host, but for SIGPROF "
            "and the faults: %d of %d", right, looked);
    zelf_client_shutdown(client, 1000);
    release(&record, 1);
    zelf_client_free(client);
    zelf_client_shutdown(nowhere, 1000);
    release(&looking, 1);
    zelf_client_free(nowhere);
    set_flag(&look_up_hangs, 0);
}

static void on_usr1(int number) { (void)number; }

/* SIGKILL, SIGSTOP and those that the C library keeps cannot be asked for. */
static int same_dispositions(const struct sigaction *before)
{
    int number, same = 1;
    for (number = 1; number < 65; number++) {
        struct sigaction after;
        if (sigaction(number, NULL, &after) == 0)
            same &= after.sa_handler == before[number].sa_handler
                    && after.sa_flags == before[number].sa_flags;
    }
    return same;
}

static void the_hosts_signals_stay_as_they_were(void)
{
    static struct sigaction before[65];
    static struct record records[8];
    zelf_client *client = sandbox_client(1, 5000, 1);
    sigset_t mask, mask_before, mask_after;
    int number, same = 1;

    signal(SIGUSR1, on_usr1);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &mask, &mask_before);
    sigaddset(&mask_before, SIGUSR2);
    for (number = 1; number < 65; number++) sigaction(number, NULL, &before[number]);
    for (number = 0; number < 8; number++) start(client, &records[number], NULL);
    zelf_call_cancel(records[7].call);
    await(records, 8, 5);
    same &= zelf_client_shutdown(client, 1000) == ZELF_OK;
    release(records, 8);
    zelf_client_free(client);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (number = 1; number < 65; number++)
        same &= sigismember(&mask_before, number) == sigismember(&mask_after, number);
    PROMISE(same && same_dispositions(before),
            "the mask of who starts, cancels and shuts down stays, and so do all dispositions");
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    signal(SIGUSR1, SIG_DFL);
}

static void sigpipe_kills_no_async_host(void)
{
    static const char *const faults[] = {
        "{\"kind\":\"certificate\",\"wrong\":\"unknown_ca\",\"hang_up\":true}",
        "{\"kind\":\"reset\",\"stage\":\"tls\"}",
        "{\"kind\":\"reset\",\"stage\":\"request\"}",
    };
    size_t i;
    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        pid_t child;
        fault(faults[i]);
        child = fork();
        if (child == 0) {
            static struct record records[50];
            zelf_client *client = sandbox_client(1, 2000, 1);
            int round;
            alarm(20);
            signal(SIGPIPE, SIG_DFL);
            for (round = 0; round < 50; round++) start(client, &records[round], NULL);
            _exit(await(records, 50, 10) ? 7 : 8);
        }
        PROMISE(status_of(child) == 7, "an asynchronous host survives %s", faults[i]);
    }
    fault(NULL);
}

int main(void)
{
    our_threads_take_no_signals();
    the_hosts_signals_stay_as_they_were();
    sigpipe_kills_no_async_host();
    return check_failed;
}
