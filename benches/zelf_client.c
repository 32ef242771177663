/* libzelf through its C ABI. */
#include "client.h"

#include <stdlib.h>
#include <zelf.h>

static void *start(const char *base_url, const char *ca_file)
{
    zelf_config *config = zelf_config_new();
    zelf_client *made;
    zelf_config_set_base_url(config, base_url);
    zelf_config_set_origin(config, "https://app.example");
    zelf_config_set_ca_file(config, ca_file);
    made = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return made;
}

static int create(void *state, const char *identifier)
{
    zelf_session_options *options = zelf_session_options_new();
    zelf_session *session;
    int fine;
    zelf_session_options_set_identifier(options, identifier);
    session = zelf_session_create(state, options, NULL);
    fine = zelf_session_token(session) != NULL;
    zelf_session_free(session);
    zelf_session_options_free(options);
    return fine;
}

static void stop(void *state) { zelf_client_free(state); }

const struct client client = {"libzelf", 1, start, create, stop};
