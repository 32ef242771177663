/* Clients whose host runs the callbacks itself, from a loop of its own. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

static zelf_client *dispatched_client(void)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_dispatch(config, true);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static int is_readable(int descriptor)
{
    struct pollfd wait;
    wait.fd = descriptor;
    wait.events = POLLIN;
    return poll(&wait, 1, 5000) == 1;
}

static void a_host_may_dispatch_itself(void)
{
    static struct record records[8];
    zelf_config *config = tls_config();
    zelf_client *client;
    int descriptor, i, here = 0, early = 0;
    char identifier[32];

    memset(records, 0, sizeof records);
    zelf_config_set_dispatch(config, true);
    client = zelf_client_new(config, NULL);
    descriptor = zelf_client_descriptor(client);
    for (i = 0; i < 8; i++) {
        snprintf(identifier, sizeof identifier, "pump-x-%d", i);
        start(client, &records[i], identifier);
    }
    PROMISE(is_readable(descriptor) && threads_alive() == 2,
            "the descriptor becomes readable, and no callback thread exists");
    for (i = 0; i < 8; i++) early += times_called(&records[i]);
    while (!await(records, 8, -1) && is_readable(descriptor)) zelf_client_dispatch(client);
    for (i = 0; i < 8; i++) here += pthread_equal(records[i].ran_on, pthread_self()) != 0;
    PROMISE(early == 0 && here == 8 && exactly_once(records, 8, ZELF_OK) == 8,
            "callbacks run where they are dispatched, and only then");
    {
        struct pollfd wait;
        wait.fd = descriptor;
        wait.events = POLLIN;
        PROMISE(poll(&wait, 1, 0) == 0, "the descriptor is quiet when nothing is due");
    }
    PROMISE(zelf_client_dispatch(client) == ZELF_OK, "dispatching nothing is fine");
    release(records, 8);

    memset(records, 0, sizeof records);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    PROMISE(zelf_client_shutdown(client, 1000) == ZELF_OK
                && exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4
                && pthread_equal(records[0].ran_on, pthread_self()),
            "a shutdown dispatches what is left itself");
    release(records, 4);
    zelf_client_free(client);

    memset(records, 0, sizeof records);
    client = zelf_client_new(config, NULL);
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    zelf_client_free(client);
    PROMISE(exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4,
            "and so does freeing the client");
    release(records, 4);
    zelf_config_free(config);
    fault(NULL);

    client = sandbox_client(1, 1000, 1);
    PROMISE(zelf_client_descriptor(client) == -1 && zelf_client_descriptor(NULL) == -1
                && zelf_client_dispatch(client) == ZELF_ERROR_INVALID_ARGUMENT
                && zelf_client_dispatch(NULL) == ZELF_ERROR_INVALID_ARGUMENT,
            "a client with a callback thread has nothing to dispatch");
    zelf_client_free(client);
}

/* Until the callbacks of so many calls are due. */
static void until_due(zelf_client *client, int calls)
{
    double began = seconds_now();
    while (requests_arrived() < calls && seconds_now() - began < 5) usleep(1000);
    is_readable(zelf_client_descriptor(client));
    usleep(100000);
}

static void take_your_time(struct record *record)
{
    (void)record;
    usleep(500000);
}

static void a_loop_that_is_told_of_changes_only_misses_nothing(void)
{
    static struct record records[4];
    zelf_client *client = dispatched_client();
    struct epoll_event event = {0};
    int loop = epoll_create1(0), i, woken = 0;

    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(loop, EPOLL_CTL_ADD, zelf_client_descriptor(client), &event);
    forget_requests();
    fault("{\"kind\":\"delay\",\"ms\":300,\"skip\":2}");
    records[0].then = records[1].then = take_your_time;
    start(client, &records[0], "edge-x-0");
    start(client, &records[1], "edge-x-1");
    until_due(client, 2);
    /* These become due while the first callbacks run. */
    start(client, &records[2], "edge-x-2");
    start(client, &records[3], "edge-x-3");
    for (i = 0; i < 10 && !await(records, 4, -1); i++) {
        if (epoll_wait(loop, &event, 1, 2000) != 1) break;
        woken++;
        zelf_client_dispatch(client);
    }
    PROMISE(exactly_once(records, 4, ZELF_OK) == 4,
            "a loop that is told of changes only hears of every callback: woken %d times", woken);
    fault(NULL);
    zelf_client_shutdown(client, 1000);
    close(loop);
    release(records, 4);
    zelf_client_free(client);
}

