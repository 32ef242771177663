/* The getters of a session, over plain HTTP on loopback and over TLS. */
#include "check.h"

static void session_is_whole(int tls)
{
    const char *via = tls ? "over TLS" : "over HTTP on loopback";
    zelf_client *client = sandbox_client(tls, 10000, 0);
    zelf_error *error = (zelf_error *)&client;
    double began = seconds_now();
    zelf_session *session = create(client, tls ? "whole-tls" : "whole-http", &error);
    const char *token = zelf_session_token(session);
    int64_t left;

    PROMISE(session != NULL, "a session is created %s", via);
    PROMISE(error == (zelf_error *)&client, "*error is not written on success %s", via);
    PROMISE(token && strncmp(token, "eyJ", 3) == 0, "the token is a JWT %s", via);
    PROMISE(strncmp(zelf_session_authorization(session), "Bearer ", 7) == 0
                && strcmp(zelf_session_authorization(session) + 7, token) == 0,
            "the authorization is Bearer and the token %s", via);
    PROMISE(route_status(zelf_session_authorization(session)) == 200,
            "the server accepts the authorization %s", via);
    PROMISE(zelf_session_id(session) && strlen(zelf_session_id(session)) == 24,
            "the session's id is read from the token %s", via);
    PROMISE(strcmp(zelf_session_identifier(session), tls ? "whole-tls" : "whole-http") == 0,
            "the identifier is the one that was asked for %s", via);
    left = zelf_session_seconds_left(session);
    PROMISE(zelf_session_expires_at(session) - zelf_session_activated_at(session) == 600,
            "the session lives ten minutes %s", via);
    PROMISE(left <= 600 && (double)left >= 598 - (seconds_now() - began),
            "a new session has ten minutes left %s: %ld s", via, (long)left);

    zelf_client_free(client);
    PROMISE(route_status(zelf_session_authorization(session)) == 200,
            "a session outlives its client %s", via);
    zelf_session_free(session);
}

static void the_request_is_the_public_pages(void)
{
    zelf_client *client = sandbox_client(0, 10000, 0);
    zelf_session *session;

    forget_requests();
    session = zelf_session_create(client, NULL, NULL);
    PROMISE(session != NULL, "NULL options and a NULL error create a session");
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(strstr(http_answer, "\"{}\"") != NULL, "without options the body is {}");
    PROMISE(strstr(http_answer, "application/json") != NULL, "its content type is JSON");
    PROMISE(strstr(http_answer, "origin") != NULL && strstr(http_answer, need_env("ZELF_HTTP")),
            "its origin is that of the base URL");
    PROMISE(strstr(http_answer, "libzelf/" ZELF_VERSION) != NULL, "its user agent is ours");
    zelf_session_free(session);
    zelf_client_free(client);
}

/* For requests with another HTTP client. */
static void a_client_tells_where_it_sends(void)
{
    zelf_config *config = zelf_config_new();
    zelf_client *usual, *client;
    /* The machine may have no certificates. */
    zelf_config_set_ca_file(config, need_env("ZELF_CA"));
    usual = zelf_client_new(config, NULL);
    zelf_config_set_base_url(config, "https://API.example:443/v3/");
    client = zelf_client_new(config, NULL);
    PROMISE(!strcmp(zelf_client_base_url(usual), "https://api.zelf.world"),
            "the default base URL is the public API's");
    PROMISE(!strcmp(zelf_client_base_url(client), "https://api.example/v3"),
            "a base URL is in normal form, without / at its end: %s", zelf_client_base_url(client));
    PROMISE(!strcmp(zelf_client_origin(client), "https://api.example"),
            "the default origin is that of the base URL: %s", zelf_client_origin(client));
    zelf_client_free(client);
    zelf_config_set_origin(config, "https://app.example");
    client = zelf_client_new(config, NULL);
    PROMISE(!strcmp(zelf_client_origin(client), "https://app.example"),
            "an origin that was set is the client's");
    zelf_client_free(client);
    zelf_client_free(usual);
    zelf_config_free(config);
}

