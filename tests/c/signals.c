/* Signals during asynchronous calls. */
#include <signal.h>

#include "calls.h"
#include "children.h"
#include "hanging_look_up.h"

/* Checks in /proc which signals the library's threads block. Between callbacks they block the
   signals with which a garbage collector stops threads, if the host blocks them. */
static void our_threads_take_no_signals(int host_blocks)
{
    struct record record = {0}, looking = {0};
    zelf_client *client = sandbox_client(1, 5000, 1), *nowhere;
    DIR *tasks;
    struct dirent *task;
    int looked = 0, right = 0, i, by_host;
    sigset_t stops;

    sigemptyset(&stops);
    sigaddset(&stops, SIGPWR);
    sigaddset(&stops, SIGRTMIN);
    if (host_blocks) pthread_sigmask(SIG_BLOCK, &stops, NULL);

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
#define BLOCKS(number) (int)(blocked >> ((number) - 1) & 1)
        /* A look-up runs no code of the host. */
        by_host = host_blocks || strcmp(name, "zelf-dns") == 0;
        right += BLOCKS(SIGPWR) == by_host && BLOCKS(SIGRTMIN) == by_host
                 && BLOCKS(SIGXCPU) == (strcmp(name, "zelf-dns") == 0);
        right += BLOCKS(SIGINT) && BLOCKS(SIGTERM) && BLOCKS(SIGPIPE) && BLOCKS(SIGCHLD)
                 && BLOCKS(SIGUSR1) && BLOCKS(SIGALRM) && BLOCKS(SIGWINCH) && !BLOCKS(SIGPROF)
                 && !BLOCKS(SIGSEGV) && !BLOCKS(SIGBUS) && !BLOCKS(SIGFPE) && !BLOCKS(SIGILL)
                 && !BLOCKS(SIGTRAP) && !BLOCKS(SIGABRT) && !BLOCKS(SIGSYS);
    }
    closedir(tasks);
    PROMISE(looked == 5 && right == 10,
            "the library's threads block the host's signals, %s a garbage collector's: "
            "%d of 10", host_blocks ? "and, like the host," : "but not", right);
    zelf_client_shutdown(client, 1000);
    release(&record, 1);
    zelf_client_free(client);
    zelf_client_shutdown(nowhere, 1000);
    release(&looking, 1);
    zelf_client_free(nowhere);
    set_flag(&look_up_hangs, 0);
    pthread_sigmask(SIG_UNBLOCK, &stops, NULL);
}

/* The signal masks that the host's code has seen, and how many were wrong. In the right one, only
   SIGUSR2 and SIGPWR are blocked. */
static int looks_by[5], wrong_looks;
enum { BY_CALLBACK, BY_DESTROY, BY_LOG, BY_RENEWED, BY_DESTRUCTOR };

static void look(int who)
{
    sigset_t now;
    int number, wrong = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (number = 1; number < 65; number++)
        wrong |= sigismember(&now, number) == (number != SIGUSR2 && number != SIGPWR);
    __sync_fetch_and_add(&wrong_looks, wrong);
    __sync_fetch_and_add(&looks_by[who], 1);
}

static pthread_key_t at_end;

static void look_at_end(void *unused) { (void)unused, look(BY_DESTRUCTOR); }
static void look_in_destroy(void *unused) { (void)unused, look(BY_DESTROY); }

static void look_in_callback(struct record *record)
{
    sigset_t all;
    (void)record;
    look(BY_CALLBACK);
    pthread_setspecific(at_end, looks_by);
    /* Its changes must not affect the next callback. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void look_in_log(zelf_log_level level, const char *message, void *unused)
{
    (void)level, (void)message, (void)unused;
    look(BY_LOG);
}

static void look_in_renewed(const zelf_session *session, void *unused)
{
    (void)session, (void)unused;
    look(BY_RENEWED);
}

static zelf_client *looking_client(void)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_log_callback(config, look_in_log, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static void code_of_the_hosts_has_the_hosts_mask(void)
{
    struct record records[2] = {{0}, {0}};
    sigset_t mask, before;
    zelf_client *client = looking_client();
    zelf_session_options *options = options_for("signals-provider-x");
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_session_provider *provider;
    int i;

    pthread_key_create(&at_end, look_at_end);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigaddset(&mask, SIGPWR);
    pthread_sigmask(SIG_SETMASK, &mask, &before);
    for (i = 0; i < 2; i++) {
        records[i].then = look_in_callback;
        start(client, &records[i], "signals-x");
        /* Later changes have no effect. */
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    await(records, 2, 5);
    zelf_client_shutdown(client, 5000);
    release(records, 2);
    zelf_client_free(client);
    PROMISE(looks_by[BY_CALLBACK] == 2 && looks_by[BY_LOG] > 0 && looks_by[BY_DESTRUCTOR] == 1
                && wrong_looks == 0,
            "callbacks, the log and destructors of thread-specific data have the mask of the "
            "thread that made the first asynchronous call: %d have not", wrong_looks);

    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    client = looking_client();
    zelf_provider_options_set_renewed_callback(keeping, look_in_renewed, NULL, look_in_destroy);
    zelf_provider_options_set_background(keeping, 1);
    provider = zelf_session_provider_new(client, options, keeping, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    zelf_provider_options_free(keeping);
    for (i = 0; i < 500 && !get_flag(&looks_by[BY_RENEWED]); i++) usleep(10000);
    /* destroy runs on the thread that last needs the user data, which may be this one. */
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    zelf_session_provider_free(provider);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (i = 0; i < 500 && !get_flag(&looks_by[BY_DESTROY]); i++) usleep(10000);
    PROMISE(looks_by[BY_RENEWED] == 1 && looks_by[BY_DESTROY] == 1 && wrong_looks == 0,
            "the callbacks of a provider have that mask, too: %d have not", wrong_looks);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
    zelf_session_options_free(options);
    pthread_key_delete(at_end);
}

static void on_usr1(int number) { (void)number; }

/* SIGKILL, SIGSTOP and the signals reserved by the C library cannot be queried. */
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
            "starting, cancelling and shutting down change no signal mask and no disposition");
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
    our_threads_take_no_signals(0);
    our_threads_take_no_signals(1);
    code_of_the_hosts_has_the_hosts_mask();
    the_hosts_signals_stay_as_they_were();
    sigpipe_kills_no_async_host();
    return check_failed;
}
