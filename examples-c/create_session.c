/* Creates a session and prints its token.
 *
 *   create_session [base-url [origin [identifier [ca-file]]]]
 *
 * cc create_session.c -lzelf
 */
#include <stdio.h>
#include <stdlib.h>
#include <zelf.h>

static int fail(const char *doing, zelf_error *error)
{
    const char *server_said = zelf_error_server_message(error);

    fprintf(stderr, "%s: %s\n", doing, zelf_error_message(error));
    fprintf(stderr, "  status: %s\n", zelf_status_name(zelf_error_status(error)));
    if (zelf_error_http_status(error) != 0)
        fprintf(stderr, "  HTTP status: %d\n", (int)zelf_error_http_status(error));
    if (server_said)
        fprintf(stderr, "  server: %s\n", server_said);
    if (zelf_error_is_retryable(error))
        fprintf(stderr, "  may succeed later\n");
    if (zelf_error_retry_after_ms(error) > 0)
        fprintf(stderr, "  wait %llu ms\n", (unsigned long long)zelf_error_retry_after_ms(error));
    zelf_error_free(error);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    zelf_error *error = NULL;
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
    zelf_session *session = zelf_session_create(client, options, &error);
    zelf_session_options_free(options);
    zelf_client_free(client);
    if (!session)
        return fail("cannot create a session", error);

    printf("%s\n", zelf_session_token(session));
    fprintf(stderr, "lives %lld s\n", (long long)zelf_session_seconds_left(session));
    zelf_session_free(session);
    return EXIT_SUCCESS;
}
