/* A system that refuses one system call after another, as sandboxes and containers do. No call may
   hang or have a bug, and each call that fails names what was refused.

     refusals         every system call that the library makes
     refusals NUMBER  one of them
   A number in ZELF_ERRNO tries only this error. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "children.h"
#include "sends.h"
#include "system_calls.h"

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LAST_NUMBER 470
/* Longer than the time limits of all calls of a child together. */
#define MOST_SECONDS 40

/* The system calls that every program needs, the C library included. */
static const struct {
    long number;
    const char *why;
} impossible[] = {
    {SYS_exit, "a thread cannot end"},
    {SYS_exit_group, "a process cannot end"},
    {SYS_rt_sigreturn, "a signal handler cannot return"},
    {SYS_futex, "glibc aborts: \"The futex facility returned an unexpected error code\""},
    {SYS_munmap, "glibc aborts when it gives memory back"},
    {SYS_brk, "glibc takes the error for the end of the heap"},
    {SYS_rseq, "glibc aborts in a new thread: \"rseq registration failed\""},
    /* The test itself needs these to set a filter. */
    {SYS_seccomp, "no filter can be set"},
    {SYS_prctl, "no filter can be set"},
};

#ifdef ARCHITECTURE

struct outcome {
    const char *what;
    zelf_status status, usual;
    char message[400];
};

#define STEPS 16
static struct report {
    struct outcome outcomes[STEPS];
    int count, is_over;
} *report;

static char folder[] = "/tmp/zelf-refusals-XXXXXX";
static char name_of_host[256];

/* Records the result of a step, and frees the error. */
static void note(const char *what, zelf_status usual, zelf_error *error)
{
    struct outcome *outcome = &report->outcomes[report->count++];
    outcome->what = what;
    outcome->usual = usual;
    outcome->status = zelf_error_status(error);
    snprintf(outcome->message, sizeof outcome->message, "%s",
             error ? zelf_error_message(error) : "");
    zelf_error_free(error);
}

static void note_status(const char *what, zelf_status status)
{
    struct outcome *outcome = &report->outcomes[report->count++];
    outcome->what = what;
    outcome->status = status;
}

/* System calls by their numbers, and the action for them. */
struct filter {
    long first, last;
    unsigned action;
    /* The clients have been used before the filter is set. */
    int is_late;
};

/* Sets the filter for all threads. */
static void set(const struct filter *filter)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)filter->first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)filter->last, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, filter->action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        _exit(9);
}

static void on_ended(zelf_session *session, zelf_error *error, void *user_data)
{
    zelf_session_free(session);
    note("an asynchronous call", ZELF_OK, error);
    set_flag(user_data, 1);
}

/* Waits without a system call that may be refused. */
static void wait_for(const int *flag)
{
    double began = seconds_now();
    while (!get_flag(flag) && seconds_now() - began < 10) sched_yield();
    if (!get_flag(flag)) {
        note("its callback", ZELF_OK, NULL);
        report->outcomes[report->count - 1].status = ZELF_ERROR_TIMEOUT;
    }
}

struct clients {
    zelf_client *blocking, *other, *dispatched, *named, *far;
    zelf_session_provider *provider, *background;
    zelf_session_options *options;
    zelf_request *request;
    zelf_config *config;
};

