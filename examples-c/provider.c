/* Uses a token that works at any moment, also when the server has ended the session.
 *
 *   provider [base-url [origin [identifier [ca-file]]]]
 *
 * cc provider.c -lzelf */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zelf.h>

static int fail(const char *doing, zelf_error *error)
{
    fprintf(stderr, "%s: %s\n", doing, zelf_error_message(error));
    zelf_error_free(error);
    return EXIT_FAILURE;
}

/* Stands for a request that another HTTP library sends (in request.c, libzelf sends it).
   Returns the HTTP status. Here the server refuses the first session. */
static int send_request(const char *authorization, const char **body)
{
    static int requests;
    int is_first = requests++ == 0;

    fprintf(stderr, "a request with a header of %.6s...\n", authorization);
    *body = is_first ? "{\"validationError\":\"Session is not active\"}" : "{}";
    return is_first ? 403 : 200;
}

/* Sends the request with a valid token; once more if the server refuses that. */
static int request(zelf_session_provider *provider)
{
    zelf_error *error = NULL;
    const char *body;
    int again = 1;

    for (int attempt = 0; again && attempt < 2; attempt++) {
        zelf_session *session = zelf_session_provider_get(provider, &error);
        if (!session)
            return fail("cannot get a session", error);
        int status = send_request(zelf_session_authorization(session), &body);
        again = zelf_session_provider_invalidate_if_refused(provider, session, status, body, strlen(body));
        if (!again)
            printf("%s\n", zelf_session_token(session));
        zelf_session_free(session);
    }
    if (again) fprintf(stderr, "a new session was refused too\n");
    return again ? EXIT_FAILURE : EXIT_SUCCESS;
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
    zelf_session_provider *provider = zelf_session_provider_new(client, options, NULL, &error);
    zelf_session_options_free(options);
    int status = provider ? request(provider) : fail("cannot make a provider", error);

    /* Free the provider when no other thread uses it. */
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    return status;
}
