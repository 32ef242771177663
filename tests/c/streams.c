/* A host that has closed 0, 1 and 2. No descriptor of the library takes these numbers, and no
   output of the host goes into a connection. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/mman.h>

#include "children.h"
#include "folder.h"
#include "sends.h"

#define THREADS 6
#define ROUNDS 12

/* The results of a child. It has no output to print to. */
static struct seen {
    /* How many descriptors were open although only the library's code had run. */
    int open_at_rest, open_in_log, log_lines;
    /* The same in children that were forked during calls. */
    int open_in_forks, forks;
    /* How many writes of the host succeeded. */
    int written;
    /* The lowest number that was opened inside a look-up. */
    int lowest_in_look_up;
    int done, failed;
} *seen;

static int closed_ones; /* One bit each. */

static int count_open(void)
{
    int number, count = 0;
    for (number = 0; number < 3; number++)
        if (closed_ones >> number & 1) count += fcntl(number, F_GETFD) >= 0;
    return count;
}

static int look_up_waits, in_look_up;

/* Replaces the C library's function, which opens a socket too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    int opened = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)node, (void)service, (void)hints, (void)result;
    if (opened >= 0 && opened < seen->lowest_in_look_up) seen->lowest_in_look_up = opened;
    usleep(20000);
    if (get_flag(&look_up_waits)) {
        set_flag(&in_look_up, 1);
        while (get_flag(&look_up_waits)) usleep(1000);
    }
    close(opened);
    return EAI_FAIL;
}

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    if (user_data) seen->open_in_log += count_open();
    seen->log_lines++;
}

static int stop_printing;

/* A thread of the host that prints all the time. */
static void *print(void *unused)
{
    int number;
    (void)unused;
    while (!get_flag(&stop_printing)) {
        for (number = 0; number < 3; number++)
            if (closed_ones >> number & 1 && write(number, "the host says\n", 14) != -1)
                __sync_fetch_and_add(&seen->written, 1);
        sched_yield();
    }
    return NULL;
}

static void rests(void)
{
    seen->open_at_rest += count_open();
}

static void done(int is_fine)
{
    __sync_fetch_and_add(is_fine ? &seen->done : &seen->failed, 1);
}

static zelf_client *client_with(void (*change)(zelf_config *config))
{
    zelf_config *config = tls_config();
    zelf_client *client;
    if (change) change(config);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static int is_alone;

static void logs(zelf_config *config)
{
    zelf_config_set_log_callback(config, on_log, is_alone ? seen : NULL, NULL, ZELF_LOG_DEBUG);
}

static void is_dispatched(zelf_config *config)
{
    zelf_config_set_dispatch(config, true);
}

static void block_once(int rest)
{
    zelf_client *client = client_with(logs);
    zelf_session *session = create(client, "streams-blocking-x", NULL);
    if (rest) rests();
    done(session != NULL);
    zelf_session_free(session);
    zelf_client_free(client);
}

static void call_once(int rest)
{
    struct record record = {0};
    zelf_client *client = client_with(NULL);
    int is_fine = start(client, &record, "streams-async-x") && await(&record, 1, 10);
    if (rest) rests();
    done(is_fine && exactly_once(&record, 1, ZELF_OK) == 1
         && zelf_client_shutdown(client, 5000) == ZELF_OK);
    release(&record, 1);
    zelf_client_free(client);
}

static void dispatch_once(int rest)
{
    struct record record = {0};
    zelf_client *client = client_with(is_dispatched);
    struct pollfd due;
    int is_fine = start(client, &record, "streams-dispatch-x");
    due.fd = zelf_client_descriptor(client);
    due.events = POLLIN;
    is_fine &= due.fd > 2;
    while (is_fine && record.called == 0 && poll(&due, 1, 10000) == 1)
        zelf_client_dispatch(client);
    if (rest) rests();
    done(is_fine && exactly_once(&record, 1, ZELF_OK) == 1);
    release(&record, 1);
    zelf_client_free(client);
}

static void provide_once(const char *folder)
{
    zelf_client *client = client_with(NULL);
    zelf_session_options *options = options_for("streams-provider-x");
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_session *session;
    zelf_provider_options_set_directory(how, folder);
    provider = zelf_session_provider_new(client, options, how, NULL);
    session = zelf_session_provider_get(provider, NULL);
    rests();
    done(session != NULL);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    zelf_client_free(client);
    rests();
}

static void is_of_a_name(zelf_config *config)
{
    zelf_config_set_base_url(config, "https://nobody.test");
}

static void look_up_once(void)
{
    zelf_client *client = client_with(is_of_a_name);
    zelf_error *error = NULL;
    zelf_session_free(create(client, "streams-name-x", &error));
    done(zelf_error_status(error) == ZELF_ERROR_DNS);
    zelf_error_free(error);
    zelf_client_free(client);
}

static void *one_of_many(void *unused)
{
    int round;
    (void)unused;
    for (round = 0; round < ROUNDS; round++) {
        block_once(0);
        call_once(0);
        dispatch_once(0);
    }
    return NULL;
}

static void fork_amid(void)
{
    pid_t process = fork();
    int open_there;
    if (process == 0) _exit(count_open());
    open_there = status_of(process);
    seen->open_in_forks += open_there;
    seen->forks++;
}

static void child(const char *folder)
{
    pthread_t threads[THREADS], printer;
    int number, i;
    alarm(60);
    for (number = 0; number < 3; number++)
        if (closed_ones >> number & 1) close(number);
    pthread_create(&printer, NULL, print, NULL);
    is_alone = 1;
    block_once(1);
    call_once(1);
    dispatch_once(1);
    provide_once(folder);
    provide_once(folder);
    look_up_once();
    is_alone = 0;
    for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, one_of_many, NULL);
    for (i = 0; i < 100; i++) fork_amid();
    for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    set_flag(&stop_printing, 1);
    pthread_join(printer, NULL);
    rests();
    _exit(7);
}

