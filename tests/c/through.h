/* One call through a proxy, and its error. */
#ifndef THROUGH_H
#define THROUGH_H

#include "calls.h"
#include "proxy.h"

/* The error of the last call. */
static zelf_error *last_error;

static inline const char *message(void) { return last_error ? zelf_error_message(last_error) : "-"; }

static inline const char *words(void)
{
    const char *said = zelf_error_server_message(last_error);
    return said ? said : "";
}

struct how {
    const char *scheme, *credentials;
    uint32_t attempts, timeout_ms, connect_timeout_ms;
    int kills;
};

static inline zelf_status call(const struct how *how, int port)
{
    zelf_config *config = tls_config();
    zelf_session_options *options = options_for("proxy-failures-x");
    zelf_session *session = NULL;
    zelf_client *client;
    zelf_status status;
    char url[256];

    snprintf(url, sizeof url, "%s://%s127.0.0.1:%d", how->scheme,
             how->credentials ? how->credentials : "", port);
    zelf_config_set_proxy(config, url);
    zelf_config_set_max_attempts(config, how->attempts);
    if (how->timeout_ms) zelf_config_set_timeout_ms(config, how->timeout_ms);
    zelf_config_set_connect_timeout_ms(config, how->connect_timeout_ms);
    zelf_session_options_set_kill_session(options, how->kills);
    zelf_error_free(last_error);
    last_error = NULL;
    client = zelf_client_new(config, &last_error);
    if (client) session = zelf_session_create(client, options, &last_error);
    status = session ? ZELF_OK : zelf_error_status(last_error);
    zelf_session_free(session);
    zelf_session_options_free(options);
    zelf_client_free(client);
    zelf_config_free(config);
    return status;
}

static inline zelf_status through(const char *scheme, uint32_t attempts, struct proxy *proxy)
{
    struct how how = {0};
    how.scheme = scheme;
    how.attempts = attempts;
    return call(&how, proxy->port);
}

#endif
