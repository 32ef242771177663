/* A system that refuses one system call after another, as sandboxes and containers do. No call may
   hang or have a bug, and each call that fails names what was refused.

     refusals         every system call that the library makes
     refusals NUMBER  one of them
   A number in ZELF_ERRNO tries only this error. A part needs the rights of root, and is skipped
   without them: the name look-ups, and a system without /dev. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "children.h"
#include "folder.h"
#include "name_server.h"
#include "sends.h"
#include "system_calls.h"

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LAST_NUMBER 470
/* The time limit of each call. A call that is refused ends earlier. */
#define LIMIT_MS 6000
#define MOST_SECONDS_REFUSED 4
/* The limit for a child, which has about twenty calls. */
#define MOST_SECONDS 90

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
    {SYS_setns, "the test cannot enter the network of its name server"},
};

#ifdef ARCHITECTURE

struct outcome {
    const char *what;
    zelf_status status, usual;
    char message[400];
    double ended;
};

#define STEPS 40
#define A_SHUTDOWN "a shutdown"
struct report {
    struct outcome outcomes[STEPS];
    int count, is_over;
    double began;
};

/* As many children run at once, each with its own report, folder and identifiers. */
#define CHILDREN 5
static struct report *reports;
static char folders[CHILDREN][64];

/* The number of this child, and its report. */
static int self;
static struct report *report;

static char folder[] = "/tmp/zelf-refusals-XXXXXX";
static char name_of_host[256];
static struct name_server name_server;
static int has_name_server;

/* Returns the place for the result of the next step. */
static struct outcome *next_outcome(void)
{
    if (report->count == STEPS) abort();
    report->outcomes[report->count].ended = seconds_now();
    return &report->outcomes[report->count++];
}

/* Records the result of a step, and frees the error. */
static void note(const char *what, zelf_status usual, zelf_error *error)
{
    struct outcome *outcome = next_outcome();
    outcome->what = what;
    outcome->usual = usual;
    outcome->status = zelf_error_status(error);
    snprintf(outcome->message, sizeof outcome->message, "%s",
             error ? zelf_error_message(error) : "");
    zelf_error_free(error);
}

static void note_status(const char *what, zelf_status status)
{
    struct outcome *outcome = next_outcome();
    outcome->what = what;
    outcome->status = status;
}

/* Returns an identifier of this child. */
static const char *identifier_of(const char *use)
{
    static char identifier[64];
    snprintf(identifier, sizeof identifier, "refusals-%s-%d", use, self);
    return identifier;
}

/* When a child sets its filter. */
enum when {
    FIRST, /* before it makes a client; the steps are new clients and one call */
    EARLY, /* before the first call */
    LATE,  /* after some calls */
    WHOLE  /* before it makes a client; all steps */
};
static const char *const names_of_when[] = {"first", "early", "late", "from the start"};

/* System calls by their numbers, and the action for them. */
struct filter {
    long first, last;
    unsigned action;
    enum when when;
    /* The folder /dev is empty. */
    int is_without_devices;
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

/* An asynchronous call in progress. */
struct waiting {
    const char *what;
    int has_ended;
};

static void on_ended(zelf_session *session, zelf_error *error, void *user_data)
{
    struct waiting *waiting = user_data;
    zelf_session_free(session);
    note(waiting->what, ZELF_OK, error);
    set_flag(&waiting->has_ended, 1);
}

static void on_sent(zelf_response *response, zelf_error *error, void *user_data)
{
    struct waiting *waiting = user_data;
    zelf_response_free(response);
    note(waiting->what, ZELF_OK, error);
    set_flag(&waiting->has_ended, 1);
}

/* Waits for the callback of a call, or records the error with which it did not begin. It makes no
   system call that may be refused. */
static void wait_for(const struct waiting *waiting, zelf_call *call, zelf_error *error)
{
    double began = seconds_now();
    if (!call) {
        note(waiting->what, ZELF_OK, error);
        return;
    }
    while (!get_flag(&waiting->has_ended) && seconds_now() - began < 10) sched_yield();
    if (!get_flag(&waiting->has_ended)) {
        note_status(waiting->what, ZELF_ERROR_TIMEOUT);
        /* A late callback has no place for its result. */
        _exit(6);
    }
    zelf_call_free(call);
}

struct clients {
    zelf_client *blocking, *other, *dispatched, *named, *far;
    zelf_session_provider *provider, *asking, *background;
    zelf_session_options *options;
    zelf_request *request, *small;
    zelf_config *config;
};

static zelf_client *made_of(zelf_config *config)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(config, &error);
    note("a new client", ZELF_OK, error);
    zelf_config_free(config);
    return client;
}

