/* A GET with the session of a provider, through libzelf's C ABI. */
#include "client.h"

#include <stdlib.h>
#include <zelf.h>

struct state {
    zelf_session_provider *provider;
    zelf_request *request;
};

static void *start(const char *base_url, const char *ca_file)
{
    zelf_config *config = zelf_config_new();
    zelf_session_options *options = zelf_session_options_new();
    struct state *made = calloc(1, sizeof *made);
    zelf_client *client;
    zelf_config_set_base_url(config, base_url);
    zelf_config_set_origin(config, "https://app.example");
    zelf_config_set_ca_file(config, ca_file);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_session_options_set_identifier(options, "bench-x");
    made->provider = zelf_session_provider_new(client, options, NULL, NULL);
    made->request = zelf_request_new("GET", TARGET);
    zelf_session_options_free(options);
    /* The provider goes on: the client is not freed. */
    return made;
}

static int get(void *state, const char *identifier)
{
    struct state *with = state;
    zelf_response *response = zelf_session_provider_send(with->provider, with->request, NULL);
    size_t length = 0;
    int fine = zelf_response_body(response, &length) && zelf_response_http_status(response) == 200
               && length == SIZE;
    (void)identifier;
    zelf_response_free(response);
    return fine;
}

static void stop(void *state)
{
    struct state *with = state;
    zelf_request_free(with->request);
    zelf_session_provider_free(with->provider);
    free(with);
}

const struct client client = {"libzelf", 1, start, get, stop};
