/* A system that has no thread or descriptor left for an asynchronous call. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>

#include "calls.h"

/* Replaces the C library's function. It refuses the thread with this number, or this many more
   threads. */
static int refused_thread, threads_asked_for, refuses_more;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (get_flag(&refuses_more) > 0) {
        __sync_sub_and_fetch(&refuses_more, 1);
        return EAGAIN;
    }
    if (refused_thread && ++threads_asked_for == refused_thread) return EAGAIN;
    return real(thread, attributes, start, argument);
}

/* Returns the status of a call that could not start, or ZELF_OK. */
static zelf_status refusal(zelf_client *client, struct record *record)
{
    zelf_error *error = NULL;
    zelf_status status;
    record->call = zelf_session_create_async(client, NULL, on_session, record, on_destroy, &error);
    status = zelf_error_status(error);
    zelf_error_free(error);
    return status;
}

static zelf_status without_thread(zelf_client *client, int number, struct record *record)
{
    zelf_status status;
    threads_asked_for = 0;
    refused_thread = number;
    status = refusal(client, record);
    refused_thread = 0;
    return status;
}

static int works_again(zelf_client *client)
{
    struct record record = {0};
    int fine = start(client, &record, NULL) && await(&record, 1, AT_ONCE)
               && exactly_once(&record, 1, ZELF_OK) == 1;
    fine &= zelf_client_shutdown(client, 2000) == ZELF_OK;
    release(&record, 1);
    return fine;
}

static void no_thread(void)
{
    int number;
    for (number = 1; number <= 2; number++) {
        struct record record = {0};
        zelf_client *client = sandbox_client(1, 20000, 1);
        zelf_status status = without_thread(client, number, &record);
        PROMISE(status == ZELF_ERROR_SYSTEM && !record.call, "without thread %d no call begins: %s",
                number, zelf_status_name(status));
        PROMISE(works_again(client), "the client works when there are threads again");
        PROMISE(record.called == 0, "the call that did not begin does not call back");
        PROMISE(record.destroyed == 0, "its data is not destroyed");
        zelf_client_free(client);
    }
}

static void no_descriptor(void)
{
    struct rlimit few = {128, 128};
    int filler[128], free_ones, refused = 0, right = 0;
    setrlimit(RLIMIT_NOFILE, &few);
    for (free_ones = 0; free_ones < 5; free_ones++) {
        struct record record = {0};
        zelf_client *client = sandbox_client(1, 20000, 1);
        zelf_status status;
        int filled = 0, spared;
        while ((filler[filled] = dup(0)) >= 0) filled++;
        for (spared = 0; spared < free_ones; spared++) close(filler[--filled]);
        status = refusal(client, &record);
        if (record.call) await(&record, 1, AT_ONCE);
        while (filled > 0) close(filler[--filled]);
        refused += !record.call;
        right += record.call ? exactly_once(&record, 1, record.status) == 1
                             : status == ZELF_ERROR_SYSTEM && record.called + record.destroyed == 0;
        right += works_again(client);
        release(&record, 1);
        zelf_client_free(client);
    }
    PROMISE(refused > 0, "without descriptors some calls do not begin: %d of 5", refused);
    PROMISE(right == 10, "a call fails at once or in its callback, and the next succeeds: %d of 10",
            right);
}

/* Returns the status of zelf_client_new while no descriptor is left. */
static zelf_status without_descriptor(const zelf_config *config)
{
    int filler[128], filled = 0;
    zelf_error *error = NULL;
    zelf_client *client;
    zelf_status status;
    while (filled < 128 && (filler[filled] = dup(0)) >= 0) filled++;
    client = zelf_client_new(config, &error);
    while (filled > 0) close(filler[--filled]);
    status = zelf_error_is_retryable(error) ? zelf_error_status(error) : ZELF_OK;
    zelf_error_free(error);
    zelf_client_free(client);
    return status;
}

