/* A provider that holds a session. */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zelf.h>

struct provider {
    zelf_client *client;
    zelf_session_provider *provider;
};

static inline void must(int fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

/* Holds no session yet. ca_file: "-" for the system's. directory: "-" for none. */
static inline struct provider provider_start(const char *base_url, const char *ca_file,
                                             const char *directory, int background)
{
    struct provider made;
    zelf_config *config = zelf_config_new();
    zelf_session_options *options = zelf_session_options_new();
    zelf_provider_options *how = zelf_provider_options_new();
    zelf_config_set_base_url(config, base_url);
    zelf_config_set_origin(config, "https://app.example");
    zelf_config_set_timeout_ms(config, 60000);
    if (strcmp(ca_file, "-") != 0) zelf_config_set_ca_file(config, ca_file);
    if (strcmp(directory, "-") != 0) zelf_provider_options_set_directory(how, directory);
    zelf_provider_options_set_background(how, background);
    zelf_session_options_set_identifier(options, "5f0c6a3e8d2b4c719e6a0b1c2d3e4f50");
    made.client = zelf_client_new(config, NULL);
    must(made.client != NULL, "the client");
    made.provider = zelf_session_provider_new(made.client, options, how, NULL);
    must(made.provider != NULL, "the provider");
    zelf_provider_options_free(how);
    zelf_session_options_free(options);
    zelf_config_free(config);
    return made;
}

static inline void provider_stop(struct provider provider)
{
    zelf_session_provider_free(provider.provider);
    zelf_client_free(provider.client);
}

#endif
