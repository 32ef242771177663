/* A panic inside any exported function becomes an error or has no effect. It does not leave the
   library, and nothing is printed. Needs the library with test hooks. */
#include <sys/stat.h>

#include "calls.h"

void zelf_test_panic_next(void);
void zelf_test_panic_in_next_task(void);
void zelf_test_panic_in_next_callback(void);
void zelf_test_panic_in_io_thread(void);

static int broken;

static void note(const char *name, int fine)
{
    if (!fine) {
        fprintf(stdout, "not ok - %s\n", name);
        broken = 1;
    }
}

#define RETURNS(call, expected)                          \
    do {                                                 \
        zelf_test_panic_next();                          \
        note(#call, (call) == (expected));               \
    } while (0)

#define RETURNS_NOTHING(call)                            \
    do {                                                 \
        zelf_test_panic_next();                          \
        call;                                            \
    } while (0)

static void on_response(zelf_response *response, zelf_error *why, void *user_data)
{
    (void)user_data;
    zelf_response_free(response);
    zelf_error_free(why);
}

int main(void)
{
    char path[] = "/tmp/zelf-panic-XXXXXX";
    int file = mkstemp(path), err = dup(2);
    struct stat size;
    char identifier[ZELF_IDENTIFIER_SIZE];
    struct record struck = {0}, spared = {0}, loop = {0}, after_loop = {0}, lost = {0},
                  after_loss = {0};
    zelf_error *error = NULL, *some_error = NULL;
    zelf_config *config = zelf_config_new();
    zelf_session_options *options = zelf_session_options_new();
    zelf_client *client = sandbox_client(0, 5000, 1);
    zelf_session *session = zelf_session_create(client, NULL, NULL);
    zelf_provider_options *keeping = zelf_provider_options_new();
    zelf_session_options *named = options_for("provider-panic-x");
    zelf_session_provider *provider = zelf_session_provider_new(client, named, NULL, NULL);
    zelf_request *request = zelf_request_new("GET", "/sandbox/echo");
    zelf_response *response = zelf_session_send(client, NULL, request, NULL);
    zelf_session *kept;

    zelf_session_free(zelf_session_create(NULL, NULL, &some_error));
    fflush(stdout);
    dup2(file, 2);

    RETURNS(strcmp(zelf_version(), ZELF_VERSION), 0);
    RETURNS(strcmp(zelf_status_name(ZELF_OK), "ZELF_ERROR_UNKNOWN"), 0);
    RETURNS(zelf_error_status(some_error), ZELF_OK);
    RETURNS(zelf_error_message(some_error), NULL);
    RETURNS(strcmp(zelf_status_message(ZELF_OK), "unknown status"), 0);
    RETURNS(zelf_error_http_status(some_error), 0);
    RETURNS(zelf_error_server_message(some_error), NULL);
    RETURNS(zelf_error_is_retryable(some_error), false);
    RETURNS(zelf_error_retry_after_ms(some_error), 0);
    RETURNS_NOTHING(zelf_error_free(NULL));
    RETURNS(zelf_config_new(), NULL);
    RETURNS_NOTHING(zelf_config_set_base_url(config, "x"));
    RETURNS_NOTHING(zelf_config_set_origin(config, "x"));
    RETURNS_NOTHING(zelf_config_set_user_agent(config, "x"));
    RETURNS_NOTHING(zelf_config_set_timeout_ms(config, 1));
    RETURNS_NOTHING(zelf_config_set_connect_timeout_ms(config, 1));
    RETURNS_NOTHING(zelf_config_set_max_attempts(config, 1));
    RETURNS_NOTHING(zelf_config_set_ca_file(config, "x"));
    RETURNS_NOTHING(zelf_config_set_ca_pem(config, "x", 1));
    RETURNS_NOTHING(zelf_config_add_pin(config, "x"));
    RETURNS_NOTHING(zelf_config_set_proxy(config, "x"));
    RETURNS_NOTHING(zelf_config_set_proxy_from_env(config, true));
    RETURNS_NOTHING(zelf_config_set_log_callback(config, NULL, NULL, NULL, 0));
    RETURNS_NOTHING(zelf_config_set_dispatch(config, true));
    RETURNS_NOTHING(zelf_config_free(NULL));
    RETURNS(zelf_client_new(NULL, NULL), NULL);
    RETURNS_NOTHING(zelf_client_free(NULL));
    RETURNS(zelf_client_shutdown(client, 0), ZELF_ERROR_PANIC);
    RETURNS(zelf_client_descriptor(client), -1);
    RETURNS(zelf_client_base_url(client), NULL);
    RETURNS(zelf_client_origin(client), NULL);
    RETURNS(zelf_client_dispatch(client), ZELF_ERROR_PANIC);
    RETURNS(zelf_session_create_async(client, NULL, on_session, NULL, NULL, NULL), NULL);
    RETURNS_NOTHING(zelf_call_cancel(NULL));
    RETURNS_NOTHING(zelf_call_free(NULL));
    RETURNS(zelf_identifier_derive("x", identifier, sizeof identifier), ZELF_ERROR_PANIC);
    RETURNS(zelf_identifier_random(identifier, sizeof identifier), ZELF_ERROR_PANIC);
    RETURNS(zelf_session_options_new(), NULL);
    RETURNS_NOTHING(zelf_session_options_set_identifier(options, "x"));
    RETURNS_NOTHING(zelf_session_options_set_type(options, 9));
    RETURNS_NOTHING(zelf_session_options_set_web_extension(options, true));
    RETURNS_NOTHING(zelf_session_options_set_domain(options, "x"));
    RETURNS_NOTHING(zelf_session_options_set_tag_name(options, "x"));
    RETURNS_NOTHING(zelf_session_options_set_eth_address(options, "x"));
    RETURNS_NOTHING(zelf_session_options_set_kill_session(options, true));
    RETURNS_NOTHING(zelf_session_options_set_confirm(options, true));
    RETURNS_NOTHING(zelf_session_options_free(NULL));
    RETURNS(zelf_session_create(client, NULL, NULL), NULL);
    RETURNS(zelf_session_token(session), NULL);
    RETURNS(zelf_session_authorization(session), NULL);
    RETURNS(zelf_session_id(session), NULL);
    RETURNS(zelf_session_identifier(session), NULL);
    RETURNS(zelf_session_domain(session), NULL);
    RETURNS(zelf_session_tag_name(session), NULL);
    RETURNS(zelf_session_eth_address(session), NULL);
    RETURNS(zelf_session_activated_at(session), 0);
    RETURNS(zelf_session_expires_at(session), 0);
    RETURNS(zelf_session_seconds_left(session), 0);
    RETURNS_NOTHING(zelf_session_free(NULL));
    RETURNS(zelf_provider_options_new(), NULL);
    RETURNS_NOTHING(zelf_provider_options_set_min_valid_s(keeping, 1));
    RETURNS_NOTHING(zelf_provider_options_set_renewal(keeping, 9));
    RETURNS_NOTHING(zelf_provider_options_set_background(keeping, true));
    RETURNS_NOTHING(zelf_provider_options_set_directory(keeping, "x"));
    RETURNS_NOTHING(zelf_provider_options_set_renewed_callback(keeping, NULL, NULL, NULL));
    RETURNS_NOTHING(zelf_provider_options_free(NULL));
    RETURNS(zelf_session_provider_new(client, named, NULL, NULL), NULL);
    RETURNS(zelf_session_provider_get(provider, NULL), NULL);
    RETURNS(zelf_session_provider_get_async(provider, on_session, NULL, NULL, NULL), NULL);
    RETURNS(zelf_session_provider_current(provider), NULL);
    RETURNS(zelf_session_provider_invalidate(provider, session), false);
    RETURNS(zelf_session_provider_invalidate_if_refused(provider, session, 403, "x", 1), false);
    RETURNS(zelf_session_provider_last_error(provider), NULL);
    RETURNS_NOTHING(zelf_session_provider_free(NULL));
    RETURNS(zelf_request_new("GET", "/"), NULL);
    RETURNS_NOTHING(zelf_request_set_header(request, "X", "y"));
    RETURNS_NOTHING(zelf_request_set_body(request, "x", 1, NULL));
    RETURNS_NOTHING(zelf_request_set_timeout_ms(request, 1));
    RETURNS_NOTHING(zelf_request_set_max_response_bytes(request, 1));
    RETURNS_NOTHING(zelf_request_set_repeatable(request, true));
    RETURNS_NOTHING(zelf_request_free(NULL));
    RETURNS(zelf_response_http_status(response), 0);
    RETURNS(zelf_response_header(response, "Date"), NULL);
    RETURNS(zelf_response_body(response, NULL), NULL);
    RETURNS(zelf_response_server_message(response), NULL);
    RETURNS_NOTHING(zelf_response_free(NULL));
    RETURNS(zelf_session_send(client, session, request, NULL), NULL);
    RETURNS(zelf_session_send_async(client, session, request, on_response, NULL, NULL, NULL), NULL);
    RETURNS(zelf_session_provider_send(provider, request, NULL), NULL);
    RETURNS(zelf_session_provider_send_async(provider, request, on_response, NULL, NULL, NULL), NULL);
    PROMISE(!broken, "no panic leaves an exported function");

    zelf_test_panic_next();
    note("zelf_session_create", zelf_session_create(client, NULL, &error) == NULL);
    PROMISE(zelf_error_status(error) == ZELF_ERROR_PANIC
                && strstr(zelf_error_message(error), "test_hooks.rs:")
                && !strstr(zelf_error_message(error), "s3cr3t"),
            "a panic is an error that names its place and not its words: %s",
            zelf_error_message(error));
    zelf_error_free(error);

    zelf_session_free(session);
    session = zelf_session_create(client, options, NULL);
    PROMISE(session != NULL, "client and options work on after a panic");
    kept = zelf_session_provider_get(provider, NULL);
    PROMISE(kept != NULL, "a provider works on after a panic");
    zelf_session_free(kept);
    zelf_session_provider_free(provider);
    zelf_response_free(response);
    zelf_request_free(request);
    zelf_provider_options_free(keeping);
    zelf_session_options_free(named);

    zelf_test_panic_in_next_task();
    start(client, &struck, "struck-x");
    await(&struck, 1, 5);
    start(client, &spared, "spared-x");
    PROMISE(await(&spared, 1, 5) && exactly_once(&struck, 1, ZELF_ERROR_PANIC) == 1
                && exactly_once(&spared, 1, ZELF_OK) == 1,
            "the callback of an asynchronous call receives its panic as an error, and the client works on");
    release(&struck, 1);
    release(&spared, 1);

    zelf_test_panic_in_io_thread();
    start(client, &loop, "loop-x");
    await(&loop, 1, 5);
    start(client, &after_loop, "after-loop-x");
    PROMISE(await(&after_loop, 1, 5) && exactly_once(&loop, 1, ZELF_ERROR_PANIC) == 1
                && exactly_once(&after_loop, 1, ZELF_OK) == 1,
            "a panic in the I/O thread ends its calls, and the next call starts the thread again");
    release(&loop, 1);
    release(&after_loop, 1);

    /* This affects the first of the two callbacks, which is lost. */
    zelf_test_panic_in_next_callback();
    start(client, &lost, "lost-x");
    start(client, &after_loss, "after-loss-x");
    PROMISE(await(&after_loss, 1, 5) && exactly_once(&after_loss, 1, ZELF_OK) == 1
                && zelf_client_shutdown(client, 5000) == ZELF_OK,
            "after a panic on the callback thread the other callback runs and a shutdown succeeds");
    release(&lost, 1);
    release(&after_loss, 1);

    dup2(err, 2);
    fstat(file, &size);
    unlink(path);
    PROMISE(size.st_size == 0, "a panic prints nothing");
    zelf_session_free(session);
    zelf_client_free(client);
    zelf_config_free(config);
    zelf_session_options_free(options);
    zelf_error_free(some_error);
    return check_failed;
}
