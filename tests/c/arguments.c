/* Refused arguments, each with an error that names the argument. No test here uses the network. */
#include "check.h"

/* Promises that no object was made, and that the error has this status and names the cause. */
static void refuses(int is_made, zelf_error *error, zelf_status status, const char *word)
{
    const char *message = error ? zelf_error_message(error) : "-";
    PROMISE(!is_made, "a bad \"%s\" is refused", word);
    PROMISE(zelf_error_status(error) == status, "a bad \"%s\" is %s: %s", word,
            zelf_status_name(status), zelf_status_name(zelf_error_status(error)));
    PROMISE(strstr(message, word) != NULL, "the message names \"%s\": %s", word, message);
}

static void refuses_option(zelf_client *client, zelf_session_options *options, const char *word)
{
    zelf_error *error = NULL;
    zelf_session *session = zelf_session_create(client, options, &error);
    refuses(session != NULL, error, ZELF_ERROR_INVALID_ARGUMENT, word);
    zelf_error_free(error);
    zelf_session_free(session);
    zelf_session_options_free(options);
}

static void refuses_setting(zelf_config *config, const char *word)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(config, &error);
    refuses(client != NULL, error, ZELF_ERROR_INVALID_CONFIG, word);
    zelf_error_free(error);
    zelf_client_free(client);
    zelf_config_free(config);
}

#define REFUSES_TEXT(setter, text, word)                  \
    do {                                                  \
        zelf_session_options *o = options_for("fine");    \
        setter(o, text);                                  \
        refuses_option(client, o, word);                  \
    } while (0)

#define REFUSES_CONFIG(setter, text, word)                \
    do {                                                  \
        zelf_config *c = zelf_config_new();               \
        setter(c, text);                                  \
        refuses_setting(c, word);                         \
    } while (0)

static void nothing_for(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)session, (void)error;
    ++*(int *)user_data;
}

static void count(void *user_data) { ++*(int *)user_data; }

static void renewed(const zelf_session *session, void *user_data)
{
    (void)session;
    ++*(int *)user_data;
}

static void null_is_no_provider(void)
{
    zelf_session_options *options = options_for("no-provider-x");
    zelf_error *error = NULL, *other = NULL;
    int calls = 0, made;

    PROMISE(!zelf_session_provider_new(NULL, options, NULL, NULL),
            "a NULL client makes no provider, without a place for the error");
    made = zelf_session_provider_new(NULL, options, NULL, &error) != NULL;
    refuses(made, error, ZELF_ERROR_INVALID_ARGUMENT, "client");
    zelf_error_free(error);
    error = NULL;
    PROMISE(!zelf_session_provider_get(NULL, NULL),
            "a NULL provider has no session, without a place for the error");
    made = zelf_session_provider_get(NULL, &error) != NULL;
    refuses(made, error, ZELF_ERROR_INVALID_ARGUMENT, "provider");
    PROMISE(!zelf_session_provider_get_async(NULL, nothing_for, &calls, count, &other),
            "a NULL provider begins no asynchronous get");
    PROMISE(zelf_error_status(other) == ZELF_ERROR_INVALID_ARGUMENT,
            "an asynchronous get of a NULL provider is ZELF_ERROR_INVALID_ARGUMENT");
    PROMISE(calls == 0, "it neither calls back nor destroys: %d", calls);
    PROMISE(!zelf_session_provider_invalidate(NULL, NULL), "a NULL provider has no session to refuse");
    PROMISE(!zelf_session_provider_invalidate_if_refused(NULL, NULL, 403, "x", 1),
            "an answer refuses no session of a NULL provider");
    PROMISE(!zelf_session_provider_current(NULL), "a NULL provider has no current session");
    PROMISE(!zelf_session_provider_last_error(NULL), "a NULL provider has no last error");
    zelf_provider_options_set_renewed_callback(NULL, renewed, &calls, count);
    PROMISE(calls == 1, "for NULL options a callback's data is destroyed at once");
    zelf_error_free(error);
    zelf_error_free(other);
    zelf_session_options_free(options);
}

