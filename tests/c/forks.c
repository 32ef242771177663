/* Forks during blocking and asynchronous calls. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>

#include "allocator.h"
#include "calls.h"
#include "children.h"

static int child_of_async_parent(zelf_client *client, struct record *inherited)
{
    struct record own = {0};
    zelf_error *error = NULL;
    zelf_session *session;
    zelf_client *fresh;
    double began = seconds_now();
    int fine;

    alarm(20);
    fine = !zelf_session_create_async(client, NULL, on_session, &own, on_destroy, &error)
           && zelf_error_status(error) == ZELF_ERROR_FORKED
           && zelf_client_shutdown(client, 1000) == ZELF_ERROR_FORKED
           && zelf_client_dispatch(client) == ZELF_ERROR_FORKED
           && zelf_client_descriptor(client) == -1 && own.called == 0
           && seconds_now() - began < 0.1;
    zelf_error_free(error);
    zelf_call_cancel(inherited->call);
    zelf_call_free(inherited->call);
    session = create(client, "forked-blocking-x", NULL);
    fine &= session != NULL && inherited->called == 0;
    zelf_session_free(session);
    zelf_client_free(client);

    fresh = sandbox_client(1, 5000, 1);
    fine &= start(fresh, &own, "forked-fresh-x") && await(&own, 1, 5)
            && exactly_once(&own, 1, ZELF_OK) == 1
            && zelf_client_shutdown(fresh, 1000) == ZELF_OK;
    release(&own, 1);
    zelf_client_free(fresh);
    return fine && inherited->called == 0 ? 7 : 8;
}

static void a_child_is_told_what_it_cannot_do(void)
{
    zelf_client *client = sandbox_client(1, 15000, 1);
    struct record record = {0};
    pid_t child;

    fault("{\"kind\":\"delay\",\"ms\":600,\"times\":1}");
    start(client, &record, "parent-x");
    usleep(50000);
    child = fork();
    if (child == 0) _exit(child_of_async_parent(client, &record));
    PROMISE(status_of(child) == 7,
            "in a child asynchronous objects answer ZELF_ERROR_FORKED at once, blocking calls and "
            "new clients work");
    PROMISE(await(&record, 1, 5) && exactly_once(&record, 1, ZELF_OK) == 1,
            "the parent's call succeeds once");
    release(&record, 1);
    zelf_client_free(client);
    fault(NULL);

    client = sandbox_client(1, 5000, 1);
    zelf_session_free(create(client, "blocking-parent-x", NULL));
    child = fork();
    if (child == 0) {
        struct record own = {0};
        alarm(20);
        _exit(start(client, &own, "late-async-x") && await(&own, 1, 5)
                      && exactly_once(&own, 1, ZELF_OK) == 1
                      && zelf_client_shutdown(client, 1000) == ZELF_OK
                  ? 7 : 8);
    }
    PROMISE(status_of(child) == 7,
            "a client whose parent made only blocking calls takes an asynchronous call in a child");
    zelf_client_free(client);

    client = sandbox_client(1, 5000, 1);
    zelf_client_dispatch(client);
    child = fork();
    if (child == 0) _exit(zelf_client_shutdown(client, 1000) == ZELF_OK ? 7 : 8);
    PROMISE(status_of(child) == 7,
            "a child can shut down a client whose parent's dispatch was refused");
    zelf_client_free(client);
}

/* ---- What a child frees must be destroyed by its parent ---- */

static int destroys;

static void count_destroy(void *user_data)
{
    (void)user_data;
    destroys++;
}

static int messages;

static void count_message(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    messages++;
}

static void take_note(const zelf_session *session, void *user_data)
{
    (void)session, (void)user_data;
}

/* All objects to which the parent's program has given data. */
struct inherited {
    zelf_config *config, *changed;
    zelf_client *client;
    zelf_provider_options *keeping;
    zelf_session_provider *provider;
};

static void free_all(struct inherited *all)
{
    zelf_session_provider_free(all->provider);
    zelf_provider_options_free(all->keeping);
    zelf_client_free(all->client);
    zelf_config_free(all->config);
    /* This replaces the callback by another one. */
    zelf_config_set_log_callback(all->changed, NULL, NULL, NULL, ZELF_LOG_ERROR);
    zelf_config_free(all->changed);
}