/* no_descriptor has set the limit before. */
static void no_descriptor_for_the_trust(void)
{
    zelf_config *config = tls_config();
    zelf_status status = without_descriptor(config);
    zelf_client *client = zelf_client_new(config, NULL);
    PROMISE(status == ZELF_ERROR_SYSTEM && client,
            "without a descriptor for the CA file no client is made, and later one is: %s",
            zelf_status_name(status));
    zelf_client_free(client);
    zelf_config_set_ca_file(config, NULL);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    status = without_descriptor(config);
    PROMISE(status == ZELF_ERROR_SYSTEM, "without a descriptor for the system's certificates no client is made: %s",
            zelf_status_name(status));
    setenv("SSL_CERT_DIR", "/etc/ssl/certs", 1);
    setenv("SSL_CERT_FILE", need_env("ZELF_CA"), 1);
    status = without_descriptor(config);
    PROMISE(status == ZELF_ERROR_SYSTEM, "without one for the certificates of the environment no client is made: %s",
            zelf_status_name(status));
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    zelf_config_free(config);
}

static zelf_client *other_client;
static struct record in_log;
static zelf_status status_in_log;

static void begins_a_call(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    if (!status_in_log) status_in_log = without_thread(other_client, 2, &in_log);
}

/* This thread already runs an event loop. */
static void no_thread_in_a_log_callback(void)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_log_callback(config, begins_a_call, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    other_client = sandbox_client(1, 20000, 1);
    zelf_session_free(create(client, "in-log-x", NULL));
    PROMISE(status_in_log == ZELF_ERROR_SYSTEM, "in a log callback, too, no call begins: %s",
            zelf_status_name(status_in_log));
    PROMISE(!in_log.call, "in a log callback NULL is returned");
    PROMISE(works_again(other_client), "after that the client works");
    zelf_client_free(other_client);
    zelf_client_free(client);
}

static zelf_client *ended_client;
static pthread_t io_thread;

static void ends_the_client(zelf_log_level level, const char *message, void *user_data)
{
    zelf_client *ended = ended_client;
    (void)level, (void)message;
    if (__sync_lock_test_and_set((int *)user_data, 1)) return;
    io_thread = pthread_self();
    set_flag(&refuses_more, 8);
    status_in_log = zelf_client_shutdown(ended, 5000);
    zelf_client_free(ended);
}

/* The log callback of a client ends this client or another one. No thread can be started for the
   callbacks that are left, until the system has refused eight. */
static void no_thread_for_what_a_log_callback_leaves(int ends_another)
{
    enum { CALLS = 4 };
    static int has_logged[2]; /* One per client: a freed client may still log. */
    static struct record of_both[2][CALLS], logs;
    struct record *records = of_both[ends_another];
    zelf_config *config = tls_config();
    zelf_client *client, *other;
    int i, on_io = 0, ended, once;

    zelf_config_set_dispatch(config, true);
    other = zelf_client_new(config, NULL);
    zelf_config_set_log_callback(config, ends_the_client, &has_logged[ends_another], NULL,
                                 ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    ended_client = ends_another ? other : client;
    /* The first answer is logged. The other calls wait behind it in the queue. */
    fault("{\"kind\":\"delay\",\"ms\":1000,\"stage\":\"request\"}");
    for (i = 0; i < CALLS; i++) start(ended_client, &records[i], "no-thread-x");
    if (ends_another) start(client, &logs, "no-thread-y");
    ended = await(records, CALLS, 10);
    for (i = 0; i < CALLS; i++) on_io += pthread_equal(records[i].ran_on, io_thread) != 0;
    /* The calls of another client may have their answer by then. */
    once = exactly_once(records, CALLS, ZELF_ERROR_CANCELLED)
           + exactly_once(records, CALLS, ZELF_OK);
    PROMISE(status_in_log == ZELF_ERROR_SYSTEM,
            "without a thread a log callback cannot shut %s down: %s",
            ends_another ? "another client" : "its client", zelf_status_name(status_in_log));
    PROMISE(ended && once == CALLS,
            "after it has freed the client, each callback runs once when there are threads again: %d",
            once);
    PROMISE(on_io == 0 && get_flag(&refuses_more) == 0, "none runs on the I/O thread: %d", on_io);
    set_flag(&refuses_more, 0);
    zelf_client_shutdown(ends_another ? client : other, 5000);
    zelf_client_free(ends_another ? client : other);
    release(records, CALLS);
    release(&logs, 1);
    fault(NULL);
}

int main(void)
{
    no_thread();
    no_descriptor();
    no_descriptor_for_the_trust();
    no_thread_in_a_log_callback();
    no_thread_for_what_a_log_callback_leaves(0);
    no_thread_for_what_a_log_callback_leaves(1);
    no_thread_is_left();
    return check_failed;
}