static void null_is_taken_everywhere(void)
{
    zelf_error *error = NULL;
    int made;

    PROMISE(zelf_error_status(NULL) == ZELF_OK, "the status of a NULL error is ZELF_OK");
    PROMISE(!zelf_error_message(NULL), "a NULL error has no message");
    PROMISE(zelf_error_http_status(NULL) == 0, "a NULL error has no HTTP status");
    PROMISE(!zelf_error_server_message(NULL), "a NULL error has no words of the server's");
    PROMISE(!zelf_error_is_retryable(NULL), "a NULL error is not retryable");
    PROMISE(zelf_error_retry_after_ms(NULL) == 0, "a NULL error has no Retry-After");
    PROMISE(!zelf_session_token(NULL), "a NULL session has no token");
    PROMISE(!zelf_session_authorization(NULL), "a NULL session has no authorization");
    PROMISE(!zelf_session_id(NULL), "a NULL session has no id");
    PROMISE(!zelf_session_identifier(NULL), "a NULL session has no identifier");
    PROMISE(!zelf_session_domain(NULL), "a NULL session has no domain");
    PROMISE(!zelf_session_tag_name(NULL), "a NULL session has no tag name");
    PROMISE(!zelf_session_eth_address(NULL), "a NULL session has no Ethereum address");
    PROMISE(zelf_session_activated_at(NULL) == 0, "a NULL session has no beginning");
    PROMISE(zelf_session_expires_at(NULL) == 0, "a NULL session has no end");
    PROMISE(zelf_session_seconds_left(NULL) == 0, "a NULL session has no seconds left");

    zelf_error_free(NULL);
    zelf_config_free(NULL);
    zelf_client_free(NULL);
    zelf_session_options_free(NULL);
    zelf_session_free(NULL);
    zelf_config_set_base_url(NULL, "x");
    zelf_config_set_origin(NULL, NULL);
    zelf_config_set_user_agent(NULL, "x");
    zelf_config_set_timeout_ms(NULL, 1);
    zelf_config_set_connect_timeout_ms(NULL, 1);
    zelf_config_set_max_attempts(NULL, 1);
    zelf_config_set_ca_file(NULL, "x");
    zelf_config_set_ca_pem(NULL, "x", 1);
    zelf_config_set_ca_pem(NULL, NULL, 0);
    zelf_config_add_pin(NULL, "x");
    zelf_config_set_proxy(NULL, "x");
    zelf_config_set_proxy_from_env(NULL, true);
    zelf_config_set_log_callback(NULL, NULL, NULL, NULL, 0);
    zelf_config_set_dispatch(NULL, true);
    zelf_call_cancel(NULL);
    zelf_call_free(NULL);
    zelf_session_options_set_identifier(NULL, "x");
    zelf_session_options_set_type(NULL, 1);
    zelf_session_options_set_web_extension(NULL, true);
    zelf_session_options_set_domain(NULL, "x");
    zelf_session_options_set_tag_name(NULL, "x");
    zelf_session_options_set_eth_address(NULL, NULL);
    zelf_session_options_set_kill_session(NULL, true);
    zelf_session_options_set_confirm(NULL, true);
    zelf_provider_options_free(NULL);
    zelf_provider_options_set_min_valid_s(NULL, 1);
    zelf_provider_options_set_renewal(NULL, ZELF_RENEWAL_EARLY);
    zelf_provider_options_set_background(NULL, true);
    zelf_provider_options_set_directory(NULL, "x");
    zelf_session_provider_free(NULL);
    PROMISE(1, "setters and frees of NULL do not crash");

    PROMISE(!zelf_session_create(NULL, NULL, NULL), "a NULL client creates no session");
    PROMISE(!zelf_session_create_async(NULL, NULL, NULL, NULL, NULL, NULL),
            "a NULL client begins no call");
    PROMISE(zelf_client_shutdown(NULL, 0) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL client cannot be shut down");
    PROMISE(zelf_client_dispatch(NULL) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL client dispatches nothing");
    PROMISE(zelf_client_descriptor(NULL) == -1, "a NULL client has no descriptor");
    PROMISE(!zelf_client_base_url(NULL), "a NULL client has no base URL");
    PROMISE(!zelf_client_origin(NULL), "a NULL client has no origin");
    made = zelf_session_create(NULL, NULL, &error) != NULL;
    refuses(made, error, ZELF_ERROR_INVALID_ARGUMENT, "client");
    PROMISE(zelf_error_http_status(error) == 0, "an error without an answer has no HTTP status");
    PROMISE(!zelf_error_server_message(error), "an error without an answer has no server's words");
    PROMISE(!zelf_error_is_retryable(error), "an invalid argument is not retryable");
    PROMISE(zelf_error_retry_after_ms(error) == 0, "an error without an answer has no Retry-After");
    zelf_error_free(error);
    null_is_no_provider();
}

static void count_freed(void *count) { ++*(int *)count; }

static void user_data_of_null_is_freed(void)
{
    int freed = 0;
    zelf_config_set_log_callback(NULL, NULL, &freed, count_freed, ZELF_LOG_ERROR);
    PROMISE(freed == 1, "for a NULL configuration a log's data is destroyed at once");
    zelf_provider_options_set_renewed_callback(NULL, NULL, &freed, count_freed);
    PROMISE(freed == 2, "for NULL options a renewed callback's data is destroyed at once");
}

static void settings_are_checked(void)
{
    char *large = malloc(100001);
    zelf_client *client;
    zelf_error *error = (zelf_error *)&error;
    zelf_config *config;

    memset(large, 'x', 100000);
    large[100000] = '\0';

    client = zelf_client_new(NULL, &error);
    PROMISE(client && error == (zelf_error *)&error,
            "the defaults make a client, and *error is not written on success");
    zelf_client_free(client);
    zelf_client_free(client);
    PROMISE(!zelf_session_create(client, NULL, NULL),
            "a call with a client that was freed twice fails, and does not crash");

    config = zelf_config_new();
    zelf_config_set_base_url(config, "nonsense");
    PROMISE(!zelf_client_new(config, NULL), "a failure without a place for the error returns NULL");
    zelf_config_set_base_url(config, NULL);
    zelf_config_set_timeout_ms(config, 0);
    client = zelf_client_new(config, NULL);
    PROMISE(client != NULL, "NULL and 0 restore the defaults");
    zelf_client_free(client);
    zelf_config_free(config);

    REFUSES_CONFIG(zelf_config_set_base_url, "", "base URL");
    REFUSES_CONFIG(zelf_config_set_base_url, "\xff\xfe", "base URL");
    REFUSES_CONFIG(zelf_config_set_base_url, large, "base URL");
    REFUSES_CONFIG(zelf_config_set_base_url, "ftp://a.test", "ftp");
    REFUSES_CONFIG(zelf_config_set_base_url, "http://a.test", "plain http");
    REFUSES_CONFIG(zelf_config_set_base_url, "https://u:p@a.test", "credentials");
    REFUSES_CONFIG(zelf_config_set_base_url, "https://a.test/?q", "query");
    REFUSES_CONFIG(zelf_config_set_base_url, "https://a..test", "host");
    REFUSES_CONFIG(zelf_config_set_base_url, "https://x*y.test", "host");
    REFUSES_CONFIG(zelf_config_set_origin, "", "origin");
    REFUSES_CONFIG(zelf_config_set_origin, "https://a.test\r\nX-Evil: 1", "origin");
    REFUSES_CONFIG(zelf_config_set_origin, "https://a.test\x7f", "origin");
    REFUSES_CONFIG(zelf_config_set_origin, "caf\xc3\xa9", "origin");
    REFUSES_CONFIG(zelf_config_set_user_agent, "a\nb", "user agent");
    REFUSES_CONFIG(zelf_config_set_user_agent, large, "user agent");
    REFUSES_CONFIG(zelf_config_set_ca_file, "/nonexistent/ca.pem", "CA file");
    REFUSES_CONFIG(zelf_config_set_ca_file, "/dev/null", "CA file");
    REFUSES_CONFIG(zelf_config_set_ca_file, "/", "CA file");
    REFUSES_CONFIG(zelf_config_add_pin, "not a pin", "pin");
    REFUSES_CONFIG(zelf_config_set_proxy, "nonsense", "proxy");
    REFUSES_CONFIG(zelf_config_set_proxy, "ftp://a.test", "proxy");
    free(large);
}

static void options_are_checked(void)
{
    static const zelf_session_type bad_types[] = {-1, 4, 1000, INT32_MAX, INT32_MIN};
    zelf_client *client = zelf_client_new(NULL, NULL);
    zelf_session_options *options;
    char *large = malloc(100001);
    size_t i;

    memset(large, 'x', 100000);
    large[100000] = '\0';
    REFUSES_TEXT(zelf_session_options_set_identifier, "", "identifier");
    REFUSES_TEXT(zelf_session_options_set_identifier, "undefined", "identifier");
    REFUSES_TEXT(zelf_session_options_set_identifier, "a\xc3(", "identifier");
    REFUSES_TEXT(zelf_session_options_set_identifier, "a\nb", "identifier");
    REFUSES_TEXT(zelf_session_options_set_identifier, "\x1b[31m", "identifier");
    REFUSES_TEXT(zelf_session_options_set_identifier, large, "identifier");
    REFUSES_TEXT(zelf_session_options_set_domain, "\xff", "domain");
    REFUSES_TEXT(zelf_session_options_set_tag_name, large, "tag name");
    REFUSES_TEXT(zelf_session_options_set_eth_address, "", "Ethereum address");

    for (i = 0; i < sizeof bad_types / sizeof *bad_types; i++) {
        options = zelf_session_options_new();
        zelf_session_options_set_type(options, bad_types[i]);
        refuses_option(client, options, "session type");
    }
    options = zelf_session_options_new();
    zelf_session_options_set_kill_session(options, true);
    refuses_option(client, options, "kill session");
    zelf_client_free(client);
    free(large);
}

static void refuses_provider(zelf_session_options *options, zelf_provider_options *provider,
                             const char *word)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(NULL, NULL);
    zelf_session_provider *made = zelf_session_provider_new(client, options, provider, &error);
    refuses(made != NULL, error, ZELF_ERROR_INVALID_ARGUMENT, word);
    zelf_error_free(error);
    zelf_session_provider_free(made);
    zelf_provider_options_free(provider);
    zelf_session_options_free(options);
    zelf_client_free(client);
}

#define REFUSES_PROVIDER(setter, value, word)                       \
    do {                                                            \
        zelf_provider_options *p = zelf_provider_options_new();     \
        setter(p, value);                                           \
        refuses_provider(options_for("fine"), p, word);             \
    } while (0)

static void provider_options_are_checked(void)
{
    static const zelf_renewal bad_renewals[] = {-1, 3, INT32_MAX, INT32_MIN};
    zelf_session_options *options = options_for("fine");
    char *large = malloc(100001);
    size_t i;

    memset(large, 'x', 100000);
    large[100000] = '\0';
    refuses_provider(NULL, NULL, "identifier");
    refuses_provider(options_for(NULL), NULL, "identifier");
    refuses_provider(options_for("a\nb"), NULL, "identifier");
    zelf_session_options_set_kill_session(options, true);
    refuses_provider(options, NULL, "kill session");
    REFUSES_PROVIDER(zelf_provider_options_set_min_valid_s, 86401, "86401 s");
    REFUSES_PROVIDER(zelf_provider_options_set_min_valid_s, UINT32_MAX, "4294967295 s");
    REFUSES_PROVIDER(zelf_provider_options_set_directory, "", "directory");
    REFUSES_PROVIDER(zelf_provider_options_set_directory, "\xff", "directory");
    REFUSES_PROVIDER(zelf_provider_options_set_directory, large, "directory");
    for (i = 0; i < sizeof bad_renewals / sizeof *bad_renewals; i++)
        REFUSES_PROVIDER(zelf_provider_options_set_renewal, bad_renewals[i], "renewal policy");
    free(large);
}

int main(void)
{
    PROMISE(strcmp(zelf_version(), ZELF_VERSION) == 0, "the header and the library have the same version");
    PROMISE(strcmp(zelf_status_name(ZELF_OK), "ZELF_OK") == 0
                && strcmp(zelf_status_name(ZELF_ERROR_TIMEOUT), "ZELF_ERROR_TIMEOUT") == 0,
            "a status has its name");
    PROMISE(strcmp(zelf_status_name(-1), "ZELF_ERROR_UNKNOWN") == 0
                && strcmp(zelf_status_name(INT32_MAX), "ZELF_ERROR_UNKNOWN") == 0,
            "the name of an unknown status is ZELF_ERROR_UNKNOWN");
    null_is_taken_everywhere();
    user_data_of_null_is_freed();
    settings_are_checked();
    options_are_checked();
    provider_options_are_checked();
    return check_failed;
}
