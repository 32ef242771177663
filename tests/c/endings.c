/* Calls on a thread that is ending: in an atexit handler, and in destructors of thread-specific
   data. The system destroys the library's data in the same rounds. */
#include <poll.h>

#include "children.h"
#include "sends.h"

#define ROUNDS 4 /* PTHREAD_DESTRUCTOR_ITERATIONS of glibc */

static zelf_client *old_client, *dispatched;
static zelf_session_provider *old_provider;
static pthread_key_t key;

/* How a call may end on a thread that is ending: it works, or is refused with the expected error. */
enum { WORKS = 1, REFUSED = 2 };

struct result {
    const char *call;
    int may, worked, refused, odd;
};

static struct result results[40];
static int result_count;

static struct result *result_of(const char *call, int may)
{
    int i;
    for (i = 0; i < result_count; i++)
        if (strcmp(results[i].call, call) == 0) return &results[i];
    results[result_count].call = call;
    results[result_count].may = may;
    return &results[result_count++];
}

static void forget_results(void)
{
    memset(results, 0, sizeof results);
    result_count = 0;
}

static int is_refused_by_name(zelf_status status, const char *message)
{
    return (status == ZELF_ERROR_INVALID_ARGUMENT && strstr(message, "already ending"))
           /* The error of an asynchronous call at exit. */
           || (status == ZELF_ERROR_SHUT_DOWN && strstr(message, "exiting"));
}

/* Counts the result of a call. is_sound: a further condition. */
static void count(const char *call, int may, int is_sound, zelf_error **error)
{
    struct result *result = result_of(call, may);
    zelf_status status = zelf_error_status(*error);
    const char *message = *error ? zelf_error_message(*error) : "-";
    if (status == ZELF_OK && is_sound) {
        result->worked++;
    } else if (is_refused_by_name(status, message) && is_sound) {
        result->refused++;
    } else {
        printf("# %s: %s: %s\n", call, zelf_status_name(status), message);
        result->odd++;
    }
    zelf_error_free(*error);
    *error = NULL;
}

/* Counts an asynchronous call for a session, which began if `record` has its call. */
static void count_session(const char *call, int may, struct record *record, zelf_error **error)
{
    int began = record->call != NULL;
    if (began) await(record, 1, 5);
    count(call, may,
          record->called == began && record->destroyed == began && record->status == ZELF_OK
              && (record->session != NULL) == began,
          error);
    zelf_session_free(record->session);
    zelf_call_free(record->call);
}

static void count_create(const char *call, int may, zelf_client *client)
{
    struct record record = {0};
    zelf_error *error = NULL;
    record.call = zelf_session_create_async(client, NULL, on_session, &record, on_destroy, &error);
    count_session(call, may, &record, &error);
}

static void count_get(const char *call, int may, zelf_session_provider *provider)
{
    struct record record = {0};
    zelf_error *error = NULL;
    record.call = zelf_session_provider_get_async(provider, on_session, &record, on_destroy, &error);
    count_session(call, may, &record, &error);
}

/* Does the same for a request. */
static void count_sent(const char *call, int may, struct sent *sent, zelf_error **error)
{
    int began = sent->call != NULL;
    if (began) await_all(sent, 1, 5);
    count(call, may,
          sent->called == began && sent->destroyed == began && sent->status == ZELF_OK
              && (sent->response != NULL) == began,
          error);
    release_all(sent, 1);
}

static void count_provider_send(const char *call, int may, zelf_session_provider *provider,
                                const zelf_request *request)
{
    struct sent sent = {0};
    zelf_error *error = NULL;
    sent.call = zelf_session_provider_send_async(provider, request, on_response, &sent,
                                                 on_sent_destroy, &error);
    count_sent(call, may, &sent, &error);
}

static void count_session_send(const char *call, int may, zelf_client *client,
                               const zelf_request *request)
{
    struct sent sent = {0};
    zelf_error *error = NULL;
    sent.call = zelf_session_send_async(client, NULL, request, on_response, &sent, on_sent_destroy,
                                        &error);
    count_sent(call, may, &sent, &error);
}

static void count_dispatched(int may)
{
    struct record record = {0};
    struct pollfd due;
    zelf_error *error = NULL;
    double began = seconds_now();
    record.call
        = zelf_session_create_async(dispatched, NULL, on_session, &record, on_destroy, &error);
    due.fd = zelf_client_descriptor(dispatched);
    due.events = POLLIN;
    while (record.call && !record.destroyed && seconds_now() - began < 5) {
        poll(&due, 1, 100);
        zelf_client_dispatch(dispatched);
    }
    count_session("a dispatched call", may, &record, &error);
}

