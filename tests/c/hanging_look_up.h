/* A name look-up that blocks until the test releases it. */
#ifndef HANGING_LOOK_UP_H
#define HANGING_LOOK_UP_H

#include <netdb.h>
#include <unistd.h>

#include "check.h"

/* Replaces the C library's look-up. It blocks while this flag is set. */
static int look_up_hangs;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    while (get_flag(&look_up_hangs)) usleep(1000);
    return EAI_FAIL;
}

static inline zelf_client *client_of(const char *url)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, url);
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

#endif