static void every_option_arrives(void)
{
    static const char *const sent[] = {"importWallet", "isWebExtension", "avax",
                                       "alice.avax",   "0xabc",          "killSession"};
    zelf_client *client = sandbox_client(0, 10000, 0);
    zelf_session_options *options = options_for("opt\"ions\\");
    zelf_session *session;
    size_t i;

    zelf_session_options_set_type(options, ZELF_SESSION_TYPE_IMPORT_WALLET);
    zelf_session_options_set_web_extension(options, true);
    zelf_session_options_set_domain(options, "avax");
    zelf_session_options_set_tag_name(options, "alice.avax");
    zelf_session_options_set_eth_address(options, "0xabc");
    zelf_session_options_set_kill_session(options, false);
    forget_requests();
    session = zelf_session_create(client, options, NULL);
    PROMISE(session && strcmp(zelf_session_identifier(session), "opt\"ions\\") == 0,
            "an identifier may have characters that JSON escapes");
    sandbox("GET", "/sandbox/requests", "");
    for (i = 0; i < sizeof sent / sizeof *sent; i++)
        PROMISE(strstr(http_answer, sent[i]) != NULL, "the option %s is sent", sent[i]);
    PROMISE(strcmp(zelf_session_domain(session), "avax") == 0, "the token has the domain");
    PROMISE(strcmp(zelf_session_tag_name(session), "alice.avax") == 0, "the token has the tag name");
    PROMISE(strcmp(zelf_session_eth_address(session), "0xabc") == 0,
            "the token has the Ethereum address");
    zelf_session_free(session);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

static void an_ignored_option_is_an_error(void)
{
    zelf_client *client = sandbox_client(1, 10000, 0);
    zelf_session_options *options = options_for("ignored-x");
    zelf_session *session = zelf_session_create(client, options, NULL);
    zelf_error *error = NULL;

    PROMISE(session && zelf_session_domain(session), "a session has a domain by default");
    PROMISE(!zelf_session_tag_name(session), "a session made without a tag name has none");
    PROMISE(!zelf_session_eth_address(session), "a session made without an address has none");
    zelf_session_free(session);
    zelf_session_options_set_eth_address(options, "0xabc");
    session = zelf_session_create(client, options, &error);
    PROMISE(!session, "a live session that was made with another address is not returned");
    PROMISE(zelf_error_status(error) == ZELF_ERROR_OTHER_OPTIONS,
            "the status is ZELF_ERROR_OTHER_OPTIONS: %s",
            zelf_status_name(zelf_error_status(error)));
    PROMISE(!zelf_error_is_retryable(error), "the error is not retryable");
    zelf_error_free(error);
    zelf_session_options_set_kill_session(options, true);
    session = zelf_session_create(client, options, NULL);
    PROMISE(session && strcmp(zelf_session_eth_address(session), "0xabc") == 0,
            "a kill creates a session with the address");
    zelf_session_free(session);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

static void a_ghost_is_told_when_asked(void)
{
    zelf_client *client = sandbox_client(1, 10000, 0);
    zelf_session_options *options = options_for("ghost-x");
    zelf_error *error = NULL;
    zelf_session *session;

    zelf_session_options_set_confirm(options, true);
    session = zelf_session_create(client, options, NULL);
    PROMISE(session && route_status(zelf_session_authorization(session)) == 200,
            "a confirmed session exists");
    zelf_session_free(session);
    sandbox("POST", "/sandbox/address", "{\"address\":\"198.51.100.7\"}");
    session = zelf_session_create(client, options, &error);
    PROMISE(!session && zelf_error_status(error) == ZELF_ERROR_GHOST_SESSION,
            "after a change of network a confirmed session is ZELF_ERROR_GHOST_SESSION");
    sandbox("POST", "/sandbox/address", "{}");
    zelf_error_free(error);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

static void a_live_session_comes_back(void)
{
    zelf_client *client = sandbox_client(1, 10000, 0);
    zelf_session_options *options = options_for("comes-back-x");
    zelf_session *first = zelf_session_create(client, options, NULL);
    zelf_session *again = zelf_session_create(client, options, NULL);
    zelf_session *fresh;

    PROMISE(first && again, "two calls with one identifier get sessions");
    PROMISE(strcmp(zelf_session_id(first), zelf_session_id(again)) == 0, "they get the same session");
    zelf_session_options_set_kill_session(options, true);
    fresh = zelf_session_create(client, options, NULL);
    PROMISE(fresh && strcmp(zelf_session_id(first), zelf_session_id(fresh)) != 0,
            "a kill creates a new session");
    PROMISE(route_status(zelf_session_authorization(first)) == 403, "the old token is refused");
    PROMISE(route_status(zelf_session_authorization(fresh)) == 200, "the new token is accepted");
    zelf_session_free(first);
    zelf_session_free(again);
    zelf_session_free(fresh);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

static void a_connection_is_kept(void)
{
    zelf_client *client = sandbox_client(1, 10000, 0);
    char before[64], after[64];
    int i;

    zelf_session_free(create(client, "kept-x", NULL));
    sandbox("GET", "/sandbox/connections", "");
    snprintf(before, sizeof before, "%.60s", strstr(http_answer, "{\"accepted"));
    for (i = 0; i < 20; i++) zelf_session_free(create(client, "kept-x", NULL));
    sandbox("GET", "/sandbox/connections", "");
    snprintf(after, sizeof after, "%.60s", strstr(http_answer, "{\"accepted"));
    PROMISE(strcmp(before, after) == 0, "calls one after the other share one connection: %s",
            after);
    zelf_client_free(client);
}

int main(void)
{
    session_is_whole(0);
    session_is_whole(1);
    the_request_is_the_public_pages();
    a_client_tells_where_it_sends();
    every_option_arrives();
    a_live_session_comes_back();
    an_ignored_option_is_an_error();
    a_ghost_is_told_when_asked();
    a_connection_is_kept();
    return check_failed;
}
