/* A program that is built from a release archive, for POSIX and Windows.
   archive URL CA-FILE OTHER-CA-FILE prints promises. archive URL CA-FILE exits with status 7 while
   a call is under way. archive URL CA-FILE token prints a token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zelf.h>

#ifdef _WIN32
#include <windows.h>

static HANDLE ended;

static void prepare(void) { ended = CreateEvent(NULL, TRUE, FALSE, NULL); }
static void signal_end(void) { SetEvent(ended); }
static int wait_for_end(void) { return WaitForSingleObject(ended, 60000) == WAIT_OBJECT_0; }
static void end_at_once(int status) { TerminateProcess(GetCurrentProcess(), (UINT)status); }
#else
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int has_ended;

static void prepare(void) {}

static void signal_end(void)
{
    pthread_mutex_lock(&lock);
    has_ended = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int wait_for_end(void)
{
    struct timespec until;
    int is_late = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&lock);
    while (!has_ended && !is_late) is_late = pthread_cond_timedwait(&changed, &lock, &until) != 0;
    pthread_mutex_unlock(&lock);
    return !is_late;
}

static void end_at_once(int status) { _exit(status); }
#endif

static int failed;

static void promise(int kept, const char *sentence, const char *seen)
{
    printf("%sok - %s: %s\n", kept ? "" : "not ", sentence, seen ? seen : "nothing");
    fflush(stdout);
    if (!kept) failed = 1;
}

static zelf_client *client_for(const char *url, const char *ca_file)
{
    zelf_error *error = NULL;
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, url);
    zelf_config_set_ca_file(config, ca_file);
    zelf_config_set_timeout_ms(config, 60000);
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, &error);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    zelf_config_free(config);
    return client;
}

static zelf_session *session_of(zelf_client *client, const char *identifier, zelf_error **error)
{
    zelf_session_options *options = zelf_session_options_new();
    zelf_session *session;
    zelf_session_options_set_identifier(options, identifier);
    session = zelf_session_create(client, options, error);
    zelf_session_options_free(options);
    return session;
}

static void a_token_is_made(const char *url, const char *ca_file)
{
    zelf_error *error = NULL;
    zelf_client *client = client_for(url, ca_file);
    zelf_session *session = session_of(client, "archive-x", &error);
    promise(session && strncmp(zelf_session_authorization(session), "Bearer eyJ", 10) == 0,
            "a session is created over TLS",
            session ? zelf_session_identifier(session) : zelf_error_message(error));
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
}

static void an_error_is_told(const char *url, const char *ca_file, const char *identifier,
                             zelf_status status, const char *part, const char *sentence)
{
    zelf_error *error = NULL;
    zelf_client *client = client_for(url, ca_file);
    zelf_session *session = session_of(client, identifier, &error);
    promise(!session && zelf_error_status(error) == status, sentence,
            zelf_status_name(zelf_error_status(error)));
    promise(error && strstr(zelf_error_message(error), part), "its message says why",
            error ? zelf_error_message(error) : NULL);
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
}

struct seen {
    zelf_session *session;
    zelf_error *error;
    int called, destroyed;
};

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct seen *seen = user_data;
    seen->session = session;
    seen->error = error;
    seen->called++;
}

static void on_destroy(void *user_data)
{
    struct seen *seen = user_data;
    seen->destroyed++;
    signal_end();
}

static void an_asynchronous_call_calls_back(const char *url, const char *ca_file)
{
    static struct seen seen;
    zelf_client *client = client_for(url, ca_file);
    zelf_call *call = zelf_session_create_async(client, NULL, on_session, &seen, on_destroy, NULL);
    promise(call && wait_for_end(), "an asynchronous call ends", call ? "it does" : "none began");
    promise(zelf_client_shutdown(client, 60000) == ZELF_OK, "the client is shut down", "ZELF_OK");
    promise(seen.called == 1 && seen.destroyed == 1 && seen.session,
            "its callback runs once, with a session", zelf_error_message(seen.error));
    zelf_session_free(seen.session);
    zelf_error_free(seen.error);
    zelf_call_free(call);
    zelf_client_free(client);
}

/* ---- Exit ---- */

static volatile int is_ending;

static void on_late_session(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)user_data;
    zelf_session_free(session);
    zelf_error_free(error);
}

static void on_late_destroy(void *user_data)
{
    (void)user_data;
    if (is_ending) end_at_once(9);
}

static void note_the_end(void) { is_ending = 1; }

/* The handler that is registered last runs first. The header promises that after the library's
   handler no callback runs; so the one of this program is registered before the library's. */
static int exits_with_calls_under_way(const char *url, const char *ca_file)
{
    zelf_client *client;
    int i;
    atexit(note_the_end);
    client = client_for(url, ca_file);
    for (i = 0; i < 20; i++)
        if (!zelf_session_create_async(client, NULL, on_late_session, NULL, on_late_destroy, NULL))
            return 8;
    exit(7);
}

static int prints_a_token(const char *url, const char *ca_file)
{
    zelf_error *error = NULL;
    zelf_client *client = client_for(url, ca_file);
    zelf_session *session = session_of(client, "archive-z", &error);
    puts(session ? zelf_session_token(session) : zelf_error_message(error));
    zelf_session_free(session);
    zelf_error_free(error);
    zelf_client_free(client);
    return session == NULL;
}

int main(int count, char **arguments)
{
    const char *url, *ca_file;
    if (count < 3) return 2;
    prepare();
    url = arguments[1];
    ca_file = arguments[2];
    if (count == 3) return exits_with_calls_under_way(url, ca_file);
    if (strcmp(arguments[3], "token") == 0) return prints_a_token(url, ca_file);
    promise(strcmp(zelf_version(), ZELF_VERSION) == 0, "the header has the library's version",
            zelf_version());
    a_token_is_made(url, ca_file);
    an_error_is_told("https://127.0.0.1:1", ca_file, "archive-x", ZELF_ERROR_CONNECT, "127.0.0.1",
                     "a refused connection is ZELF_ERROR_CONNECT");
    an_error_is_told(url, arguments[3], "archive-x", ZELF_ERROR_TLS, "certificate",
                     "a certificate of another CA is refused");
    an_error_is_told(url, ca_file, "undefined", ZELF_ERROR_INVALID_ARGUMENT, "undefined",
                     "an identifier that the server mistakes is refused");
    an_asynchronous_call_calls_back(url, ca_file);
    return failed;
}
