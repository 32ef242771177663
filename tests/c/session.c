/* A session as a caller sees it, over plain HTTP on loopback and over TLS. */
#include "check.h"

static void session_is_whole(int tls)
{
    const char *via = tls ? "over TLS" : "over HTTP on loopback";
    zelf_client *client = sandbox_client(tls, 10000, 0);
    zelf_error *error = (zelf_error *)&client;
    zelf_session *session = create(client, tls ? "whole-tls" : "whole-http", &error);
    const char *token = zelf_session_token(session);

    PROMISE(session && error == (zelf_error *)&client,
            "a session is created %s, and *error is not written", via);
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
    PROMISE(zelf_session_expires_at(session) - zelf_session_activated_at(session) == 600
                && zelf_session_seconds_left(session) >= 595
                && zelf_session_seconds_left(session) <= 600,
            "the session lives ten minutes %s", via);

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
    PROMISE(session != NULL, "NULL options and no place for an error are fine");
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(strstr(http_answer, "\"{}\"") != NULL, "without options the body is {}");
    PROMISE(strstr(http_answer, "application/json") != NULL, "its content type is JSON");
    PROMISE(strstr(http_answer, "origin") != NULL && strstr(http_answer, need_env("ZELF_HTTP")),
            "its origin is that of the base URL");
    PROMISE(strstr(http_answer, "libzelf/" ZELF_VERSION) != NULL, "its user agent is ours");
    zelf_session_free(session);
    zelf_client_free(client);
}

static void every_option_arrives(void)
{
    zelf_client *client = sandbox_client(0, 10000, 0);
    zelf_session_options *options = options_for("opt\"ions\\");
    zelf_session *session;

    zelf_session_options_set_type(options, ZELF_SESSION_TYPE_IMPORT_WALLET);
    zelf_session_options_set_web_extension(options, true);
    zelf_session_options_set_domain(options, "avax");
    zelf_session_options_set_tag_name(options, "alice.avax");
    zelf_session_options_set_eth_address(options, "0xabc");
    zelf_session_options_set_kill_session(options, false);
    forget_requests();
    session = zelf_session_create(client, options, NULL);
    PROMISE(session && strcmp(zelf_session_identifier(session), "opt\"ions\\") == 0,
            "an identifier with JSON's own characters survives");
    sandbox("GET", "/sandbox/requests", "");
    PROMISE(strstr(http_answer, "importWallet") && strstr(http_answer, "isWebExtension")
                && strstr(http_answer, "avax") && strstr(http_answer, "alice.avax")
                && strstr(http_answer, "0xabc") && strstr(http_answer, "killSession"),
            "every option that was set is sent");
    PROMISE(session && strcmp(zelf_session_domain(session), "avax") == 0
                && strcmp(zelf_session_tag_name(session), "alice.avax") == 0
                && strcmp(zelf_session_eth_address(session), "0xabc") == 0,
            "the token says what the session was made with");
    zelf_session_free(session);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

static void what_was_ignored_is_an_error(void)
{
    zelf_client *client = sandbox_client(1, 10000, 0);
    zelf_session_options *options = options_for("ignored-x");
    zelf_session *session = zelf_session_create(client, options, NULL);
    zelf_error *error = NULL;

    PROMISE(session && zelf_session_domain(session) && !zelf_session_tag_name(session)
                && !zelf_session_eth_address(session),
            "a session made without a tag name and an address has neither");
    zelf_session_free(session);
    zelf_session_options_set_eth_address(options, "0xabc");
    session = zelf_session_create(client, options, &error);
    PROMISE(!session && zelf_error_status(error) == ZELF_ERROR_OTHER_OPTIONS
                && !zelf_error_is_retryable(error),
            "a live session that was made with another address is an error");
    zelf_error_free(error);
    zelf_session_options_set_kill_session(options, true);
    session = zelf_session_create(client, options, NULL);
    PROMISE(session && strcmp(zelf_session_eth_address(session), "0xabc") == 0,
            "killing it brings one with the address");
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
            "after a change of network the ghosts are told");
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

    PROMISE(first && again && strcmp(zelf_session_id(first), zelf_session_id(again)) == 0,
            "the same identifier gets the same session");
    zelf_session_options_set_kill_session(options, true);
    fresh = zelf_session_create(client, options, NULL);
    PROMISE(fresh && strcmp(zelf_session_id(first), zelf_session_id(fresh)) != 0,
            "kill session brings a new one");
    PROMISE(route_status(zelf_session_authorization(first)) == 403
                && route_status(zelf_session_authorization(fresh)) == 200,
            "the old token is refused, the new one accepted");
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
    every_option_arrives();
    a_live_session_comes_back();
    what_was_ignored_is_an_error();
    a_ghost_is_told_when_asked();
    a_connection_is_kept();
    return check_failed;
}
