/* Forks around blocking and asynchronous calls. */
#include <sched.h>
#include <signal.h>

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
            "and the parent's call is none the worse");
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
            "a client whose parent made blocking calls only is as good as new in a child");
    zelf_client_free(client);

    client = sandbox_client(1, 5000, 1);
    zelf_client_dispatch(client);
    child = fork();
    if (child == 0) _exit(zelf_client_shutdown(client, 1000) == ZELF_OK ? 7 : 8);
    PROMISE(status_of(child) == 7, "dispatching what cannot be dispatched takes it from no child");
    zelf_client_free(client);
}

/* ---- A fork at each allocation of the main thread's first call ---- */

static volatile int allocations_left = -1, main_is_stopped, main_may_go_on;
static pthread_t main_thread;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

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
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_allocation();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    count_allocation();
    return __libc_realloc(old, size);
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

/* 7: the child was fine; 6: there are not so many allocations. */
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

/* Answers each visitor with a session's identifier, as web servers with workers do. */
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

/* A child that has the number of its parent: both are the first of their
   namespace. Takes root. */
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
    else PROMISE(end == 7, "a child with its parent's number is told from it");
}

int main(void)
{
    /* First: it is about what a process does once. */
    a_child_may_be_forked_at_any_moment_of_a_first_call();
    a_child_is_told_what_it_cannot_do();
    a_preforking_server_works();
    a_child_in_another_namespace_is_a_child();
    return check_failed;
}
