/* Clients whose host runs the callbacks in its own event loop. */
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
    return poll(&wait, 1, AT_ONCE * 1000) == 1;
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
    PROMISE(is_readable(descriptor), "the descriptor becomes readable");
    PROMISE(threads_alive() == 2, "there is no callback thread: %d threads", threads_alive());
    for (i = 0; i < 8; i++) early += times_called(&records[i]);
    while (!await(records, 8, -1) && is_readable(descriptor)) zelf_client_dispatch(client);
    for (i = 0; i < 8; i++) here += pthread_equal(records[i].ran_on, pthread_self()) != 0;
    PROMISE(early == 0, "no callback runs before it is dispatched: %d", early);
    PROMISE(here == 8, "callbacks run on the thread that dispatches: %d of 8", here);
    PROMISE(exactly_once(records, 8, ZELF_OK) == 8, "each runs once");
    {
        struct pollfd wait;
        wait.fd = descriptor;
        wait.events = POLLIN;
        PROMISE(poll(&wait, 1, 0) == 0, "the descriptor is not readable when nothing is due");
    }
    PROMISE(zelf_client_dispatch(client) == ZELF_OK, "dispatching when nothing is due succeeds");
    release(records, 8);

    memset(records, 0, sizeof records);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK, "a client with calls can be shut down");
    PROMISE(exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4, "a shutdown runs their callbacks");
    PROMISE(pthread_equal(records[0].ran_on, pthread_self()), "it runs them on its thread");
    release(records, 4);
    zelf_client_free(client);

    memset(records, 0, sizeof records);
    client = zelf_client_new(config, NULL);
    for (i = 0; i < 4; i++) start(client, &records[i], NULL);
    zelf_client_free(client);
    PROMISE(exactly_once(records, 4, ZELF_ERROR_CANCELLED) == 4,
            "freeing the client runs the callbacks that are left");
    release(records, 4);
    zelf_config_free(config);
    fault(NULL);

    client = sandbox_client(1, 1000, 1);
    PROMISE(zelf_client_descriptor(client) == -1, "a client with a callback thread has no descriptor");
    PROMISE(zelf_client_descriptor(NULL) == -1, "a NULL client has no descriptor");
    PROMISE(zelf_client_dispatch(client) == ZELF_ERROR_INVALID_ARGUMENT,
            "a client with a callback thread dispatches nothing");
    PROMISE(zelf_client_dispatch(NULL) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL client dispatches nothing");
    zelf_client_free(client);
}

/* Waits until the callbacks of this many calls are due. */
static void until_due(zelf_client *client, int calls)
{
    double began = seconds_now();
    while (requests_arrived() < calls && seconds_now() - began < AT_ONCE) usleep(1000);
    is_readable(zelf_client_descriptor(client));
    usleep(100000);
}

static void take_your_time(struct record *record)
{
    (void)record;
    usleep(500000);
}

static void an_edge_triggered_loop_runs_every_callback(void)
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
        if (epoll_wait(loop, &event, 1, AT_ONCE * 1000) != 1) break;
        woken++;
        zelf_client_dispatch(client);
    }
    PROMISE(exactly_once(records, 4, ZELF_OK) == 4,
            "an edge-triggered loop runs every callback: woken %d times", woken);
    fault(NULL);
    zelf_client_shutdown(client, 1000);
    close(loop);
    release(records, 4);
    zelf_client_free(client);
}

/* Returns how many have called back once, with a session or as cancelled. */
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
            "a shutdown waits for the thread that runs callbacks: %d at once", most_inside);
    pthread_join(loop, NULL);
    PROMISE(once(records, 6) == 6, "each callback runs once");
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
    PROMISE(most_inside == 1, "freeing the client runs no callback beside another: %d", most_inside);
    PROMISE(once(records, 6) == 6, "the thread that runs callbacks runs those that are left");
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
    PROMISE(turns < 20, "a loop sleeps while another thread runs callbacks: %d turns", turns);
    PROMISE(once(records, 3) == 3, "each callback runs once");
    zelf_client_shutdown(client, 1000);
    release(records, 3);
    zelf_client_free(client);
}

static void shutdowns_that_do_not_wait_run_the_callbacks(void)
{
    static struct record records[3];
    zelf_client *client = dispatched_client();
    double until = seconds_now() + AT_ONCE;
    int i, turns = 0;
    zelf_status status;

    fault("{\"kind\":\"stall\",\"stage\":\"request\"}");
    for (i = 0; i < 3; i++) start(client, &records[i], NULL);
    do {
        status = zelf_client_shutdown(client, 0);
        turns++;
    } while (status == ZELF_ERROR_TIMEOUT && seconds_now() < until);
    PROMISE(status == ZELF_OK, "shutdowns that do not wait succeed in the end: %d turns", turns);
    PROMISE(exactly_once(records, 3, ZELF_ERROR_CANCELLED) == 3, "they run the callbacks");
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
            "a client may be freed while a shutdown runs a callback: the shutdown runs the others");
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
        /* This is like a server that forks a worker and continues in its loop. */
        for (i = 0, end = 0; i < 3; i++) end += records[i].called + 10 * records[i].destroyed;
        alarm(5);
        zelf_client_free(client);
        _exit(status == ZELF_ERROR_FORKED && end == 1 ? 7 : 8);
    }
    waitpid(child, &end, 0);
    PROMISE(WIFEXITED(end) && WEXITSTATUS(end) == 7,
            "a child forked in a callback runs no other callback of its parent's");
    while (!await(records, 3, -1) && is_readable(zelf_client_descriptor(client)))
        zelf_client_dispatch(client);
    PROMISE(status == ZELF_OK, "the parent's dispatch succeeds: %s", zelf_status_name(status));
    PROMISE(exactly_once(records, 3, ZELF_OK) == 3, "the parent runs each callback once");
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
            "a child can use a client that its parent has made and not used");
    PROMISE(start(client, &record, "prefork-x"), "the parent can use it as well");
    zelf_client_shutdown(client, 1000);
    release(&record, 1);
    zelf_client_free(client);
}

int main(void)
{
    a_host_may_dispatch_itself();
    an_edge_triggered_loop_runs_every_callback();
    callbacks_run_one_at_a_time();
    a_loop_does_not_spin_while_another_thread_is_inside();
    shutdowns_that_do_not_wait_run_the_callbacks();
    freeing_amid_a_shutdown_loses_no_callback();
    /* A leak checker reports memory that a child inherits as lost. */
    if (!getenv("ZELF_QUICK")) {
        a_callback_may_fork();
        a_client_belongs_to_the_process_that_uses_it();
    }
    no_thread_is_left();
    return check_failed;
}
