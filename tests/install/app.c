/* A program of a user of an installed libzelf: one session over TLS, and one error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zelf.h>

/* A library newer than the header is accepted too. */
static int is_not_older(const char *version)
{
    int major = -1, minor = -1;
    sscanf(version, "%d.%d", &major, &minor);
    return major > ZELF_VERSION_MAJOR
           || (major == ZELF_VERSION_MAJOR && minor >= ZELF_VERSION_MINOR);
}

int main(void)
{
    zelf_error *error = NULL;
    zelf_config *config = zelf_config_new();
    zelf_session_options *options = zelf_session_options_new();
    zelf_client *client;
    zelf_session *session;
    int fine;

    zelf_config_set_base_url(config, getenv("ZELF_HTTPS"));
    zelf_config_set_ca_file(config, getenv("ZELF_CA"));
    client = zelf_client_new(config, NULL);
    zelf_session_options_set_identifier(options, "consumer-x");
    session = zelf_session_create(client, options, NULL);
    fine = session && strcmp(zelf_session_identifier(session), "consumer-x") == 0
           && is_not_older(zelf_version());

    zelf_session_options_set_identifier(options, "");
    fine &= !zelf_session_create(client, options, &error)
            && zelf_error_status(error) == ZELF_ERROR_INVALID_ARGUMENT;
    puts(fine ? "fine" : "not fine");

    zelf_error_free(error);
    zelf_session_free(session);
    zelf_session_options_free(options);
    zelf_client_free(client);
    zelf_config_free(config);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
