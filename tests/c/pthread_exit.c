/* A callback ends its thread, with pthread_exit or because another thread cancels it. */
#include <unistd.h>

#include "calls.h"

/* Ends the thread inside a function that the library calls, if the flag is set. */
static __thread int ends_here;
static int everywhere, ended_by_exit, cleaned, cancels;

static void cleans(void *unused)
{
    (void)unused;
    __sync_fetch_and_add(&cleaned, 1);
}

static void end_thread(void)
{
    __sync_fetch_and_add(&ended_by_exit, 1);
    pthread_cleanup_push(cleans, NULL);
    if (cancels) {
        int old;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    pthread_exit((void *)7);
    pthread_cleanup_pop(0);
}

static void log_ends(zelf_log_level level, const char *message, void *user_data)
{
    (void)level, (void)message, (void)user_data;
    if (ends_here || get_flag(&everywhere)) end_thread();
}

static int destroyed;

static void destroy_ends(void *user_data)
{
    (void)user_data;
    __sync_fetch_and_add(&destroyed, 1);
    if (ends_here || get_flag(&everywhere)) end_thread();
}

static void callback_ends(struct record *record)
{
    (void)record;
    end_thread();
}

static zelf_client *client_with(zelf_log_callback log, int dispatches)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_log_callback(config, log, NULL, destroy_ends, ZELF_LOG_DEBUG);
    zelf_config_set_dispatch(config, dispatches);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

/* Runs a function on a thread, which it ends. Returns whether the thread ended in it, with the
   value. */
static int is_ended_in(void *(*what)(void *), void *with)
{
    pthread_t thread;
    void *value;
    int ended = ended_by_exit, seen = cleaned;
    pthread_create(&thread, NULL, what, with);
    pthread_join(thread, &value);
    /* A thread can be cancelled only once. Later calls use pthread_exit. */
    return (value == (void *)7 || (cancels && value == PTHREAD_CANCELED)) && ended_by_exit > ended
           && cleaned - seen == ended_by_exit - ended;
}

static void frees_at_unwinding(void *options) { zelf_session_options_free(options); }

static void *creates(void *client)
{
    zelf_session_options *options = options_for("ending-create-x");
    pthread_cleanup_push(frees_at_unwinding, options);
    ends_here = 1;
    /* A call that got the outcome of an equal call has a session. */
    zelf_session_free(zelf_session_create(client, options, NULL));
    pthread_cleanup_pop(1);
    return NULL;
}

static zelf_request *request;

static void *sends(void *client)
{
    ends_here = 1;
    zelf_response_free(zelf_session_send(client, NULL, request, NULL));
    return NULL;
}

static void *gets_one(void *provider)
{
    ends_here = 1;
    zelf_session_free(zelf_session_provider_get(provider, NULL));
    return NULL;
}

static void *frees_client(void *client)
{
    ends_here = 1;
    zelf_client_free(client);
    return NULL;
}

static void *frees_config(void *config)
{
    ends_here = 1;
    zelf_config_free(config);
    return NULL;
}

static void *dispatches(void *client)
{
    while (zelf_client_dispatch(client) == ZELF_OK) usleep(1000);
    return NULL;
}

static void *shuts_down(void *client)
{
    zelf_client_shutdown(client, 5000);
    return NULL;
}

static int works(zelf_client *client)
{
    zelf_session *session = create(client, "ending-create-x", NULL);
    zelf_session_free(session);
    return session != NULL;
}

static const char *how(void) { return cancels ? "cancelled in" : "ended by pthread_exit in"; }

static void in_a_log_callback_of_a_blocking_call(void)
{
    zelf_client *client = client_with(log_ends, 0);
    pthread_t equal[4];
    int i, fine = is_ended_in(creates, client);
    PROMISE(fine && works(client),
            "a thread is %s a log callback of a blocking call, and the client works on", how());
    PROMISE(is_ended_in(sends, client) && works(client),
            "a thread is %s a log callback of a request, and the client works on", how());

    /* When a call ends like this, its turn goes to the next call. */
    fault("{\"kind\":\"delay\",\"ms\":200}");
    for (i = 0; i < 4; i++) pthread_create(&equal[i], NULL, creates, client);
    fine = works(client);
    for (i = 0; i < 4; i++) pthread_join(equal[i], NULL);
    fault(NULL);
    PROMISE(fine, "equal calls that wait for such a call get their session");
    zelf_client_free(client);
}

static void in_a_destroy(void)
{
    zelf_client *client = client_with(log_ends, 0);
    zelf_config *config = zelf_config_new();
    zelf_config_set_log_callback(config, log_ends, NULL, destroy_ends, ZELF_LOG_ERROR);
    destroyed = 0;
    PROMISE(is_ended_in(frees_client, client), "a thread that frees a client is %s destroy", how());
    PROMISE(is_ended_in(frees_config, config), "a thread that frees settings is %s destroy", how());
    PROMISE(destroyed == 2, "each destroy runs once: %d of 2", destroyed);
}

static int renewals;

static void renewed_ends(const zelf_session *session, void *user_data)
{
    (void)session, (void)user_data;
    __sync_fetch_and_add(&renewals, 1);
    if (ends_here || get_flag(&everywhere)) end_thread();
}

static void in_a_renewed_callback(void)
{
    zelf_client *client = client_with(NULL, 0);
    zelf_session_options *options = options_for("ending-provider-x");
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_session_provider *provider;
    zelf_session *session;
    int i;

    zelf_provider_options_set_renewed_callback(keeping, renewed_ends, NULL, destroy_ends);
    provider = zelf_session_provider_new(client, options, keeping, NULL);
    PROMISE(is_ended_in(gets_one, provider), "a thread is %s the callback for a new session", how());
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session != NULL, "after that the provider hands the session out");
    renewals = 0;
    sandbox("POST", "/sandbox/use", "{\"identifier\":\"ending-provider-x\"}");
    zelf_session_provider_invalidate(provider, session);
    zelf_session_free(session);
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(session != NULL && renewals == 1, "it reports the next session: %d", renewals);
    zelf_session_free(session);
    zelf_session_provider_free(provider);

    renewals = 0;
    set_flag(&everywhere, 1);
    zelf_provider_options_set_background(keeping, 1);
    provider = zelf_session_provider_new(client, options, keeping, NULL);
    for (i = 0; i < 500 && !get_flag(&renewals); i++) usleep(10000);
    set_flag(&everywhere, 0);
    session = zelf_session_provider_get(provider, NULL);
    PROMISE(renewals == 1, "the client's thread is %s that callback: %d", how(), renewals);
    PROMISE(session != NULL, "after that the provider has a session");
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_provider_options_free(keeping);
    zelf_session_options_free(options);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK, "the client can be shut down");
    zelf_client_free(client);
}