static void a_child_frees_and_the_parent_destroys(int is_used)
{
    struct inherited all;
    zelf_session_options *options = options_for("forked-provider-x");
    struct record record = {0};
    pid_t child;

    destroys = messages = 0;
    all.config = tls_config();
    zelf_config_set_log_callback(all.config, count_message, NULL, count_destroy,
                                 is_used ? ZELF_LOG_DEBUG : ZELF_LOG_ERROR);
    all.changed = zelf_config_new();
    zelf_config_set_log_callback(all.changed, count_message, NULL, count_destroy, ZELF_LOG_ERROR);
    all.client = zelf_client_new(all.config, NULL);
    all.keeping = zelf_provider_options_new();
    zelf_provider_options_set_renewed_callback(all.keeping, take_note, NULL, count_destroy);
    all.provider = zelf_session_provider_new(all.client, options, all.keeping, NULL);
    if (is_used) {
        zelf_session_free(zelf_session_provider_get(all.provider, NULL));
        start(all.client, &record, "forked-parent-x");
        await(&record, 1, 5);
    }
    child = fork();
    if (child == 0) {
        zelf_config *own = zelf_config_new();
        alarm(20);
        zelf_session_free(create(all.client, "forked-child-x", NULL));
        free_all(&all);
        if (destroys != 0) _exit(8);
        /* The child owns what it has set. */
        zelf_config_set_log_callback(own, count_message, NULL, count_destroy, ZELF_LOG_ERROR);
        zelf_config_free(own);
        _exit(destroys == 1 ? 7 : 9);
    }
    PROMISE(status_of(child) == 7 && destroys == 0 && (messages > 0) == is_used,
            "a child that frees what it inherited, %s by its parent, destroys nothing",
            is_used ? "used" : "not used");
    zelf_client_shutdown(all.client, 5000);
    free_all(&all);
    PROMISE(destroys == 3, "the parent destroys all of it, once: %d", destroys);
    release(&record, is_used);
    zelf_session_options_free(options);
}

/* ---- A fork at each allocation of the main thread's first call ---- */

static volatile int allocations_left = -1, main_is_stopped, main_may_go_on;
static pthread_t main_thread;

static void count_allocation(void)
{
    if (allocations_left < 0 || !pthread_equal(pthread_self(), main_thread)) return;
    if (allocations_left-- > 0) return;
    main_is_stopped = 1;
    while (!main_may_go_on) usleep(100);
}

void *malloc(size_t size)
{
    count_allocation();
    return real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_allocation();
    return real_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    count_allocation();
    return real_realloc(old, size);
}

static zelf_client *client_of_main;
static int child_ended_with;

static void *forks_when_main_is_stopped(void *is_over)
{
    pid_t child;
    while (!main_is_stopped) {
        if (*(volatile int *)is_over) return NULL;
        usleep(100);
    }
    allocations_left = -1;
    child = fork();
    if (child == 0) {
        alarm(10);
        _exit(create(client_of_main, "stopped-child-x", NULL) ? 7 : 8);
    }
    child_ended_with = status_of(child);
    main_may_go_on = 1;
    return NULL;
}

/* Returns 7 if the child succeeded, and 6 if there are fewer allocations. */
static int first_call_stopped_at(int allocation)
{
    pthread_t forker;
    volatile int is_over = 0;
    zelf_session *session;

    alarm(20);
    main_thread = pthread_self();
    client_of_main = sandbox_client(1, 5000, 1);
    pthread_create(&forker, NULL, forks_when_main_is_stopped, (void *)&is_over);
    allocations_left = allocation;
    session = create(client_of_main, "stopped-x", NULL);
    allocations_left = -1;
    is_over = 1;
    pthread_join(forker, NULL);
    if (!session) return 8;
    return main_is_stopped ? child_ended_with : 6;
}

static void a_child_may_be_forked_at_any_moment_of_a_first_call(void)
{
    int allocation, status = 7;
    for (allocation = 0; status == 7; allocation++) {
        pid_t child = fork();
        if (child == 0) _exit(first_call_stopped_at(allocation));
        status = status_of(child);
    }
    PROMISE(status == 6 && allocation > 20,
            "another thread may fork at each of the %d allocations of main's first call, and the "
            "child makes its own", allocation - 1);
}

#define WORKERS 4
#define VISITS 40

/* Answers each connection with the identifier of a session, like a web server with worker
   processes. */
static void serve(int listener, zelf_client *client, int worker)
{
    char identifier[32];
    snprintf(identifier, sizeof identifier, "worker-x-%d", worker);
    for (;;) {
        int visitor = accept(listener, NULL, NULL);
        zelf_session *session = create(client, identifier, NULL);
        const char *answer = session ? zelf_session_identifier(session) : "none";
        (void)!write(visitor, answer, strlen(answer));
        zelf_session_free(session);
        close(visitor);
    }
}

static void a_preforking_server_works(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session *session = create(client, "prefork-parent-x", NULL);
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), i, right = 0, seen[WORKERS] = {0};
    pid_t workers[WORKERS];

    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 64);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (i = 0; i < WORKERS; i++)
        if ((workers[i] = fork()) == 0) serve(listener, client, i);
    for (i = 0; i < VISITS; i++) {
        char answer[64] = "";
        int worker, s = socket(AF_INET, SOCK_STREAM, 0);
        connect(s, (struct sockaddr *)&at, sizeof at);
        (void)!read(s, answer, sizeof answer - 1);
        close(s);
        if (sscanf(answer, "worker-x-%d", &worker) == 1 && worker < WORKERS) {
            right++;
            seen[worker] = 1;
        }
    }
    for (i = 0; i < WORKERS; i++) {
        kill(workers[i], SIGTERM);
        waitpid(workers[i], NULL, 0);
    }
    close(listener);
    zelf_session_free(session);
    session = create(client, "prefork-parent-x", NULL);
    PROMISE(right == VISITS && seen[0] + seen[1] + seen[2] + seen[3] > 1 && session,
            "a pre-forking server serves with the client its workers inherited: %d of %d", right,
            VISITS);
    zelf_session_free(session);
    zelf_client_free(client);
}

