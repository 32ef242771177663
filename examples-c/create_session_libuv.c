/* Creates a session from a libuv loop, and prints its token.
 *
 *   create_session_libuv [base-url [origin [identifier [ca-file]]]]
 *
 * cc create_session_libuv.c -lzelf $(pkg-config --cflags --libs libuv)
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>
#include <zelf.h>

struct work {
    uv_poll_t callbacks;
    zelf_client *client;
    int status;
};

/* Runs on the loop's thread, from inside zelf_client_dispatch. */
static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct work *work = user_data;

    if (session)
        printf("%s\n", zelf_session_token(session));
    else
        fprintf(stderr, "cannot create a session: %s\n", zelf_error_message(error));
    work->status = session ? EXIT_SUCCESS : EXIT_FAILURE;
    zelf_session_free(session);
    zelf_error_free(error);

    /* Nothing more to wait for; the loop ends when its last handle is closed. */
    uv_close((uv_handle_t *)&work->callbacks, NULL);
}

static void on_readable(uv_poll_t *callbacks, int status, int events)
{
    struct work *work = callbacks->data;
    (void)status, (void)events;
    zelf_client_dispatch(work->client);
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
    struct work work = {.status = EXIT_FAILURE};
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
    zelf_config_set_dispatch(config, true);
    work.client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!work.client)
        return fail("cannot make a client", error);
    int descriptor = zelf_client_descriptor(work.client);
    if (descriptor < 0) {
        zelf_client_free(work.client);
        fprintf(stderr, "the system has no descriptor left\n");
        return EXIT_FAILURE;
    }

    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, argc > 3 ? argv[3] : identifier);
    zelf_call *call = zelf_session_create_async(work.client, options, on_session, &work, NULL, &error);
    zelf_session_options_free(options);
    if (!call) {
        zelf_client_free(work.client);
        return fail("cannot start", error);
    }

    uv_poll_init(uv_default_loop(), &work.callbacks, descriptor);
    work.callbacks.data = &work;
    uv_poll_start(&work.callbacks, UV_READABLE, on_readable);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);

    /* Remove the descriptor from the loop before you free the client: on_session has closed
       its handle. */
    zelf_call_free(call);
    zelf_client_shutdown(work.client, 1000);
    zelf_client_free(work.client);
    uv_loop_close(uv_default_loop());
    return work.status;
}