/* Each callback and each destroy ends its thread. */
static void *starts_many(zelf_client *client, struct record *records, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        records[i].then = callback_ends;
        start(client, &records[i], i % 2 ? "ending-async-x" : NULL);
    }
    return NULL;
}

static int called_once(struct record *records, int count)
{
    return exactly_once(records, count, ZELF_OK) == count;
}

static void in_callbacks_of_the_clients_thread(void)
{
    static struct record records[20];
    zelf_client *client = client_with(NULL, 0);
    struct record last = {0};
    int fine;

    memset(records, 0, sizeof records);
    starts_many(client, records, 20);
    fine = await(records, 20, 10) && called_once(records, 20);
    PROMISE(fine, "the client's thread is %s callbacks, and all others run", how());
    release(records, 20);
    PROMISE(start(client, &last, "ending-last-x"), "the client takes another call");
    PROMISE(await(&last, 1, AT_ONCE) && called_once(&last, 1), "that call calls back once");
    PROMISE(works(client), "a blocking call succeeds");
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK, "the client can be shut down");
    release(&last, 1);
    zelf_client_free(client);

    client = client_with(NULL, 0);
    memset(records, 0, sizeof records);
    fault("{\"kind\":\"delay\",\"ms\":10000}");
    starts_many(client, records, 20);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK
                && exactly_once(records, 20, ZELF_ERROR_CANCELLED) == 20,
            "calls that are cancelled call back, when each ends the thread");
    release(records, 20);
    zelf_client_free(client);
    fault(NULL);
}

static void in_log_callbacks_of_the_clients_thread(void)
{
    struct record told = {0}, lost = {0}, next = {0};
    zelf_client *client = client_with(log_ends, 0);

    forget_requests();
    fault("{\"kind\":\"delay\",\"ms\":60000,\"times\":1}");
    start(client, &lost, "ending-slow-x");
    while (requests_arrived() == 0) usleep(1000);
    set_flag(&everywhere, 1);
    start(client, &told, "ending-log-x");
    PROMISE(await(&told, 1, AT_ONCE) && called_once(&told, 1),
            "the thread that does the I/O is %s a log callback, and its call calls back", how());
    PROMISE(await(&lost, 1, AT_ONCE) && exactly_once(&lost, 1, ZELF_ERROR_CANCELLED) == 1,
            "that cancels its other calls");
    set_flag(&everywhere, 0);
    fault(NULL);
    PROMISE(start(client, &next, "ending-log-x"), "the client takes another call");
    PROMISE(await(&next, 1, AT_ONCE) && called_once(&next, 1), "that call has another thread");
    PROMISE(zelf_client_shutdown(client, 20000) == ZELF_OK, "the client can be shut down");
    release(&told, 1);
    release(&lost, 1);
    release(&next, 1);
    zelf_client_free(client);
}