/* Forks a child with the same process ID as its parent: both are the first of their namespace.
   Needs root. */
static void a_child_in_another_namespace_is_a_child(void)
{
    pid_t child = fork();
    int end;
    if (child == 0) {
        alarm(30);
        if (unshare(CLONE_NEWPID) != 0) _exit(9);
        child = fork();
        if (child == 0) {
            zelf_client *client = sandbox_client(1, 5000, 1);
            struct record record = {0};
            start(client, &record, "namespace-x");
            if (!await(&record, 1, 5) || unshare(CLONE_NEWPID) != 0) _exit(9);
            child = fork();
            if (child == 0)
                _exit(getpid() == 1 && zelf_client_shutdown(client, 100) == ZELF_ERROR_FORKED ? 7 : 8);
            _exit(getpid() == 1 ? status_of(child) : 9);
        }
        _exit(status_of(child));
    }
    end = status_of(child);
    if (end == 9) printf("# not allowed to make a namespace of processes\n");
    else PROMISE(end == 7, "a child with its parent's process number gets ZELF_ERROR_FORKED");
}

static int forks_in_handler;

static void forks_here(int signal)
{
    int before = errno;
    pid_t process = fork();
    (void)signal;
    if (process == 0) _exit(0);
    if (process > 0 && waitpid(process, NULL, 0) == process) forks_in_handler++;
    errno = before;
}

/* POSIX allowed fork in signal handlers until 2017. */
static void a_signal_handler_may_fork(void)
{
    struct sigaction action;
    struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    pid_t process;
    int status = 0, ms;

    fflush(stdout);
    process = fork();
    if (process == 0) {
        int i, fine = 0;
        memset(&action, 0, sizeof action);
        action.sa_handler = forks_here;
        action.sa_flags = SA_RESTART;
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &often, NULL);
        for (i = 0; i < 100; i++) {
            zelf_client *client = sandbox_client(0, 10000, 1);
            zelf_session *session = create(client, "forks-handler-x", NULL);
            fine += session != NULL;
            zelf_session_free(session);
            zelf_client_free(client);
        }
        setitimer(ITIMER_REAL, &never, NULL);
        _exit(fine == 100 && forks_in_handler > 0 ? 7 : 8);
    }
    /* Only the child has the alarm. */
    for (ms = 0; ms < 60000 && waitpid(process, &status, WNOHANG) == 0; ms += 10) usleep(10000);
    if (ms >= 60000) {
        kill(process, SIGKILL);
        waitpid(process, &status, 0);
    }
    status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    PROMISE(status == 7, "a signal handler may fork during calls: %d", status);
}

static int forked_on_io_thread;

/* Forks once on a thread of the client. The child returns from the callback. */
static void forks_and_returns(const zelf_session *session, void *user_data)
{
    const pthread_t *host = user_data;
    pid_t process;
    (void)session;
    if (pthread_equal(*host, pthread_self()) || get_flag(&forked_on_io_thread)) return;
    process = fork();
    if (process == 0) alarm(20);
    set_flag(&forked_on_io_thread, process == 0 ? getpid() : process);
}

static void a_child_forked_in_a_renewed_callback_ends(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_options *options = options_for("forks-renewed-x");
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_session *session;
    pthread_t host = pthread_self();
    double began = seconds_now();
    int status;

    zelf_provider_options_set_background(how, true);
    zelf_provider_options_set_renewed_callback(how, forks_and_returns, &host, NULL);
    provider = zelf_session_provider_new(client, options, how, NULL);
    while (!get_flag(&forked_on_io_thread) && seconds_now() - began < AT_ONCE) usleep(1000);
    status = get_flag(&forked_on_io_thread) ? status_of(get_flag(&forked_on_io_thread)) : -2;
    PROMISE(status == 0, "a child forked in a renewed callback ends when the callback returns: %d",
            status);
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session != NULL, "the parent's provider still has a session");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
}

int main(void)
{
    /* This one is first, because it tests what a process does once. */
    a_child_may_be_forked_at_any_moment_of_a_first_call();
    a_child_is_told_what_it_cannot_do();
    a_child_frees_and_the_parent_destroys(0);
    a_child_frees_and_the_parent_destroys(1);
    a_preforking_server_works();
    a_child_in_another_namespace_is_a_child();
    a_child_forked_in_a_renewed_callback_ends();
    if (!getenv("ZELF_QUICK")) a_signal_handler_may_fork();
    return check_failed;
}