static zelf_config *brief(void)
{
    zelf_config *config = tls_config();
    zelf_config_set_timeout_ms(config, LIMIT_MS);
    return config;
}

static zelf_config *brief_to(const char *host)
{
    zelf_config *config = brief();
    char url[300];
    snprintf(url, sizeof url, "https://%s:1", host);
    zelf_config_set_base_url(config, url);
    return config;
}

static zelf_session_provider *provider_with(zelf_client *client, const char *use,
                                            const char *directory, bool is_background)
{
    zelf_session_options *options = options_for(identifier_of(use));
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_error *error = NULL;
    zelf_provider_options_set_directory(how, directory);
    zelf_provider_options_set_background(how, is_background);
    provider = zelf_session_provider_new(client, options, how, &error);
    note(is_background ? "a provider in the background" : "a new provider", ZELF_OK, error);
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    return provider;
}

/* Makes the clients and what they need. Returns 0 if the system refuses a client. */
static int make(struct clients *all)
{
    static char body[1 << 20];
    zelf_config *config;
    all->options = options_for(identifier_of("x"));
    all->config = brief();
    all->blocking = made_of(brief());
    if (!all->blocking) return 0;
    all->other = made_of(brief());
    config = brief();
    zelf_config_set_dispatch(config, true);
    all->dispatched = made_of(config);
    all->far = made_of(brief_to(has_name_server ? NAME_OF_SERVER : "nobody.invalid"));
    if (*name_of_host) all->named = made_of(brief_to(name_of_host));
    all->provider = provider_with(all->other, "x", folders[self], false);
    all->asking = provider_with(all->blocking, "asking", NULL, false);
    memset(body, 'x', sizeof body);
    all->request = zelf_request_new("POST", "/sandbox/echo");
    zelf_request_set_body(all->request, body, sizeof body, "text/plain");
    zelf_request_set_timeout_ms(all->request, LIMIT_MS);
    all->small = zelf_request_new("GET", "/sandbox/echo");
    zelf_request_set_timeout_ms(all->small, LIMIT_MS);
    return 1;
}

static void create_blocking(zelf_client *client, const zelf_session_options *options,
                            const char *what, zelf_status usual)
{
    zelf_error *error = NULL;
    zelf_session_free(zelf_session_create(client, options, &error));
    note(what, usual, error);
}

/* Gets a session from the server, also if the provider has one. */
static void get_blocking(zelf_session_provider *provider, const char *what)
{
    zelf_error *error = NULL;
    zelf_session *held = zelf_session_provider_current(provider);
    zelf_session_provider_invalidate(provider, held);
    zelf_session_free(held);
    zelf_session_free(zelf_session_provider_get(provider, &error));
    note(what, ZELF_OK, error);
}

/* Looks up a name for which the C library asks a name server. */
static void look_up(struct clients *all, long number)
{
    static const char what[] = "a name of the network";
    if (has_name_server) {
        if (setns(name_server.network, CLONE_NEWNET) != 0) _exit(5);
        create_blocking(all->far, all->options, what, ZELF_ERROR_CONNECT);
        if (setns(name_server.usual_network, CLONE_NEWNET) != 0) _exit(5);
    } else if (number == SYS_socket || number == SYS_connect) {
        /* Every look-up fails without it, and none succeeds. */
        create_blocking(all->far, all->options, what, ZELF_OK);
    }
}