static zelf_client *made_of(zelf_config *config)
{
    zelf_client *client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static zelf_config *brief(void)
{
    zelf_config *config = tls_config();
    zelf_config_set_timeout_ms(config, 3000);
    return config;
}

static void make(struct clients *all)
{
    static char body[1 << 20];
    zelf_config *config;
    zelf_provider_options *how = zelf_provider_options_new();
    all->blocking = made_of(brief());
    all->other = made_of(brief());
    config = brief();
    zelf_config_set_dispatch(config, true);
    all->dispatched = made_of(config);
    config = brief();
    zelf_config_set_base_url(config, "https://nobody.invalid");
    all->far = made_of(config);
    if (*name_of_host) {
        char url[300];
        snprintf(url, sizeof url, "https://%s:1", name_of_host);
        config = brief();
        zelf_config_set_base_url(config, url);
        all->named = made_of(config);
    }
    all->options = options_for("refusals-x");
    zelf_provider_options_set_directory(how, folder);
    all->provider = zelf_session_provider_new(all->other, all->options, how, NULL);
    zelf_provider_options_free(how);
    memset(body, 'x', sizeof body);
    all->request = zelf_request_new("POST", "/sandbox/echo");
    zelf_request_set_body(all->request, body, sizeof body, "text/plain");
    zelf_request_set_timeout_ms(all->request, 3000);
    all->config = brief();
}

static void call_without_threads(struct clients *all, long number)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(all->config, &error);
    note("a new client", ZELF_OK, error);
    zelf_client_free(client);

    error = NULL;
    zelf_session_free(zelf_session_create(all->blocking, all->options, &error));
    note("a blocking call", ZELF_OK, error);

    error = NULL;
    zelf_session_free(zelf_session_provider_get(all->provider, &error));
    note("a provider with storage", ZELF_OK, error);

    error = NULL;
    zelf_response_free(zelf_session_provider_send(all->provider, all->request, &error));
    note("a large request", ZELF_OK, error);

    if (all->named) {
        error = NULL;
        zelf_session_free(zelf_session_create(all->named, all->options, &error));
        note("a name", ZELF_ERROR_CONNECT, error);
    }

    /* The C library treats it as a network failure. */
    if (number == SYS_socket || number == SYS_connect) {
        error = NULL;
        zelf_session_free(zelf_session_create(all->far, all->options, &error));
        note("a name of the network", ZELF_ERROR_SYSTEM, error);
    }
}

static void call_with_threads(struct clients *all)
{
    int ended = 0, dispatched = 0;
    struct pollfd due;
    zelf_error *error = NULL;
    zelf_call *call
        = zelf_session_create_async(all->blocking, all->options, on_ended, &ended, NULL, &error);
    if (call)
        wait_for(&ended);
    else
        note("the beginning of an asynchronous call", ZELF_OK, error);
    zelf_call_free(call);
    note_status("a shutdown", zelf_client_shutdown(all->blocking, 5000));

    error = NULL;
    call = zelf_session_create_async(all->dispatched, all->options, on_ended, &dispatched, NULL,
                                     &error);
    due.fd = zelf_client_descriptor(all->dispatched);
    due.events = POLLIN;
    if (call) {
        double began = seconds_now();
        while (!dispatched && seconds_now() - began < 10) {
            poll(&due, 1, 10);
            zelf_client_dispatch(all->dispatched);
        }
        wait_for(&dispatched);
    } else {
        note("the beginning of a dispatched call", ZELF_OK, error);
    }
    zelf_call_free(call);
}

static void end(struct clients *all)
{
    zelf_session_provider_free(all->provider);
    zelf_client_free(all->blocking);
    zelf_client_free(all->other);
    zelf_client_free(all->dispatched);
    zelf_client_free(all->named);
    zelf_client_free(all->far);
    zelf_session_options_free(all->options);
    zelf_request_free(all->request);
    zelf_config_free(all->config);
}

/* Uses each client once, like a program that sets its filter late. */
static void warm_up(struct clients *all)
{
    struct record record = {0};
    zelf_session_free(zelf_session_create(all->blocking, all->options, NULL));
    zelf_session_free(zelf_session_provider_get(all->provider, NULL));
    if (!start(all->blocking, &record, "refusals-warm-x") || !await(&record, 1, 10)) _exit(8);
    release(&record, 1);
}

static void child(const struct filter *filter)
{
    struct clients all = {0};
    alarm(MOST_SECONDS);
    make(&all);
    if (filter->is_late) warm_up(&all);
    set(filter);
    call_without_threads(&all, filter->first == filter->last ? filter->first : -1);
    call_with_threads(&all);
    end(&all);
    report->is_over = 1;
    _exit(7);
}

/* Removes the session that the last child has stored. Otherwise the provider would use it. */
static void forget_stored(void)
{
    DIR *files = opendir(folder);
    struct dirent *file;
    while (files && (file = readdir(files)) != NULL) unlinkat(dirfd(files), file->d_name, 0);
    if (files) closedir(files);
}

