/* Processes that exit while asynchronous calls are running. */
#include "calls.h"
#include "children.h"

static volatile int host_is_gone;
static pthread_t blocking_thread;

/* Simulates the end of a host, which takes a moment. The library must not use the host during that
   time. */
static void tear_down(void)
{
    host_is_gone = 1;
    usleep(20000);
}

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
    /* A thread of the host may be inside a blocking call. */
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

static struct record records[50];

/* Ends a process by exit() with 50 running calls and one that blocks. */
static void live_and_exit(int round)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    char identifier[32];
    int i;

    alarm(20);
    /* exit() runs the handlers in reverse order, so this one runs after those of the library. */
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
    PROMISE(seconds_now() - began < 60 * slowness(), "exit does not wait long: %.1f s for 90 processes",
            seconds_now() - began);
}

/* Starts calls with a new client. Each callback looks at the host. The first call has ended. */
static void start_calls(void)
{
    zelf_client *client = sandbox_client(1, 5000, 1);
    char identifier[32];
    int i;
    for (i = 0; i < 50; i++) {
        records[i].then = look_for_the_host;
        snprintf(identifier, sizeof identifier, "exits-x-%d", i);
        start(client, &records[i], identifier);
    }
    await(records, 1, 5);
}

static void a_child_may_exit_as_its_parent_may(void)
{
    int round, fine = 0;
    for (round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct record first = {0};
            zelf_client *client = sandbox_client(1, 5000, 1);
            alarm(20);
            start(client, &first, "parent-x");
            await(&first, 1, 5);
            child = fork();
            if (child == 0) {
                atexit(tear_down);
                start_calls();
                exit(7);
            }
            _exit(status_of(child));
        }
        fine += status_of(child) == 7;
    }
    PROMISE(fine == 20, "a child whose parent made asynchronous calls may exit with its exit handler: "
                        "%d of 20", fine);
}

static void hang_around(struct record *record)
{
    (void)record;
    for (;;) pause();
}

/* Starts a process with a callback that never returns. */
static void hang_in_a_callback(void)
{
    static struct record record;
    memset(&record, 0, sizeof record);
    record.then = hang_around;
    start(sandbox_client(1, 5000, 1), &record, "hangs-around-x");
    while (!times_called(&record)) usleep(1000);
}

static void exit_does_not_wait_long_for_a_callback(void)
{
    int measured, end = 9;
    /* A child that was too late ends with 9. Then try another one. */
    for (measured = 0; measured < MEASUREMENTS && end == 9; measured++) {
        pid_t child = fork();
        if (child == 0) {
            double began;
            alarm(20);
            hang_in_a_callback();
            began = seconds_now();
            child = fork();
            if (child == 0) {
                hang_in_a_callback();
                exit(7);
            }
            if (status_of(child) != 7) _exit(8);
            _exit(seconds_now() - began < 0.9 ? 7 : 9);
        }
        end = status_of(child);
    }
    PROMISE(end == 7 || end == 9, "a child may exit while its parent's and its callback hang: %d", end);
    PROMISE(end == 7, "exit waits half a second for a callback that hangs, and only once: %d", end);
}

static void a_process_may_exit_quickly(void)
{
    int round, fine = 0;
    for (round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            at_quick_exit(tear_down);
            start_calls();
            quick_exit(7);
        }
        fine += status_of(child) == 7;
    }
    PROMISE(fine == 20, "a process may end by quick_exit: %d of 20", fine);
}

static void exit_in_the_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    exit(7);
}

static void a_log_callback_may_exit(void)
{
    int round, fine = 0;
    for (round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            zelf_config *config = tls_config();
            alarm(20);
            atexit(tear_down);
            zelf_config_set_log_callback(config, exit_in_the_log, NULL, NULL, ZELF_LOG_DEBUG);
            records[0].then = look_for_the_host;
            start(zelf_client_new(config, NULL), &records[0], "log-exits-x");
            for (;;) pause();
        }
        fine += status_of(child) == 7;
    }
    PROMISE(fine == 10, "a log callback may exit on the thread that does the I/O: %d of 10",
            fine);
}

static zelf_client *client_at_exit;
static struct record at_exit_records[2];
static int exit_began_inside;

/* Runs after the library's handlers, because it was registered before the first call. */
static void shut_down_at_exit(void)
{
    struct record late = {0};
    double began = seconds_now();
    int fine;
    if (!client_at_exit) return;
    fine = zelf_session_create_async(client_at_exit, NULL, on_session, &late, on_destroy, NULL) == NULL;
    fine &= zelf_client_shutdown(client_at_exit, 20000) == ZELF_OK;
    fine &= seconds_now() - began < AT_ONCE;
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

int main(void)
{
    atexit(shut_down_at_exit);
    a_process_may_exit_at_any_moment();
    a_child_may_exit_as_its_parent_may();
    a_process_may_exit_quickly();
    exit_does_not_wait_long_for_a_callback();
    a_log_callback_may_exit();
    a_client_may_be_shut_down_at_exit();
    return check_failed;
}
