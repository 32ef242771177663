/* The library leaves the state of its host process unchanged. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"

static void errno_and_signals_stay(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    struct sigaction before[32], after[32];
    sigset_t mask_before, mask_after;
    int signal_number, same = 1, kept_on_success, kept_on_failure;

    for (signal_number = 1; signal_number < 32; signal_number++)
        sigaction(signal_number, NULL, &before[signal_number]);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);

    errno = 4242;
    zelf_session_free(create(client, "errno-x", NULL));
    kept_on_success = errno == 4242;
    fault("{\"kind\":\"reset\",\"stage\":\"request\"}");
    errno = 4343;
    zelf_session_free(create(client, "errno-x", NULL));
    kept_on_failure = errno == 4343;
    fault(NULL);
    PROMISE(kept_on_success && kept_on_failure, "errno stays what it was");

    for (signal_number = 1; signal_number < 32; signal_number++) {
        sigaction(signal_number, NULL, &after[signal_number]);
        same &= before[signal_number].sa_handler == after[signal_number].sa_handler;
    }
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (signal_number = 1; signal_number < 32; signal_number++)
        same &= sigismember(&mask_before, signal_number) == sigismember(&mask_after, signal_number);
    PROMISE(same, "dispositions and the signal mask stay what they were");
    PROMISE(threads_alive() == 1, "after blocking calls no thread of ours is left");
    zelf_client_free(client);
}

/* Each fault makes the server reset a connection that the client writes to. */
static void sigpipe_kills_nobody(void)
{
    static const char *const faults[] = {
        "{\"kind\":\"certificate\",\"wrong\":\"unknown_ca\",\"hang_up\":true}",
        "{\"kind\":\"reset\",\"stage\":\"accept\"}",
        "{\"kind\":\"reset\",\"stage\":\"tls\"}",
        "{\"kind\":\"close\",\"stage\":\"tls\"}",
        "{\"kind\":\"reset\",\"stage\":\"request\"}",
        "{\"kind\":\"reset\",\"stage\":\"body\"}",
    };
    size_t i;

    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        int status = 0, round;
        pid_t child;
        fault(faults[i]);
        fflush(stdout);
        child = fork();
        if (child == 0) {
            signal(SIGPIPE, SIG_DFL);
            for (round = 0; round < 20; round++) {
                zelf_client *client = sandbox_client(1, 2000, 1);
                zelf_session_free(create(client, "sigpipe-x", NULL));
                zelf_client_free(client);
            }
            _exit(7);
        }
        waitpid(child, &status, 0);
        PROMISE(WIFEXITED(status) && WEXITSTATUS(status) == 7,
                "a host with SIGPIPE at its default survives %s", faults[i]);
    }
    fault(NULL);
}

static void a_pending_sigpipe_of_the_host_stays(void)
{
    zelf_client *client = sandbox_client(1, 2000, 1);
    sigset_t pipe_only, pending, old;
    struct timespec at_once = {0, 0};

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &old);

    fault("{\"kind\":\"certificate\",\"wrong\":\"unknown_ca\",\"hang_up\":true}");
    zelf_session_free(create(client, "pending-x", NULL));
    sigpending(&pending);
    PROMISE(!sigismember(&pending, SIGPIPE), "a SIGPIPE that we caused does not stay pending");

    pthread_kill(pthread_self(), SIGPIPE);
    zelf_session_free(create(client, "pending-x", NULL));
    sigpending(&pending);
    PROMISE(sigismember(&pending, SIGPIPE), "a SIGPIPE that was pending before stays pending");
    fault(NULL);
    sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    zelf_client_free(client);
}

static void nothing_is_printed(void)
{
    static const char *const faults[] = {
        NULL, "{\"kind\":\"garbage\"}", "{\"kind\":\"certificate\",\"wrong\":\"expired\"}",
    };
    char path[] = "/tmp/zelf-host-XXXXXX";
    int file = mkstemp(path), out = dup(1), err = dup(2);
    struct stat size;
    size_t i;

    fflush(stdout);
    dup2(file, 1);
    dup2(file, 2);
    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        zelf_client *client = sandbox_client(1, 2000, 1);
        fault(faults[i]);
        zelf_session_free(create(client, "quiet-x", NULL));
        zelf_client_free(client);
    }
    dup2(out, 1);
    dup2(err, 2);
    fstat(file, &size);
    fault(NULL);
    unlink(path);
    close(file);
    close(out);
    close(err);
    PROMISE(size.st_size == 0, "nothing is written to stdout or stderr");
}

static void *call_on_small_stack(void *client)
{
    return create(client, "small-stack-x", NULL);
}

