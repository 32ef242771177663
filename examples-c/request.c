/* Searches a tag by its name, and prints the JSON that the server returns.
 *
 *   request tag-name [base-url [origin [identifier [ca-file]]]]
 *
 * cc request.c -lzelf */
#include <ctype.h>
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

/* Any answer is a response, a refusal too. */
static int show(const zelf_response *response)
{
    const char *words = zelf_response_server_message(response);
    int status = zelf_response_http_status(response);

    if (status == 200)
        return puts(zelf_response_body(response, NULL)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    fprintf(stderr, "refused: HTTP %d, %s\n", status, words ? words : "without words");
    return EXIT_FAILURE;
}

static int search(zelf_session_provider *provider, const char *name)
{
    char target[9000] = "/api/tags/search?tagName=";
    zelf_error *error = NULL;

    /* A target has at most 8192 bytes. The library refuses a longer one, so a truncated name is
       never sent. */
    for (size_t at = strlen(target); *name && at < sizeof target - 3; name++)
        at += (size_t)sprintf(target + at, isalnum((unsigned char)*name) ? "%c" : "%%%02X",
                              (unsigned char)*name);
    zelf_request *request = zelf_request_new("GET", target);
    zelf_response *response = zelf_session_provider_send(provider, request, &error);
    zelf_request_free(request);
    int status = response ? show(response) : fail("cannot search", error);
    zelf_response_free(response);
    return status;
}

int main(int argc, char **argv)
{
    zelf_error *error = NULL;
    char identifier[ZELF_IDENTIFIER_SIZE];

    zelf_status made = zelf_identifier_random(identifier, sizeof identifier);
    if (made != ZELF_OK) {
        fprintf(stderr, "cannot make an identifier: %s\n", zelf_status_message(made));
        return EXIT_FAILURE;
    }
    zelf_config *config = zelf_config_new();
    if (argc > 2) zelf_config_set_base_url(config, argv[2]);
    if (argc > 3) zelf_config_set_origin(config, argv[3]);
    if (argc > 5) zelf_config_set_ca_file(config, argv[5]);
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    zelf_session_options *options = zelf_session_options_new();
    zelf_session_options_set_identifier(options, argc > 4 ? argv[4] : identifier);
    zelf_session_provider *provider =
        client ? zelf_session_provider_new(client, options, NULL, &error) : NULL;
    zelf_session_options_free(options);
    int status = provider ? search(provider, argc > 1 ? argv[1] : "") : fail("cannot begin", error);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    return status;
}