static void call_blocking(zelf_client *new_client, const zelf_session_options *options,
                          const zelf_request *request)
{
    zelf_error *error = NULL;
    zelf_session *session;
    zelf_session_provider *provider;

    /* The client may have kept a connection. */
    session = zelf_session_create(old_client, options, &error);
    count("create, with an old client", WORKS | REFUSED, !session == !!error, &error);
    zelf_session_free(session);
    session = zelf_session_create(new_client, options, &error);
    count("create, with a new client", REFUSED, !session == !!error, &error);
    zelf_session_free(session);
    zelf_response_free(zelf_session_send(new_client, NULL, request, &error));
    count("send without a session", REFUSED, 1, &error);

    session = zelf_session_provider_get(old_provider, &error);
    count("get of a provider with a session", WORKS, session != NULL, &error);
    zelf_session_free(session);
    session = zelf_session_provider_current(old_provider);
    count("current", WORKS, session != NULL, &error);
    zelf_session_free(session);
    error = zelf_session_provider_last_error(old_provider);
    count("last_error", WORKS, 1, &error);

    provider = zelf_session_provider_new(new_client, options, NULL, &error);
    count("a new provider", WORKS, provider != NULL, &error);
    session = zelf_session_provider_get(provider, &error);
    count("get of a new provider", REFUSED, !session == !!error, &error);
    zelf_session_provider_invalidate(provider, session);
    zelf_session_free(session);
    zelf_response_free(zelf_session_provider_send(provider, request, &error));
    count("send of a new provider", REFUSED, 1, &error);
    zelf_session_provider_free(provider);
}

static void call_asynchronous(zelf_client *new_client, const zelf_session_options *options,
                              const zelf_request *request, int old_may)
{
    zelf_error *error = NULL;
    zelf_provider_options *background = zelf_provider_options_new();
    zelf_session_provider *provider = zelf_session_provider_new(new_client, options, NULL, NULL);

    count_create("create_async, with an old client", old_may, old_client);
    count_get("get_async, with an old client", old_may, old_provider);
    count_provider_send("provider_send_async, with an old client", old_may, old_provider, request);
    count_session_send("session_send_async, with an old client", old_may, old_client, request);
    count_dispatched(WORKS);

    /* The first call that works starts the threads. So each call has its own client. */
    count_create("create_async, with a new client", REFUSED, new_client);
    count_get("get_async, with a new client", REFUSED, provider);
    count_provider_send("provider_send_async, with a new client", REFUSED, provider, request);
    count_session_send("session_send_async, with a new client", REFUSED, new_client, request);
    zelf_session_provider_free(provider);
    zelf_provider_options_set_background(background, 1);
    provider = zelf_session_provider_new(new_client, options, background, &error);
    count("a new provider in the background", REFUSED, !provider == !!error, &error);
    zelf_session_provider_free(provider);
    zelf_provider_options_free(background);
}

/* old_may: how an asynchronous call of a client that has its threads may end. */
static void call_everything(int old_may)
{
    zelf_error *error = NULL;
    zelf_session_options *options;
    zelf_request *request = zelf_request_new("GET", "/sandbox/echo");
    zelf_client *client = sandbox_client(1, 5000, 1);
    char identifier[ZELF_IDENTIFIER_SIZE];
    zelf_status status = zelf_identifier_random(identifier, sizeof identifier);

    count("identifier_random", WORKS, status == ZELF_OK, &error);
    options = options_for(identifier);
    call_blocking(client, options, request);
    call_asynchronous(client, options, request, old_may);
    status = zelf_client_dispatch(dispatched);
    count("dispatch", WORKS, status == ZELF_OK, &error);
    status = zelf_client_shutdown(client, 5000);
    count("shutdown", WORKS, status == ZELF_OK, &error);
    zelf_client_free(client);
    zelf_request_free(request);
    zelf_session_options_free(options);
}
static zelf_client *dispatched_client(void)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_dispatch(config, 1);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static void make_old_ones(void)
{
    struct record records[2] = {{0}, {0}};
    zelf_session_options *options = options_for("ending-kept-x");
    old_client = sandbox_client(1, 5000, 1);
    old_provider = zelf_session_provider_new(old_client, options, NULL, NULL);
    zelf_session_free(zelf_session_provider_get(old_provider, NULL));
    zelf_session_options_free(options);
    dispatched = dispatched_client();
    /* These calls start the threads. */
    if (!start(old_client, &records[0], NULL) || !start(dispatched, &records[1], NULL)) exit(1);
    await(records, 1, 10);
    while (!records[1].destroyed) zelf_client_dispatch(dispatched);
    release(records, 2);
}

