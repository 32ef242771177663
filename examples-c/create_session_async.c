/* Creates a session without waiting for it, and prints its token. For programs
 * with threads; create_session_libuv.c and create_session_glib.c are for those
 * with an event loop.
 *
 *   create_session_async [base-url [origin [identifier [ca-file]]]]
 *
 * cc create_session_async.c -lzelf -lpthread
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <zelf.h>

struct work {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int is_done, status;
};

/* Runs on a thread of the client. */
static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct work *work = user_data;

    if (session)
        printf("%s\n", zelf_session_token(session));
    else
        fprintf(stderr, "cannot create a session: %s\n", zelf_error_message(error));
    pthread_mutex_lock(&work->lock);
    work->status = session ? EXIT_SUCCESS : EXIT_FAILURE;
    work->is_done = 1;
    pthread_cond_signal(&work->done);
    pthread_mutex_unlock(&work->lock);
    zelf_session_free(session);
    zelf_error_free(error);
}

static int fail(const char *doing, zelf_error *error)
{
    fprintf(stderr, "%s: %s\n", doing, zelf_error_message(error));
    zelf_error_free(error);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    zelf_error *error = NULL;
    struct work work = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, EXIT_FAILURE};
    char identifier[ZELF_IDENTIFIER_SIZE];

    /* Make one for each installation, and keep it. */
    zelf_status made = zelf_identifier_random(identifier, sizeof identifier);
    if (made != ZELF_OK) {
        fprintf(stderr, "cannot make an identifier: %s\n", zelf_status_message(made));
        return EXIT_FAILURE;
    }
    zelf_config *config = zelf_config_new();
    if (argc > 1) zelf_config_set_base_url(config, argv[1]);
    if (argc > 2) zelf_config_set_origin(config, argv[2]);
    if (argc > 4) zelf_config_set_ca_file(config, argv[4]);
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client)
        return fail("cannot make a client", error);

    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, argc > 3 ? argv[3] : identifier);
    zelf_call *call = zelf_session_create_async(client, options, on_session, &work, NULL, &error);
    zelf_session_options_free(options);
    if (!call) {
        zelf_client_free(client);
        return fail("cannot start", error);
    }

    /* Here the program continues with its own work. zelf_call_cancel(call) would
       cancel the call. */
    pthread_mutex_lock(&work.lock);
    while (!work.is_done)
        pthread_cond_wait(&work.done, &work.lock);
    pthread_mutex_unlock(&work.lock);

    /* After ZELF_OK no callback runs, so the data that callbacks use can be freed. */
    while (zelf_client_shutdown(client, 1000) == ZELF_ERROR_TIMEOUT)
        fprintf(stderr, "waiting for a callback to return\n");
    zelf_call_free(call);
    zelf_client_free(client);
    return work.status;
}