static void with_closed(int which)
{
    char folder[] = "/tmp/zelf-streams-XXXXXX", name[16] = "";
    int number, status;
    pid_t process;
    for (number = 0; number < 3; number++)
        if (which >> number & 1) sprintf(name + strlen(name), " %d", number);
    memset(seen, 0, sizeof *seen);
    seen->lowest_in_look_up = 1000;
    if (!mkdtemp(folder)) exit(1);
    forget_all();
    fflush(stdout);
    process = fork();
    if (process == 0) {
        closed_ones = which;
        child(folder);
    }
    status = status_of(process);
    PROMISE(status == 7, "with%s closed a process makes calls and ends: %d", name, status);
    PROMISE(seen->failed == 0, "with%s closed no call fails: %d", name, seen->failed);
    PROMISE(seen->done >= 3 * THREADS * ROUNDS, "with%s closed all calls are made: %d", name,
            seen->done);
    PROMISE(seen->open_at_rest == 0, "the numbers%s stay closed between calls: %d", name,
            seen->open_at_rest);
    PROMISE(seen->log_lines > 0, "with%s closed the log callback runs: %d", name, seen->log_lines);
    PROMISE(seen->open_in_log == 0, "the numbers%s stay closed in log callbacks: %d", name,
            seen->open_in_log);
    PROMISE(seen->forks == 100, "with%s closed children are forked during calls: %d", name,
            seen->forks);
    PROMISE(seen->open_in_forks == 0, "the numbers%s stay closed in them: %d", name,
            seen->open_in_forks);
    PROMISE(seen->lowest_in_look_up > 2, "a name look-up does not open the numbers%s: %d", name,
            seen->lowest_in_look_up);
    PROMISE(seen->written == 0, "with%s closed the host writes to no descriptor of the library's: %d",
            name, seen->written);
    PROMISE(times_in("/sandbox/requests", "the host says") == 0,
            "with%s closed nothing of the host's is sent", name);
    remove_folder(folder);
}

static void *looks_up(void *unused)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    (void)unused;
    zelf_config_set_base_url(config, "https://looked-up.test");
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_session_free(create(client, "streams-opened-x", NULL));
    zelf_client_free(client);
    return NULL;
}

/* If the host opens a number while the library keeps it free, it stays open. */
static void a_stream_that_the_host_opens_stays(void)
{
    int status;
    pid_t process;
    fflush(stdout);
    process = fork();
    if (process == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        pthread_t caller;
        alarm(60);
        close(2);
        set_flag(&look_up_waits, 1);
        pthread_create(&caller, NULL, looks_up, NULL);
        while (!get_flag(&in_look_up)) usleep(1000);
        dup2(null, 2);
        set_flag(&look_up_waits, 0);
        pthread_join(caller, NULL);
        _exit(fcntl(2, F_GETFD) < 0 ? 8 : 7);
    }
    status = status_of(process);
    PROMISE(status == 7, "a stream that the host opens again during calls stays open: %d", status);
}

int main(void)
{
    int which;
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (which = 1; which < 8; which++) with_closed(which);
    a_stream_that_the_host_opens_stays();
    return check_failed;
}
