/* Forks, signals and exits around asynchronous calls. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "calls.h"

/* How a child ends, or -1 when a signal or the alarm ended it. */
static int status_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int child_of_async_parent(zelf_client *client, struct record *inherited)
{
    struct record own = {0};
    zelf_error *error = NULL;
    zelf_session *session;
    zelf_client *fresh;
    int fine;

    alarm(20);
    fine = !zelf_session_create_async(client, NULL, on_session, &own, on_destroy, &error)
           && zelf_error_status(error) == ZELF_ERROR_FORKED
           && zelf_client_shutdown(client, 1000) == ZELF_ERROR_FORKED
           && zelf_client_dispatch(client) == ZELF_ERROR_FORKED && own.called == 0;
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
            "in a child asynchronous objects answer ZELF_ERROR_FORKED, blocking calls and new "
            "clients work");
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

/* The signals that the threads of ours block, from /proc. */
static void our_threads_take_no_signals(void)
{
    static struct record record;
    zelf_client *client = sandbox_client(1, 5000, 1);
    DIR *tasks;
    struct dirent *task;
    int looked = 0, right = 0;

    start(client, &record, "signals-x");
    await(&record, 1, 5);
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
                 && !BLOCKS(SIGSEGV) && !BLOCKS(SIGBUS) && !BLOCKS(SIGFPE) && !BLOCKS(SIGILL);
    }
    closedir(tasks);
    PROMISE(looked == 2 && right == 2,
            "both threads block what is meant for the host, but for SIGPROF and the faults");
    zelf_client_shutdown(client, 1000);
    release(&record, 1);
    zelf_client_free(client);
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

/* ---- exit ---- */

static volatile int host_is_gone;
static pthread_t blocking_thread;

static void tear_down(void) { host_is_gone = 1; }

static void look_for_the_host(struct record *record)
{
    (void)record;
    if (host_is_gone) _exit(9);
    usleep(200);
    if (host_is_gone) _exit(10);
}

static void log_for_the_host(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    /* A thread of the host's may be in the middle of a blocking call. */
    if (host_is_gone && pthread_self() != blocking_thread) _exit(11);
}

static void exit_here(struct record *record)
{
    (void)record;
    exit(7);
}

static void *exit_elsewhere(void *delay)
{
    usleep((useconds_t)(size_t)delay);
    exit(7);
}

static void *block(void *client)
{
    while (!host_is_gone) zelf_session_free(zelf_session_create(client, NULL, NULL));
    return NULL;
}

/* A process with 50 calls in flight, and one that blocks, ends by exit(). */
static void live_and_exit(int round)
{
    static struct record records[50];
    zelf_config *config = tls_config();
    zelf_client *client;
    char identifier[32];
    int i;

    alarm(20);
    /* What exit() takes down first is what was set up last, so this is still
       there when the library has let go. */
    atexit(tear_down);
    zelf_config_set_log_callback(config, log_for_the_host, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    pthread_create(&blocking_thread, NULL, block, client);
    for (i = 0; i < 50; i++) {
        records[i].then = round % 3 == 2 && i == 25 ? exit_here : look_for_the_host;
        snprintf(identifier, sizeof identifier, "exit-x-%d-%d", round, i);
        start(client, &records[i], identifier);
    }
    if (round % 3 == 1) {
        pthread_t other;
        pthread_create(&other, NULL, exit_elsewhere, (void *)(size_t)(round * 300));
    } else if (round % 3 == 0) {
        usleep((useconds_t)round * 300);
        exit(7);
    }
    for (;;) pause();
}

static void a_process_may_exit_at_any_moment(void)
{
    int round, fine = 0, ended[3] = {0, 0, 0};
    double began = seconds_now();
    for (round = 0; round < 90; round++) {
        pid_t child = fork();
        int status;
        if (child == 0) live_and_exit(round);
        status = status_of(child);
        fine += status == 7;
        ended[round % 3] += status == 7;
        if (status != 7) printf("# round %d ended with %d\n", round, status);
    }
    PROMISE(fine == 90,
            "exit with calls in flight, from main (%d of 30), another thread (%d) or a callback "
            "(%d): no crash, no hang, no callback after it", ended[0], ended[1], ended[2]);
    PROMISE(seconds_now() - began < 60, "nor a long wait: %.1f s for 90 of them",
            seconds_now() - began);
}

static zelf_client *client_at_exit;
static struct record at_exit_records[2];
static int exit_began_inside;

/* Runs after the library has let go: it was registered before the first call. */
static void shut_down_at_exit(void)
{
    struct record late = {0};
    double began = seconds_now();
    int fine;
    if (!client_at_exit) return;
    fine = zelf_session_create_async(client_at_exit, NULL, on_session, &late, on_destroy, NULL) == NULL;
    fine &= zelf_client_shutdown(client_at_exit, 5000) == ZELF_OK && seconds_now() - began < 2;
    fine &= at_exit_records[0].called == 1
            && (exit_began_inside || at_exit_records[0].destroyed == 1)
            && at_exit_records[1].destroyed == 1 && late.called == 0;
    zelf_client_free(client_at_exit);
    _exit(fine ? 7 : 8);
}

static void exit_now(struct record *record)
{
    (void)record;
    exit_began_inside = 1;
    exit(0);
}

static void a_client_may_be_shut_down_at_exit(void)
{
    int round, fine = 0;
    for (round = 0; round < 2; round++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            client_at_exit = sandbox_client(1, 15000, 1);
            fault("{\"kind\":\"stall\",\"stage\":\"request\",\"skip\":1}");
            at_exit_records[0].then = round ? exit_now : NULL;
            start(client_at_exit, &at_exit_records[0], "at-exit-x");
            start(client_at_exit, &at_exit_records[1], "at-exit-y");
            if (round) pause();
            usleep(50000);
            exit(0);
        }
        fine += status_of(child) == 7;
        fault(NULL);
    }
    PROMISE(fine == 2, "an exit handler may shut a client down: its callbacks run there, "
                       "and no new call is taken (%d of 2)", fine);
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
    atexit(shut_down_at_exit);
    a_child_is_told_what_it_cannot_do();
    a_preforking_server_works();
    our_threads_take_no_signals();
    sigpipe_kills_no_async_host();
    a_process_may_exit_at_any_moment();
    a_client_may_be_shut_down_at_exit();
    a_child_in_another_namespace_is_a_child();
    return check_failed;
}
