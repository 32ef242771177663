/* Calls on a thread that is ending: in an atexit handler, and in destructors of thread-specific
   data. The system destroys the library's data in the same rounds. */
#include <sys/wait.h>

#include "calls.h"

#define ROUNDS 4 /* PTHREAD_DESTRUCTOR_ITERATIONS of glibc */

static zelf_client *old_client, *dispatched;
static zelf_session_provider *old_provider;
static pthread_key_t key;

/* The result of a call: it worked, was refused with the expected error, or something else. */
static int worked, refused, odd;

static void count(zelf_status status, zelf_error *error)
{
    const char *message = error ? zelf_error_message(error) : "-";
    if (status == ZELF_OK) {
        worked++;
    } else if ((status == ZELF_ERROR_INVALID_ARGUMENT && strstr(message, "already ending"))
               /* The error of an asynchronous call at exit. */
               || (status == ZELF_ERROR_SHUT_DOWN && strstr(message, "exiting"))) {
        refused++;
    } else {
        printf("# %s: %s\n", zelf_status_name(status), message);
        odd++;
    }
    zelf_error_free(error);
}

static void count_error(zelf_error **error)
{
    count(zelf_error_status(*error), *error);
    *error = NULL;
}

static void count_call(zelf_client *client, zelf_error **error)
{
    static struct record records[100];
    static int used;
    struct record *record = &records[used++];
    zelf_call *call = zelf_session_create_async(client, NULL, on_session, record, on_destroy, error);
    if (call) await(record, 1, 5);
    odd += record->called != (call != NULL) || record->destroyed != (call != NULL);
    zelf_session_free(record->session);
    zelf_call_free(call);
    count_error(error);
}

static void call_everything(void)
{
    zelf_error *error = NULL;
    zelf_session_options *options;
    zelf_provider_options *background = zelf_provider_options_new();
    zelf_request *request = zelf_request_new("GET", "/sandbox/echo");
    zelf_client *client = sandbox_client(1, 5000, 1);
    zelf_session_provider *provider;
    zelf_session *session;
    char identifier[ZELF_IDENTIFIER_SIZE];

    count(zelf_identifier_random(identifier, sizeof identifier), NULL);
    options = options_for(identifier);
    session = zelf_session_create(old_client, options, &error);
    zelf_session_free(session);
    count_error(&error);
    session = zelf_session_create(client, options, &error);
    zelf_session_free(session);
    count_error(&error);
    zelf_response_free(zelf_session_send(client, NULL, request, &error));
    count_error(&error);
    count_call(old_client, &error);
    count_call(client, &error);
    odd += zelf_client_dispatch(dispatched) != ZELF_OK || zelf_client_descriptor(dispatched) < 0;

    session = zelf_session_provider_get(old_provider, &error);
    odd += session == NULL;
    zelf_session_free(session);
    count_error(&error);
    zelf_error_free(zelf_session_provider_last_error(old_provider));
    provider = zelf_session_provider_new(client, options, NULL, &error);
    count_error(&error);
    session = zelf_session_provider_get(provider, &error);
    zelf_session_provider_invalidate(old_provider, session);
    zelf_session_free(session);
    count_error(&error);
    zelf_response_free(zelf_session_provider_send(provider, request, &error));
    count_error(&error);
    zelf_session_provider_free(provider);
    zelf_provider_options_set_background(background, 1);
    provider = zelf_session_provider_new(client, options, background, &error);
    zelf_session_provider_free(provider);
    count_error(&error);

    odd += zelf_client_shutdown(client, 5000) != ZELF_OK;
    zelf_client_free(client);
    zelf_request_free(request);
    zelf_provider_options_free(background);
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

static int round_now, first_round;

static void at_the_end(void *unused)
{
    round_now++;
    if (round_now >= first_round) call_everything();
    if (round_now < ROUNDS) pthread_setspecific(key, unused);
}

static void *ends(void *calls_before)
{
    if (calls_before) call_everything();
    pthread_setspecific(key, &key);
    return NULL;
}

static void an_ending_thread(int has_called, int round)
{
    pthread_t thread;
    zelf_session *session;
    worked = refused = odd = round_now = 0;
    first_round = round;
    pthread_create(&thread, NULL, ends, has_called ? &key : NULL);
    pthread_join(thread, NULL);
    session = zelf_session_provider_get(old_provider, NULL);
    PROMISE(odd == 0 && refused > 0 && worked > refused && session,
            "calls of a thread that is ending, from round %d of its destructors on, %s before: %d "
            "work, %d are refused by name, %d otherwise", round,
            has_called ? "with calls" : "without calls", worked, refused, odd);
    zelf_session_free(session);
}

static void at_exit(void)
{
    worked = refused = odd = 0;
    call_everything();
    _exit(odd || !worked || !refused ? 8 : 7);
}

static void an_ending_process(void)
{
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(60);
        old_client = sandbox_client(1, 5000, 1);
        dispatched = dispatched_client();
        atexit(at_exit);
        call_everything();
        exit(9);
    }
    waitpid(child, &status, 0);
    PROMISE(WIFEXITED(status) && WEXITSTATUS(status) == 7,
            "so are those of an atexit handler: %d", status);
}

int main(void)
{
    zelf_session_options *options = options_for("ending-kept-x");
    int round, has_called;

    old_client = sandbox_client(1, 5000, 1);
    dispatched = dispatched_client();
    old_provider = zelf_session_provider_new(old_client, options, NULL, NULL);
    pthread_key_create(&key, at_the_end);
    for (round = 1; round <= 3; round++)
        for (has_called = 0; has_called < 2; has_called++) {
            zelf_session_free(zelf_session_provider_get(old_provider, NULL));
            an_ending_thread(has_called, round);
        }
    an_ending_process();
    zelf_session_provider_free(old_provider);
    zelf_session_options_free(options);
    zelf_client_shutdown(old_client, 5000);
    zelf_client_free(old_client);
    zelf_client_free(dispatched);
    no_thread_is_left();
    return check_failed;
}
