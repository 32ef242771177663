/* Each kind of failure has its own status, comes in time, and uses bounded memory. */
#include "check.h"
#include "full_listener.h"
#include "unknown_names.h"

#include <sys/resource.h>

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Binds a socket that does not listen, and sets its port. Linux refuses connections to it, and
   gives the port to no other program. */
static int bind_without_listening(int *port)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(s, (struct sockaddr *)&at, sizeof at) != 0
        || getsockname(s, (struct sockaddr *)&at, &size) != 0)
        exit(1);
    *port = ntohs(at.sin_port);
    return s;
}

static void a_server_that_cannot_be_reached_in_time(void)
{
    struct full_listener full;
    zelf_config *config = tls_config();
    zelf_client *client;

    full_listener_open(&full);
    zelf_config_set_base_url(config, full.url);
    zelf_config_set_timeout_ms(config, 60000);
    zelf_config_set_connect_timeout_ms(config, 200);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    expect_failure(client, ZELF_ERROR_TIMEOUT, "a server that cannot be reached within the limit");
    zelf_client_free(client);
    full_listener_close(&full);
}

static zelf_client *client_for(const char *base_url, const char *ca_file)
{
    zelf_config *config = zelf_config_new();
    zelf_client *client;
    zelf_config_set_base_url(config, base_url);
    zelf_config_set_ca_file(config, ca_file);
    zelf_config_set_timeout_ms(config, 20000);
    zelf_config_set_max_attempts(config, 1);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static void fails_as(int tls, const char *json, zelf_status status, const char *promise)
{
    /* A stall ends at the time limit. Everything else ends long before. */
    zelf_client *client = sandbox_client(tls, status == ZELF_ERROR_TIMEOUT ? 300 : 20000, 1);
    fault(json);
    expect_failure(client, status, promise);
    fault(NULL);
    zelf_client_free(client);
}

static void the_servers_words_are_kept(void)
{
    zelf_client *client = sandbox_client(1, 20000, 1);
    zelf_error *error = NULL;
    fault("{\"kind\":\"answer\",\"status\":429,\"error\":\"slow \\u001b[31mdown\",\"headers\":{\"Retry-After\":\"7\"}}");
    zelf_session_free(zelf_session_create(client, NULL, &error));
    PROMISE(zelf_error_status(error) == ZELF_ERROR_RATE_LIMITED,
            "a 429 is ZELF_ERROR_RATE_LIMITED");
    PROMISE(zelf_error_http_status(error) == 429, "the error has the HTTP status");
    PROMISE(strcmp(zelf_error_server_message(error), "slow [31mdown") == 0,
            "the error has the server's words, without control characters");
    PROMISE(zelf_error_is_retryable(error), "a 429 is retryable");
    PROMISE(zelf_error_retry_after_ms(error) == 7000, "the error has the Retry-After");
    zelf_error_free(error);
    fault(NULL);
    zelf_client_free(client);
}

int main(void)
{
    char url[64];
    long before, more;
    int unused, port;
    zelf_client *client;

    /* The first call allocates the memory that all calls use. */
    client = sandbox_client(1, 20000, 1);
    zelf_session_free(zelf_session_create(client, NULL, NULL));
    zelf_client_free(client);

    unused = bind_without_listening(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    client = client_for(url, NULL);
    expect_failure(client, ZELF_ERROR_CONNECT, "a port that nobody listens on");
    zelf_client_free(client);
    close(unused);
    a_server_that_cannot_be_reached_in_time();

    client = client_for("https://no-such-host.invalid", NULL);
    expect_failure(client, ZELF_ERROR_DNS, "a name that does not exist");
    zelf_client_free(client);

    client = client_for(need_env("ZELF_HTTPS"), need_env("ZELF_OTHER_CA"));
    expect_failure(client, ZELF_ERROR_TLS, "another CA's certificate");
    zelf_client_free(client);

    snprintf(url, sizeof url, "https%s", need_env("ZELF_HTTP") + 4);
    client = client_for(url, need_env("ZELF_CA"));
    expect_failure(client, ZELF_ERROR_TLS, "a port that does not speak TLS");
    zelf_client_free(client);

    fails_as(1, "{\"kind\":\"certificate\",\"wrong\":\"expired\"}", ZELF_ERROR_TLS, "an expired certificate");
    fails_as(1, "{\"kind\":\"certificate\",\"wrong\":\"other_host\"}", ZELF_ERROR_TLS, "another host's certificate");
    fails_as(1, "{\"kind\":\"certificate\",\"wrong\":\"unknown_ca\"}", ZELF_ERROR_TLS, "an unknown CA's certificate");
    fails_as(1, "{\"kind\":\"answer\",\"status\":403,\"error\":\"rejected\"}", ZELF_ERROR_REJECTED_ORIGIN, "an origin that is not accepted");
    fails_as(1, "{\"kind\":\"redirect\"}", ZELF_ERROR_REDIRECTED, "a redirect, which is not followed");
    fails_as(1, "{\"kind\":\"answer\",\"status\":502,\"html\":\"<title>Bad Gateway</title>\"}", ZELF_ERROR_SERVER, "a proxy's error page");
    fails_as(1, "{\"kind\":\"stall\",\"stage\":\"accept\"}", ZELF_ERROR_TIMEOUT, "a server that accepts and is silent");
    fails_as(1, "{\"kind\":\"stall\",\"stage\":\"tls\"}", ZELF_ERROR_TIMEOUT, "a server that stalls in the handshake");
    fails_as(1, "{\"kind\":\"stall\",\"stage\":\"headers\"}", ZELF_ERROR_TIMEOUT, "a server that never answers");
    fails_as(1, "{\"kind\":\"stall\",\"stage\":\"body\"}", ZELF_ERROR_TIMEOUT, "a server that stalls in the body");
    fails_as(1, "{\"kind\":\"drip\",\"ms\":50,\"stage\":\"headers\"}", ZELF_ERROR_TIMEOUT, "headers that drip");
    fails_as(1, "{\"kind\":\"drip\",\"ms\":50,\"stage\":\"body\"}", ZELF_ERROR_TIMEOUT, "a body that drips");
    fails_as(1, "{\"kind\":\"reset\",\"stage\":\"tls\"}", ZELF_ERROR_CONNECT, "a reset in the handshake");
    fails_as(1, "{\"kind\":\"reset\",\"stage\":\"request\"}", ZELF_ERROR_CONNECTION_LOST, "a reset before the answer");
    fails_as(1, "{\"kind\":\"close\",\"stage\":\"request\"}", ZELF_ERROR_CONNECTION_LOST, "a close before the answer");
    fails_as(1, "{\"kind\":\"reset\",\"stage\":\"body\"}", ZELF_ERROR_CONNECTION_LOST, "a reset in the body");
    fails_as(1, "{\"kind\":\"truncate\"}", ZELF_ERROR_CONNECTION_LOST, "a body that ends early");
    fails_as(1, "{\"kind\":\"garbage\"}", ZELF_ERROR_BAD_RESPONSE, "an answer that is not HTTP");
    fails_as(1, "{\"kind\":\"garbage\",\"stage\":\"tls\"}", ZELF_ERROR_TLS, "a handshake that is not TLS");
    fails_as(1, "{\"kind\":\"answer\",\"data\":{\"token\":\"\"}}", ZELF_ERROR_BAD_RESPONSE, "an empty token");
    fails_as(1, "{\"kind\":\"answer\",\"data\":{\"token\":\"a\\r\\nb\"}}", ZELF_ERROR_BAD_RESPONSE, "a token that would inject a header");
    fails_as(1, "{\"kind\":\"answer\",\"html\":\"<h1>login</h1>\"}", ZELF_ERROR_BAD_RESPONSE, "a captive portal's page");

    before = peak_kib();
    fails_as(1, "{\"kind\":\"oversized_body\",\"bytes\":1073741824}", ZELF_ERROR_RESPONSE_TOO_LARGE, "a response of 1 GiB");
    fails_as(1, "{\"kind\":\"oversized_body\",\"bytes\":1073741824,\"chunked\":true}", ZELF_ERROR_RESPONSE_TOO_LARGE, "a chunked response of 1 GiB");
    fails_as(1, "{\"kind\":\"oversized_headers\",\"bytes\":100000000}", ZELF_ERROR_RESPONSE_TOO_LARGE, "100 MB of headers");
    more = peak_kib() - before;
    PROMISE(more < 8192, "responses that are too large take less than 8 MiB of memory: %ld KiB",
            more);

    the_servers_words_are_kept();
    return check_failed;
}