/* Runs a child, and returns its wait status. */
static int run(const struct filter *filter)
{
    int status = 0;
    pid_t process;
    memset(report, 0, sizeof *report);
    forget_stored();
    fflush(stdout);
    process = fork();
    if (process == 0) child(filter);
    waitpid(process, &status, 0);
    return status;
}

static int is_fine(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 7; }

/* Returns the first impossible number of a range, or -1. */
static long impossible_in(long first, long last)
{
    long number = -1;
    size_t i;
    for (i = 0; i < sizeof impossible / sizeof *impossible; i++)
        if (impossible[i].number >= first && impossible[i].number <= last
            && (number < 0 || impossible[i].number < number))
            number = impossible[i].number;
    return number;
}

/* The system calls that a child makes. */
static int used[LAST_NUMBER + 1], used_count;

/* Finds the system calls in a range: a child that makes one is killed. */
static void find_used(long first, long last)
{
    const struct filter filter = {first, last, SECCOMP_RET_KILL_PROCESS, 0};
    long middle = first + (last - first) / 2, excluded = impossible_in(first, last);
    if (first > last) return;
    if (excluded >= 0) {
        find_used(first, excluded - 1);
        find_used(excluded + 1, last);
    } else if (!is_fine(run(&filter))) {
        if (first == last) {
            used[used_count++] = (int)first;
        } else {
            find_used(first, middle);
            find_used(middle + 1, last);
        }
    }
}

static void refuse(long number, int why, int is_late)
{
    const struct filter filter = {number, number, SECCOMP_RET_ERRNO | (unsigned)why, is_late};
    const struct system_call *call = find_call(number);
    int status = run(&filter), i, wrong = 0, refused = 0;
    for (i = 0; i < report->count; i++) {
        const struct outcome *outcome = &report->outcomes[i];
        int is_system = outcome->status == ZELF_ERROR_SYSTEM;
        int is_right = outcome->status == outcome->usual
                       || (is_system && strstr(outcome->message, call->word) && *call->word);
        if (is_system && why != EMFILE)
            is_right &= strstr(outcome->message, "raise the limit") == NULL;
        refused += is_system;
        wrong += !is_right;
        if (!is_right)
            printf("# %s, %s: %s is %s: %s\n", call->name, strerror(why), outcome->what,
                   zelf_status_name(outcome->status), outcome->message);
    }
    if (!is_fine(status) && report->count > 0)
        printf("# the last step was %s\n", report->outcomes[report->count - 1].what);
    PROMISE(is_fine(status) && report->is_over && wrong == 0,
            "%s (%ld) refused %s with \"%s\": %d of %d steps fail, and name it (status %x)", call->name,
            number, is_late ? "late" : "early", strerror(why), refused, report->count, (unsigned)status);
}

/* Finds a name other than localhost, which /etc/hosts resolves. */
static void find_name(void)
{
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (gethostname(name_of_host, sizeof name_of_host - 1) != 0
        || strcmp(name_of_host, "localhost") == 0
        || getaddrinfo(name_of_host, NULL, &hints, &found) != 0)
        *name_of_host = '\0';
    if (found) freeaddrinfo(found);
}

int main(int count, char **arguments)
{
    enum { ERRORS = 5 };
    static const int errors[ERRORS] = {EPERM, EACCES, ENOSYS, EMFILE, ENOMEM};
    const char *only = getenv("ZELF_ERRNO");
    int number, i;

    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!mkdtemp(folder)) return 1;
    find_name();
    if (count > 1)
        used[used_count++] = atoi(arguments[1]);
    else
        find_used(0, LAST_NUMBER);
    for (number = 0; number < used_count; number++) {
        for (i = 0; i < ERRORS; i++)
            if (!only || atoi(only) == errors[i]) refuse(used[number], errors[i], 0);
        refuse(used[number], only ? atoi(only) : EPERM, 1);
    }
    PROMISE(count > 1 || used_count > 35, "the library makes %d system calls that can be refused",
            used_count);
    forget_stored();
    rmdir(folder);
    return check_failed;
}

#else

int main(void)
{
    PROMISE(sizeof impossible > 0, "there is no filter for this processor, and no test");
    return check_failed;
}

#endif