static void call_without_threads(struct clients *all, long number)
{
    char identifier[ZELF_IDENTIFIER_SIZE];
    zelf_error *error = NULL;
    zelf_client_free(made_of(brief()));
    note_status("a random identifier", zelf_identifier_random(identifier, sizeof identifier));
    create_blocking(all->blocking, all->options, "a blocking call", ZELF_OK);
    get_blocking(all->provider, "a provider with storage");
    zelf_response_free(zelf_session_provider_send(all->provider, all->request, &error));
    note("a large request", ZELF_OK, error);
    if (all->named)
        create_blocking(all->named, all->options, "a name in a file", ZELF_ERROR_CONNECT);
    look_up(all, number);
}

static void call_in_background(struct clients *all)
{
    if (!all->background)
        all->background = provider_with(all->other, "background", NULL, true);
    if (!all->background) return;
    get_blocking(all->background, "a get in the background");
    note("the last error of the background", ZELF_OK,
         zelf_session_provider_last_error(all->background));
}

static void call_with_threads(struct clients *all)
{
    struct waiting create = {"an asynchronous call", 0}, get = {"an asynchronous get", 0},
                   send = {"an asynchronous request", 0},
                   send_alone = {"an asynchronous request without a session", 0};
    zelf_error *error = NULL;
    zelf_call *call = zelf_session_create_async(all->blocking, all->options, on_ended, &create, NULL,
                                                &error);
    wait_for(&create, call, error);
    error = NULL;
    call = zelf_session_provider_get_async(all->asking, on_ended, &get, NULL, &error);
    wait_for(&get, call, error);
    error = NULL;
    call = zelf_session_provider_send_async(all->asking, all->small, on_sent, &send, NULL, &error);
    wait_for(&send, call, error);
    error = NULL;
    call = zelf_session_send_async(all->blocking, NULL, all->request, on_sent, &send_alone, NULL,
                                   &error);
    wait_for(&send_alone, call, error);
    note_status(A_SHUTDOWN, zelf_client_shutdown(all->blocking, 5000));
}

static void call_with_dispatch(struct clients *all)
{
    struct waiting dispatched = {"a dispatched call", 0};
    struct pollfd due;
    zelf_error *error = NULL;
    zelf_call *call = zelf_session_create_async(all->dispatched, all->options, on_ended, &dispatched,
                                                NULL, &error);
    double began = seconds_now();
    due.fd = zelf_client_descriptor(all->dispatched);
    due.events = POLLIN;
    while (call && !dispatched.has_ended && seconds_now() - began < 10) {
        poll(&due, 1, 10);
        zelf_client_dispatch(all->dispatched);
    }
    wait_for(&dispatched, call, error);
}

static void end(struct clients *all)
{
    zelf_session_provider_free(all->provider);
    zelf_session_provider_free(all->asking);
    zelf_session_provider_free(all->background);
    zelf_client_free(all->blocking);
    zelf_client_free(all->other);
    zelf_client_free(all->dispatched);
    zelf_client_free(all->named);
    zelf_client_free(all->far);
    zelf_session_options_free(all->options);
    zelf_request_free(all->request);
    zelf_request_free(all->small);
    zelf_config_free(all->config);
}

/* Uses each client once, like a program that sets its filter late. */
static void warm_up(struct clients *all)
{
    struct record record = {0};
    all->background = provider_with(all->other, "background", NULL, true);
    zelf_session_free(zelf_session_create(all->blocking, all->options, NULL));
    zelf_session_free(zelf_session_provider_get(all->provider, NULL));
    zelf_session_free(zelf_session_provider_get(all->background, NULL));
    if (!start(all->blocking, &record, identifier_of("warm")) || !await(&record, 1, 10)) _exit(8);
    release(&record, 1);
}

static void child(const struct filter *filter)
{
    struct clients all = {0};
    int is_before = filter->when == FIRST || filter->when == WHOLE;
    alarm(MOST_SECONDS);
    report->began = seconds_now();
    if (filter->is_without_devices
        && (separate_files() != 0 || mount("none", "/dev", "tmpfs", 0, NULL) != 0))
        _exit(4);
    if (is_before) set(filter);
    if (make(&all)) {
        if (filter->when == LATE) warm_up(&all);
        if (!is_before) set(filter);
        if (filter->when == FIRST) {
            create_blocking(all.blocking, all.options, "a blocking call", ZELF_OK);
        } else {
            call_without_threads(&all, filter->first == filter->last ? filter->first : -1);
            call_in_background(&all);
            call_with_threads(&all);
            call_with_dispatch(&all);
        }
    }
    end(&all);
    report->is_over = 1;
    _exit(7);
}