/* How many have called back once, whatever came of them. */
static int once(const struct record *records, int count)
{
    return exactly_once(records, count, ZELF_OK) + exactly_once(records, count, ZELF_ERROR_CANCELLED);
}

static int inside, most_inside;

static void count_inside(struct record *record)
{
    int now = __sync_add_and_fetch(&inside, 1);
    (void)record;
    if (now > get_flag(&most_inside)) set_flag(&most_inside, now);
    usleep(100000);
    __sync_sub_and_fetch(&inside, 1);
}

static void *dispatch(void *client)
{
    zelf_client_dispatch(client);
    return NULL;
}

static void callbacks_run_one_at_a_time(void)
{
    static struct record records[6];
    zelf_client *client = dispatched_client();
    pthread_t loop;
    int i;

    forget_requests();
    for (i = 0; i < 6; i++) {
        records[i].then = count_inside;
        start(client, &records[i], NULL);
    }
    until_due(client, 6);
    pthread_create(&loop, NULL, dispatch, client);
    while (!get_flag(&inside)) usleep(1000);
    PROMISE(zelf_client_dispatch(client) == ZELF_OK && times_called(&records[1]) == 0,
            "while one thread runs callbacks another runs none");
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK && most_inside == 1,
            "a shutdown waits its turn: %d at once", most_inside);
    pthread_join(loop, NULL);
    PROMISE(once(records, 6) == 6, "and each runs once");
    release(records, 6);
    zelf_client_free(client);

    memset(records, 0, sizeof records);
    client = dispatched_client();
    forget_requests();
    for (i = 0; i < 6; i++) {
        records[i].then = count_inside;
        start(client, &records[i], NULL);
    }
    until_due(client, 6);
    pthread_create(&loop, NULL, dispatch, client);
    while (!get_flag(&inside)) usleep(1000);
    zelf_client_free(client);
    pthread_join(loop, NULL);
    PROMISE(most_inside == 1 && once(records, 6) == 6,
            "freeing the client leaves them to the thread that is at it");
    release(records, 6);
}

static void a_loop_does_not_spin_while_another_thread_is_inside(void)
{
    static struct record records[3];
    zelf_client *client = dispatched_client();
    struct pollfd wait;
    pthread_t loop;
    int i, turns = 0;

    memset(records, 0, sizeof records);
    set_flag(&inside, 0);
    forget_requests();
    for (i = 0; i < 3; i++) {
        records[i].then = count_inside;
        start(client, &records[i], NULL);
    }
    until_due(client, 3);
    pthread_create(&loop, NULL, dispatch, client);
    while (!get_flag(&inside)) usleep(1000);
    wait.fd = zelf_client_descriptor(client);
    wait.events = POLLIN;
    while (get_flag(&inside)) {
        if (poll(&wait, 1, 20) == 1) {
            zelf_client_dispatch(client);
            turns++;
        }
    }
    pthread_join(loop, NULL);
    while (!await(records, 3, -1) && is_readable(wait.fd)) zelf_client_dispatch(client);
    PROMISE(turns < 20 && once(records, 3) == 3,
            "a loop rests while another thread runs callbacks, and misses none: %d turns", turns);
    zelf_client_shutdown(client, 1000);
    release(records, 3);
    zelf_client_free(client);
}

static void asking_again_and_again_gets_on(void)
{
    static struct record records[3];
    zelf_client *client = dispatched_client();
    int i, turns = 0;
    zelf_status status;

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < 3; i++) start(client, &records[i], NULL);
    do {
        status = zelf_client_shutdown(client, 0);
        turns++;
    } while (status == ZELF_ERROR_TIMEOUT && turns < 1000);
    PROMISE(status == ZELF_OK && exactly_once(records, 3, ZELF_ERROR_CANCELLED) == 3,
            "a shutdown that does not wait runs what is due all the same: %d turns", turns);
    fault(NULL);
    release(records, 3);
    zelf_client_free(client);
}