static void a_small_stack_is_enough(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    pthread_attr_t attributes;
    pthread_t thread;
    void *session = NULL;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_create(&thread, &attributes, call_on_small_stack, client);
    pthread_join(thread, &session);
    PROMISE(session != NULL, "a stack of 128 KiB is enough for a first call over TLS");
    pthread_attr_destroy(&attributes);
    zelf_session_free(session);
    zelf_client_free(client);
}

static void a_child_can_go_on(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session *session = create(client, "fork-x", NULL);
    char before[64], after[64];
    int status = 0;
    pid_t child;

    sandbox("GET", "/sandbox/connections", "");
    snprintf(before, sizeof before, "%.60s", strstr(http_answer, "{\"accepted"));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        zelf_session *own = create(client, "fork-child-x", NULL);
        int fine = own && strcmp(zelf_session_identifier(own), "fork-child-x") == 0;
        zelf_session_free(own);
        zelf_client_free(client);
        _exit(fine ? 7 : 8);
    }
    waitpid(child, &status, 0);
    PROMISE(WIFEXITED(status) && WEXITSTATUS(status) == 7,
            "a forked child creates sessions with the inherited client, and frees it");
    zelf_session_free(session);
    session = create(client, "fork-x", NULL);
    sandbox("GET", "/sandbox/connections", "");
    snprintf(after, sizeof after, "%.60s", strstr(http_answer, "{\"accepted"));
    /* One more: that of the child. The parent's one is still there. */
    PROMISE(session && atoi(strchr(after, ':') + 1) == atoi(strchr(before, ':') + 1) + 1,
            "the parent's connection survives its child: %s, then %s", before, after);
    zelf_session_free(session);
    zelf_client_free(client);
}

static void *slow_call(void *client)
{
    return create(client, "slow-parent-x", NULL);
}

static void a_child_forked_amid_a_first_call_can_go_on(void)
{
    int round, fine = 0;

    for (round = 0; round < 10; round++) {
        zelf_client *client = sandbox_client(1, 5000, 1);
        pthread_t thread;
        void *session;
        int status = 0;
        pid_t child;
        fault("{\"kind\":\"delay\",\"ms\":100,\"times\":1}");
        pthread_create(&thread, NULL, slow_call, client);
        usleep((useconds_t)round * 400);
        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(20);
            _exit(create(client, "amid-child-x", NULL) ? 7 : 8);
        }
        waitpid(child, &status, 0);
        pthread_join(thread, &session);
        fine += WIFEXITED(status) && WEXITSTATUS(status) == 7 && session;
        zelf_session_free(session);
        zelf_client_free(client);
    }
    fault(NULL);
    PROMISE(fine == 10, "a child forked while a first call is under way can go on: %d of 10", fine);
}

static void a_cancelled_thread_ends_after_its_call(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    pthread_t thread;
    void *result = NULL;

    fault("{\"kind\":\"delay\",\"ms\":300}");
    forget_requests();
    pthread_create(&thread, NULL, slow_call, client);
    while (requests_arrived() == 0) usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    fault(NULL);
    PROMISE(result != NULL,
            "a thread inside a call ends after pthread_cancel, with a session or as cancelled");
    if (result != PTHREAD_CANCELED) zelf_session_free(result);
    zelf_client_free(client);
}

static pthread_key_t key;
static zelf_status status_at_the_end = ZELF_OK;

static void at_the_end(void *client)
{
    static int rounds;
    zelf_error *error = NULL;
    /* A later round runs when the library's thread-local data is already gone. */
    if (++rounds < 3) {
        pthread_setspecific(key, client);
        return;
    }
    zelf_session_free(create(client, "at-the-end-x", &error));
    status_at_the_end = zelf_error_status(error);
    zelf_error_free(error);
}

static void *call_and_end(void *client)
{
    pthread_setspecific(key, client);
    zelf_session_free(create(client, "before-the-end-x", NULL));
    return NULL;
}

static void an_ending_thread_gets_an_error(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    pthread_t thread;

    pthread_key_create(&key, at_the_end);
    pthread_create(&thread, NULL, call_and_end, client);
    pthread_join(thread, NULL);
    PROMISE(status_at_the_end == ZELF_OK || status_at_the_end == ZELF_ERROR_INVALID_ARGUMENT,
            "a thread that is ending gets a session or a clear error: %s",
            zelf_status_name(status_at_the_end));
    pthread_key_delete(key);
    zelf_client_free(client);
}