/* Runs a child for each filter, all at once, and returns their wait statuses. */
static void run(const struct filter *filters, int count, int *statuses)
{
    pid_t processes[CHILDREN];
    int i;
    memset(reports, 0, CHILDREN * sizeof *reports);
    fflush(stdout);
    for (i = 0; i < count; i++) {
        /* The provider would use the session that an earlier child has stored. */
        empty_folder(folders[i]);
        processes[i] = fork();
        if (processes[i] == 0) {
            self = i;
            report = &reports[i];
            child(&filters[i]);
        }
    }
    for (i = 0; i < count; i++) waitpid(processes[i], &statuses[i], 0);
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
static int is_used[LAST_NUMBER + 1];

/* Ranges of system calls that have to be tried. */
static struct filter untried[LAST_NUMBER + 1];
static int untried_count;

/* Adds a range, without its impossible numbers. */
static void add_range(long first, long last)
{
    const struct filter filter = {first, last, SECCOMP_RET_KILL_PROCESS, WHOLE, 0};
    long excluded = impossible_in(first, last);
    if (first > last) return;
    if (excluded >= 0) {
        add_range(first, excluded - 1);
        add_range(excluded + 1, last);
    } else {
        untried[untried_count++] = filter;
    }
}

/* Finds the system calls that a child makes: a child that makes one of a range is killed. */
static void find_used(void)
{
    add_range(0, LAST_NUMBER);
    while (untried_count > 0) {
        struct filter tried[CHILDREN];
        int statuses[CHILDREN], count = 0, i;
        while (untried_count > 0 && count < CHILDREN) tried[count++] = untried[--untried_count];
        run(tried, count, statuses);
        for (i = 0; i < count; i++) {
            long first = tried[i].first, last = tried[i].last, middle = first + (last - first) / 2;
            if (is_fine(statuses[i])) continue;
            if (first == last) {
                is_used[first] = 1;
            } else {
                add_range(first, middle);
                add_range(middle + 1, last);
            }
        }
    }
}

/* Returns whether a message says that a call was refused, and with which error. */
static int names(const char *message, const struct system_call *call, int why)
{
    char form[300];
    const char *found;
    snprintf(form, sizeof form, ": %s", call->word);
    found = *call->word ? strstr(message, form) : NULL;
    if (!found) return 0;
    found += strlen(form);
    /* The function of the C library which makes the call. */
    if (strncmp(found, ", which ", 8) == 0) {
        found = strstr(found + 8, " needs,");
        if (!found) return 0;
        found += strlen(" needs,");
    }
    snprintf(form, sizeof form, " was refused (%s (os error %d)); ", strerror(why), why);
    return strncmp(found, form, strlen(form)) == 0;
}

/* Returns whether a step has its usual result, or names the call that was refused, in time. */
static int is_right(const struct outcome *outcome, double took, const struct system_call *call,
                    int why)
{
    /* Without it, nothing can wake the I/O thread. It continues with its next timer. */
    int is_asleep = call->number == SYS_write;
    if (outcome->status == outcome->usual) return 1;
    if (is_asleep && outcome->status == ZELF_ERROR_TIMEOUT && strcmp(outcome->what, A_SHUTDOWN) == 0)
        return 1;
    if (outcome->status != ZELF_ERROR_SYSTEM) return 0;
    if (took > MOST_SECONDS_REFUSED && !is_asleep) return 0;
    /* A status alone has no message. */
    if (!*outcome->message) return 1;
    if (why != EMFILE && strstr(outcome->message, "raise the limit")) return 0;
    return names(outcome->message, call, why);
}

/* Promises how a child has ended that was refused one system call. Returns how many of its steps
   fail. */
static int judge(const struct filter *filter, int why, int status)
{
    const struct system_call *call = find_call(filter->first);
    double began = report->began;
    int i, wrong = 0, refused = 0;
    for (i = 0; i < report->count; i++) {
        const struct outcome *outcome = &report->outcomes[i];
        double took = outcome->ended - began;
        began = outcome->ended;
        refused += outcome->status == ZELF_ERROR_SYSTEM;
        if (is_right(outcome, took, call, why)) continue;
        wrong++;
        printf("# %s %s, %s: %s is %s after %.1f s: %s\n", call->name, names_of_when[filter->when],
               strerror(why), outcome->what, zelf_status_name(outcome->status), took,
               outcome->message);
    }
    if (!is_fine(status) && report->count > 0)
        printf("# the last step was %s\n", report->outcomes[report->count - 1].what);
    PROMISE(is_fine(status) && report->is_over && wrong == 0,
            "%s (%ld) refused %s with \"%s\"%s: %d of %d steps fail, and name it (status %x)",
            call->name, filter->first, names_of_when[filter->when], strerror(why),
            filter->is_without_devices ? " and without /dev" : "", refused, report->count,
            (unsigned)status);
    return refused;
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

/* Refuses a system call with each error. Returns how many steps fail. */
static int refuse_with_each(long number, enum when when, int is_without_devices)
{
    static const int errors[CHILDREN] = {EPERM, EACCES, ENOSYS, EMFILE, ENOMEM};
    const char *only = getenv("ZELF_ERRNO");
    struct filter filters[CHILDREN];
    int why[CHILDREN], statuses[CHILDREN], i, count = 0, refused = 0;
    for (i = 0; i < CHILDREN; i++) {
        const struct filter filter
            = {number, number, SECCOMP_RET_ERRNO | (unsigned)errors[i], when, is_without_devices};
        if (only && atoi(only) != errors[i]) continue;
        why[count] = errors[i];
        filters[count++] = filter;
    }
    run(filters, count, statuses);
    for (i = 0; i < count; i++) {
        report = &reports[i];
        refused += judge(&filters[i], why[i], statuses[i]);
    }
    return refused;
}

static void refuse_always(long number)
{
    const struct system_call *call = find_call(number);
    int refused = refuse_with_each(number, FIRST, 0);
    refused += refuse_with_each(number, EARLY, 0);
    refused += refuse_with_each(number, LATE, 0);
    if (call->is_needed == BY_LOOK_UPS && !has_name_server) return;
    PROMISE(call->is_needed ? refused > 0 : refused == 0, "%s is %s: %d steps fail without it",
            call->name, call->is_needed ? "needed" : "not needed", refused);
}

static void refuse_random_numbers_without_devices(void)
{
    int refused = refuse_with_each(SYS_getrandom, FIRST, 1);
    refused += refuse_with_each(SYS_getrandom, EARLY, 1);
    refused += refuse_with_each(SYS_getrandom, LATE, 1);
    PROMISE(refused > 0, "without /dev, getrandom is needed: %d steps fail without it", refused);
}

static void make_folders(void)
{
    int i;
    if (!mkdtemp(folder)) exit(1);
    for (i = 0; i < CHILDREN; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/%d", folder, i);
        mkdir(folders[i], 0700);
    }
}

static void remove_folders(void)
{
    int i;
    for (i = 0; i < CHILDREN; i++) remove_folder(folders[i]);
    rmdir(folder);
}

int main(int count, char **arguments)
{
    int number, used_count = 0;

    reports = mmap(NULL, CHILDREN * sizeof *reports, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_folders();
    find_name();
    has_name_server = start_name_server(&name_server) == 0;
    if (!has_name_server)
        printf("skipped - refused name look-ups, and a system without /dev (unshare and mount)\n");
    if (count > 1)
        is_used[atoi(arguments[1])] = 1;
    else
        find_used();
    for (number = 0; number <= LAST_NUMBER; number++) {
        if (!is_used[number]) continue;
        used_count++;
        refuse_always(number);
    }
    if (has_name_server) {
        if (count == 1 || is_used[SYS_getrandom]) refuse_random_numbers_without_devices();
        stop_name_server(&name_server);
    }
    PROMISE(count > 1 || used_count > 35, "the library makes %d system calls that can be refused",
            used_count);
    remove_folders();
    return check_failed;
}

#else

int main(void)
{
    PROMISE(sizeof impossible > 0, "there is no filter for this processor, and no test");
    return check_failed;
}

#endif