static int freed;

static void wait_for_the_free(struct record *record)
{
    (void)record;
    set_flag(&inside, 1);
    while (!get_flag(&freed)) usleep(1000);
}

static void *shut_down_at_once(void *client)
{
    zelf_client_shutdown(client, 0);
    return NULL;
}

static void freeing_amid_a_shutdown_loses_no_callback(void)
{
    static struct record records[3];
    zelf_client *client = dispatched_client();
    pthread_t thread;
    int i;

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    set_flag(&inside, 0);
    set_flag(&freed, 0);
    records[0].then = wait_for_the_free;
    for (i = 0; i < 3; i++) start(client, &records[i], NULL);
    pthread_create(&thread, NULL, shut_down_at_once, client);
    while (!get_flag(&inside)) usleep(1000);
    zelf_client_free(client);
    set_flag(&freed, 1);
    pthread_join(thread, NULL);
    PROMISE(exactly_once(records, 3, ZELF_ERROR_CANCELLED) == 3,
            "a client freed while a shutdown runs a callback leaves the others to that");
    fault(NULL);
    release(records, 3);
}

static pid_t child;
static int forked_once;

static void fork_here(struct record *record)
{
    (void)record;
    if (forked_once++ == 0) child = fork();
}

static void a_callback_may_fork(void)
{
    static struct record records[3];
    zelf_client *client = dispatched_client();
    zelf_status status;
    int i, end = 0;

    forget_requests();
    for (i = 0; i < 3; i++) {
        records[i].then = fork_here;
        start(client, &records[i], NULL);
    }
    until_due(client, 3);
    status = zelf_client_dispatch(client);
    if (child == 0) {
        /* Like a server that forks a worker and goes on in its loop. */
        for (i = 0, end = 0; i < 3; i++) end += records[i].called;
        alarm(5);
        zelf_client_free(client);
        _exit(status == ZELF_ERROR_FORKED && end == 1 ? 7 : 8);
    }
    waitpid(child, &end, 0);
    PROMISE(WIFEXITED(end) && WEXITSTATUS(end) == 7,
            "a child forked in a callback leaves what is due to its parent");
    while (!await(records, 3, -1) && is_readable(zelf_client_descriptor(client)))
        zelf_client_dispatch(client);
    PROMISE(status == ZELF_OK && exactly_once(records, 3, ZELF_OK) == 3,
            "and the parent goes on");
    zelf_client_shutdown(client, 1000);
    release(records, 3);
    zelf_client_free(client);
}

static void a_client_belongs_to_the_process_that_uses_it(void)
{
    struct record record = {0};
    zelf_client *client = dispatched_client();
    int end = 0;

    child = fork();
    if (child == 0) {
        int fine;
        alarm(10);
        fine = start(client, &record, "prefork-x");
        while (fine && !await(&record, 1, -1) && is_readable(zelf_client_descriptor(client)))
            zelf_client_dispatch(client);
        _exit(fine && exactly_once(&record, 1, ZELF_OK) == 1 ? 7 : 8);
    }
    waitpid(child, &end, 0);
    PROMISE(WIFEXITED(end) && WEXITSTATUS(end) == 7,
            "a client made before a fork is the child's, if the parent has not used it so");
    PROMISE(start(client, &record, "prefork-x"), "and the parent's as well");
    zelf_client_shutdown(client, 1000);
    release(&record, 1);
    zelf_client_free(client);
}

int main(void)
{
    a_host_may_dispatch_itself();
    a_loop_that_is_told_of_changes_only_misses_nothing();
    callbacks_run_one_at_a_time();
    a_loop_does_not_spin_while_another_thread_is_inside();
    asking_again_and_again_gets_on();
    freeing_amid_a_shutdown_loses_no_callback();
    /* A leak checker takes what a child inherits for lost there. */
    if (!getenv("ZELF_QUICK")) {
        a_callback_may_fork();
        a_client_belongs_to_the_process_that_uses_it();
    }
    no_thread_is_left();
    return check_failed;
}
