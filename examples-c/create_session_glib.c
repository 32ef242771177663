/* Creates a session from a GLib main loop, and prints its token.
 *
 *   create_session_glib [base-url [origin [identifier [ca-file]]]]
 *
 * cc create_session_glib.c -lzelf $(pkg-config --cflags --libs glib-2.0)
 */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <zelf.h>

struct work {
    GMainLoop *loop;
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
    g_main_loop_quit(work->loop);
}

static gboolean on_readable(gint descriptor, GIOCondition condition, gpointer client)
{
    (void)descriptor, (void)condition;
    zelf_client_dispatch(client);
    return G_SOURCE_CONTINUE;
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
    struct work work = {NULL, EXIT_FAILURE};
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
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client)
        return fail("cannot make a client", error);
    int descriptor = zelf_client_descriptor(client);
    if (descriptor < 0) {
        zelf_client_free(client);
        fprintf(stderr, "the system has no descriptor left\n");
        return EXIT_FAILURE;
    }

    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, argc > 3 ? argv[3] : identifier);
    zelf_call *call = zelf_session_create_async(client, options, on_session, &work, NULL, &error);
    zelf_session_options_free(options);
    if (!call) {
        zelf_client_free(client);
        return fail("cannot start", error);
    }

    work.loop = g_main_loop_new(NULL, FALSE);
    guint source = g_unix_fd_add(descriptor, G_IO_IN, on_readable, client);
    g_main_loop_run(work.loop);

    /* Remove the descriptor from the loop before you free the client. */
    g_source_remove(source);
    g_main_loop_unref(work.loop);
    zelf_call_free(call);
    zelf_client_shutdown(client, 1000);
    zelf_client_free(client);
    return work.status;
}