static void free_old_ones(void)
{
    zelf_session_provider_free(old_provider);
    zelf_client_shutdown(old_client, 5000);
    zelf_client_free(old_client);
    zelf_client_free(dispatched);
}

/* Makes all calls on a thread that is not ending, and promises that they work. */
static void call_everything_before(const char *where)
{
    int i, failed = 0;
    forget_results();
    call_everything(WORKS);
    for (i = 0; i < result_count; i++) failed += results[i].worked != 1;
    PROMISE(failed == 0, "before %s, all %d calls work: %d do not", where, result_count, failed);
    forget_results();
}

#define ALWAYS 1000

/* How many times a call may work in a handler of atexit. glibc runs the thread-local destructors of
   the main thread before the handlers, so the library cannot open connections there. Others, such as
   musl, run none. */
#ifdef __GLIBC__
#define WORKS_AT_EXIT 0
#else
#define WORKS_AT_EXIT ALWAYS
#endif

/* Promises how each call ended. most_unknown: how many times it may have worked although it is
   refused on a thread that is ending. */
static void promise_results(const char *where, int most_unknown)
{
    int i;
    for (i = 0; i < result_count; i++) {
        const struct result *result = &results[i];
        int may_work = result->may & WORKS || most_unknown == ALWAYS;
        int may_be_refused = result->may & REFUSED;
        const char *how = !may_work ? "is refused" : may_be_refused ? "works or is refused" : "works";
        int is_due = may_work ? result->worked + result->refused > 0
                                  : result->worked <= most_unknown && result->refused > 0;
        PROMISE(result->odd == 0 && is_due && (may_be_refused || result->refused == 0),
                "%s in %s %s: %d work, %d are refused by name, %d otherwise", result->call, where, how,
                result->worked, result->refused, result->odd);
    }
}

static int round_now, first_round;

static void at_the_end(void *unused)
{
    round_now++;
    if (round_now >= first_round) call_everything(WORKS);
    if (round_now < ROUNDS) pthread_setspecific(key, unused);
}

static void *ends(void *calls_before)
{
    forget_results();
    if (calls_before) call_everything_before("the end of a thread");
    pthread_setspecific(key, &key);
    return NULL;
}

static void an_ending_thread(int has_called, int round)
{
    char where[100];
    pthread_t thread;
    round_now = 0;
    first_round = round;
    /* Get a session that lasts for all rounds. */
    zelf_session_free(zelf_session_provider_get(old_provider, NULL));
    pthread_create(&thread, NULL, ends, has_called ? &key : NULL);
    pthread_join(thread, NULL);
    snprintf(where, sizeof where, "destructors from round %d on, of a thread %s", round,
             has_called ? "that has made calls," : "without earlier calls,");
    /* The library knows that the thread is ending when its own destructor has run. It sets that in
       the first call. */
    promise_results(where, has_called ? 0 : 1);
}

static void at_exit_after_the_library(void)
{
    call_everything(REFUSED);
    promise_results("an atexit handler that runs after the library's", WORKS_AT_EXIT);
    _exit(check_failed ? 8 : 7);
}

static void at_exit_before_the_library(void)
{
    call_everything(WORKS);
    promise_results("an atexit handler that runs before the library's", WORKS_AT_EXIT);
    _exit(check_failed ? 8 : 7);
}

/* Handlers run in reverse order. The library sets its own at the first asynchronous call. */
static void an_ending_process(int is_set_first)
{
    int status;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(60);
        if (is_set_first) atexit(at_exit_after_the_library);
        make_old_ones();
        call_everything_before("the exit of a process");
        if (!is_set_first) atexit(at_exit_before_the_library);
        exit(9);
    }
    status = status_of(child);
    PROMISE(status == 7, "the process ends with its atexit handler: %d", status);
}

int main(void)
{
    int round, has_called;

    /* In this order: the first asynchronous call of this process sets the library's handler, which
       a child inherits. */
    an_ending_process(1);
    an_ending_process(0);
    make_old_ones();
    pthread_key_create(&key, at_the_end);
    for (round = 1; round <= 3; round++)
        for (has_called = 0; has_called < 2; has_called++) an_ending_thread(has_called, round);
    free_old_ones();
    no_thread_is_left();
    return check_failed;
}