static void descriptors_are_given_back(void)
{
    int before = entries("/proc/self/fd"), i;
    for (i = 0; i < 10; i++) {
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_session_free(create(client, "descriptors-x", NULL));
        zelf_client_free(client);
    }
    PROMISE(entries("/proc/self/fd") == before, "freed clients leave no descriptor open");
}

/* Uses a kept connection. The system's own time limits are long. */
static void a_silent_server_holds_nobody_beyond_the_limit(void)
{
    zelf_client *client = sandbox_client(1, 2200, 1);
    zelf_error *error = NULL;
    double began, late;

    zelf_session_free(create(client, "silent-x", NULL));
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    began = seconds_now();
    zelf_session_free(create(client, "silent-x", &error));
    late = seconds_now() - began - 2.2;
    fault(NULL);
    PROMISE(zelf_error_status(error) == ZELF_ERROR_TIMEOUT && late > -0.05 && late < 0.15,
            "a call ends at its time limit: %.0f ms after it", late * 1e3);
    zelf_error_free(error);
    zelf_client_free(client);
}

static int is_socket(int descriptor)
{
    struct stat of;
    return fstat(descriptor, &of) == 0 && S_ISSOCK(of.st_mode);
}

static void take_nothing(zelf_session *session, zelf_error *error, void *ended)
{
    zelf_session_free(session);
    zelf_error_free(error);
    set_flag(ended, 1);
}

/* A daemon may have closed them, and its output must not go to the server. */
static void the_standard_streams_are_left_alone(void)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        zelf_client *client = sandbox_client(1, 5000, 1);
        zelf_call *call;
        int descriptor, sockets = 0, others = 0, ended = 0;
        alarm(20);
        for (descriptor = 0; descriptor < 3; descriptor++) close(descriptor);
        zelf_session_free(create(client, "streams-x", NULL));
        call = zelf_session_create_async(client, NULL, take_nothing, &ended, NULL, NULL);
        while (call && !get_flag(&ended)) usleep(1000);
        for (descriptor = 0; descriptor < 3; descriptor++) {
            sockets += is_socket(descriptor);
            others += fcntl(descriptor, F_GETFD) >= 0;
        }
        _exit(call && sockets == 0 && others == 0 ? 7 : 10 * sockets + others);
    }
    waitpid(child, &status, 0);
    PROMISE(WIFEXITED(status) && WEXITSTATUS(status) == 7,
            "if a host has closed 0, 1 and 2, the library leaves these numbers closed: %d",
            WEXITSTATUS(status));
}

static pthread_key_t last_key;
static zelf_client *last_client;

static void retries_at_the_end(void *rounds_left)
{
    long rounds = (long)rounds_left;
    if (rounds > 0) {
        pthread_setspecific(last_key, (void *)(rounds - 1));
        return;
    }
    zelf_session_free(create(last_client, "shared-end-x", NULL));
}

static void *ends_with_a_call(void *unused)
{
    (void)unused;
    /* There is an idle connection for the ending thread. Later it needs another one. */
    zelf_session_free(create(last_client, "shared-end-x", NULL));
    fault("[{\"kind\":\"delay\",\"ms\":700,\"stage\":\"request\",\"times\":1},"
          "{\"kind\":\"reset\",\"stage\":\"answer\",\"times\":1}]");
    forget_requests();
    pthread_setspecific(last_key, (void *)3);
    return NULL;
}

static void an_ending_thread_shares_no_error_of_its_own(void)
{
    zelf_error *error = NULL;
    zelf_session *session;
    pthread_t thread;

    last_client = sandbox_client(1, 5000, 3);
    pthread_key_create(&last_key, retries_at_the_end);
    pthread_create(&thread, NULL, ends_with_a_call, NULL);
    while (requests_arrived() == 0) usleep(1000);
    session = create(last_client, "shared-end-x", &error);
    pthread_join(thread, NULL);
    fault(NULL);
    PROMISE(session != NULL,
            "a call that waits for the call of an ending thread does not get its error: %s",
            error ? zelf_error_message(error) : "a session");
    pthread_key_delete(last_key);
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(last_client);
}

int main(void)
{
    errno_and_signals_stay();
    sigpipe_kills_nobody();
    a_pending_sigpipe_of_the_host_stays();
    nothing_is_printed();
    a_small_stack_is_enough();
    a_child_can_go_on();
    a_child_forked_amid_a_first_call_can_go_on();
    a_cancelled_thread_ends_after_its_call();
    an_ending_thread_gets_an_error();
    descriptors_are_given_back();
    a_silent_server_holds_nobody_beyond_the_limit();
    the_standard_streams_are_left_alone();
    an_ending_thread_shares_no_error_of_its_own();
    return check_failed;
}