static void in_dispatch(void)
{
    static struct record records[6];
    zelf_client *client = client_with(NULL, 1);
    int i, fine = 1;

    memset(records, 0, sizeof records);
    starts_many(client, records, 3);
    for (i = 0; i < 3; i++) fine &= is_ended_in(dispatches, client);
    PROMISE(fine && called_once(records, 3),
            "a thread that dispatches is %s a callback, and others dispatch the rest", how());
    release(records, 3);

    memset(records, 0, sizeof records);
    fault("{\"kind\":\"delay\",\"ms\":10000}");
    starts_many(client, records, 6);
    fine = is_ended_in(shuts_down, client) && is_ended_in(shuts_down, client);
    PROMISE(fine, "a thread that shuts down is %s a callback", how());
    PROMISE(is_ended_in(frees_client, client)
                && exactly_once(records, 6, ZELF_ERROR_CANCELLED) == 6,
            "a thread that frees the client runs the callbacks that are left, and ends then");
    release(records, 6);
    fault(NULL);
}

/* A callback that calls the library, inside a callback of the library. */
static void nested(struct record *record) { zelf_client_free(record->with); }

static void in_what_a_callback_calls(void)
{
    zelf_client *client = client_with(NULL, 0), *inner = client_with(log_ends, 0);
    struct record records[2] = {{0}, {0}};

    destroyed = 0;
    records[0].then = nested;
    records[0].with = inner;
    set_flag(&everywhere, 1);
    start(client, &records[0], "ending-nested-x");
    await(&records[0], 1, 5);
    set_flag(&everywhere, 0);
    start(client, &records[1], "ending-nested-x");
    PROMISE(await(records, 2, AT_ONCE) && called_once(records, 2),
            "a thread is %s a function that a callback calls, and the next call succeeds", how());
    PROMISE(destroyed == 1, "the destroy there runs once: %d", destroyed);
    release(records, 2);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
}

/* ---- Destructors after that ---- */

static pthread_key_t key;
static int destructors_begun, destructors_ended;

static void frees_the_session(void *session)
{
    destructors_begun++;
    zelf_session_free(session);
    destructors_ended++;
}

static void keeps_the_session_and_ends(struct record *record)
{
    pthread_setspecific(key, record->session);
    record->session = NULL;
    pthread_exit(NULL);
}

/* A C++ thread_local object does the same. */
static void a_destructor_may_call_the_library(void)
{
    struct record record = {0};
    zelf_client *client = sandbox_client(1, 5000, 1);

    pthread_key_create(&key, frees_the_session);
    record.then = keeps_the_session_and_ends;
    start(client, &record, "exit-destructor-x");
    await(&record, 1, 10);
    zelf_client_shutdown(client, 10000);
    PROMISE(get_flag(&destructors_begun) == 1 && get_flag(&destructors_ended) == 1,
            "a destructor returns on a client's thread that a callback has ended: %d of %d",
            get_flag(&destructors_ended), get_flag(&destructors_begun));
    zelf_client_free(client);
    release(&record, 1);
    pthread_key_delete(key);
}

static void ends_its_thread(struct record *record)
{
    (void)record;
    pthread_exit(NULL);
}

static long virtual_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (file) {
        if (fscanf(file, "%ld", &pages) != 1) pages = 0;
        fclose(file);
    }
    return pages;
}

/* Each thread has a stack of 2 MiB. The allocator may reserve some memory for a new thread. */
static void threads_that_were_ended_leave_nothing(void)
{
    enum { ROUNDS = 200 };
    zelf_client *client = sandbox_client(1, 5000, 1);
    long before = 0, after;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct record record = {0};
        record.then = ends_its_thread;
        start(client, &record, "exit-often-x");
        await(&record, 1, 10);
        release(&record, 1);
        if (i == 20) before = virtual_pages();
    }
    after = virtual_pages();
    PROMISE((after - before) * sysconf(_SC_PAGESIZE) < 200 * 1024 * 1024L,
            "threads that callbacks have ended give their stacks back: %ld pages more",
            after - before);
    zelf_client_shutdown(client, 10000);
    zelf_client_free(client);
}

int main(void)
{
    request = zelf_request_new("GET", "/sandbox/echo");
    for (cancels = 0; cancels < 2; cancels++) {
        in_a_log_callback_of_a_blocking_call();
        in_a_destroy();
        in_a_renewed_callback();
        in_callbacks_of_the_clients_thread();
        in_log_callbacks_of_the_clients_thread();
        in_dispatch();
        in_what_a_callback_calls();
    }
    zelf_request_free(request);
    a_destructor_may_call_the_library();
    if (!getenv("ZELF_QUICK")) threads_that_were_ended_leave_nothing();
    no_thread_is_left();
    return check_failed;
}
