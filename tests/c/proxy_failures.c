/* Failures on the way to a proxy, and through it. */
#include "through.h"
#include "unknown_names.h"

static void a_tunnel_that_breaks_is_made_anew(void)
{
    static const char *const schemes[] = {"http", "socks5h", "socks5"};
    static struct proxy proxies[3];
    size_t i;

    for (i = 0; i < 3; i++) {
        struct proxy *proxy = &proxies[i];
        const char *part = i ? "\5" : "HTTP/1.1 200 Conn";
        struct how kill = {0};
        int end;

        proxy_start(proxy, NULL);
        for (end = PROXY_CLOSES; end <= PROXY_RESETS; end++) {
            proxy_fail(proxy, 9, NULL, (enum proxy_end)end);
            PROMISE(through(schemes[i], 1, proxy) == ZELF_ERROR_CONNECT,
                    "%s: a tunnel that breaks while it is made is ZELF_ERROR_CONNECT: %s",
                    schemes[i], message());
            PROMISE(zelf_error_is_retryable(last_error), "%s: the error is retryable", schemes[i]);
            PROMISE(strstr(message(), "the proxy 127") != NULL,
                    "%s: the message names the proxy: %s", schemes[i], message());
            proxy_fail(proxy, 9, part, (enum proxy_end)end);
            PROMISE(through(schemes[i], 1, proxy) == ZELF_ERROR_CONNECT
                        && zelf_error_http_status(last_error) == 0,
                    "%s: half an answer is ZELF_ERROR_CONNECT, without an HTTP status: %s", schemes[i], message());
            proxy_fail(proxy, 1, NULL, (enum proxy_end)end);
            PROMISE(through(schemes[i], 2, proxy) == ZELF_OK, "%s: the second attempt makes a new tunnel", schemes[i]);
            kill.scheme = schemes[i];
            kill.attempts = 3;
            kill.kills = 1;
            forget_requests();
            proxy_fail(proxy, 2, NULL, (enum proxy_end)end);
            PROMISE(call(&kill, proxy->port) == ZELF_OK && requests_arrived() == 1,
                    "%s: a kill has another attempt, and is sent once: %s", schemes[i], message());
        }
        proxy->fails = 0;
    }
    {
        struct how kill = {0};
        kill.scheme = "http";
        kill.attempts = 3;
        kill.kills = 1;
        proxy_fail(&proxies[0], 2, "HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", PROXY_CLOSES);
        forget_requests();
        PROMISE(call(&kill, proxies[0].port) == ZELF_OK && requests_arrived() == 1,
                "a kill goes out again after a 502 to CONNECT: %s", message());
        proxy_reply(&proxies[1], 2, 5);
        kill.scheme = "socks5h";
        forget_requests();
        PROMISE(call(&kill, proxies[1].port) == ZELF_OK && requests_arrived() == 1,
                "a kill goes out again after a SOCKS reply that may pass: %s", message());
    }
}

static void each_socks_reply_has_its_status(void)
{
    static struct proxy proxy;
    int code;

    proxy_start(&proxy, NULL);
    for (code = 1; code <= 9; code++) {
        int passes = code != 2 && code < 7;
        zelf_status status;
        proxy_reply(&proxy, 9, code);
        status = through("socks5h", 1, &proxy);
        PROMISE(status == (passes ? ZELF_ERROR_CONNECT : ZELF_ERROR_PROXY),
                "reply %d of a SOCKS proxy has its status: %s", code, zelf_status_name(status));
        PROMISE(zelf_error_is_retryable(last_error) == passes, "reply %d is %s", code,
                passes ? "retryable" : "not retryable");
        PROMISE(strstr(message(), "the proxy 127") != NULL,
                "reply %d: the message names the proxy: %s", code, message());
        proxy_reply(&proxy, 1, code);
        proxy.requests = 0;
        status = through("socks5h", 2, &proxy);
        PROMISE(status == (passes ? ZELF_OK : ZELF_ERROR_PROXY),
                "after two attempts the status of reply %d is %s", code, zelf_status_name(status));
        PROMISE(proxy.requests == 1 + passes, "reply %d is %s: %d requests", code,
                passes ? "tried again" : "not tried again", proxy.requests);
    }
    proxy_reply(&proxy, 1, 2);
    proxy.says_length = 2;
    PROMISE(through("socks5h", 1, &proxy) == ZELF_ERROR_PROXY,
            "a reply without an address is a reply: %s", message());
}

static void an_answer_that_is_no_proxys_is_reported(void)
{
    static const struct {
        const char *scheme, *greets, *what;
        int http_status;
    } others[] = {
        {"socks5h", "HTTP/1.1 400 Bad Request\r\n\r\n", "SOCKS", 0},
        {"socks5", "HTTP/1.1 400 Bad Request\r\n\r\n", "SOCKS", 0},
        {"socks5h", "\4\133wxyzab", "SOCKS", 0},
        {"socks5h", "SSH-2.0-OpenSSH\r\n", "SOCKS", 0},
        {"http", "SSH-2.0-OpenSSH\r\n", "HTTP", 0},
        {"http", "\5\377", "HTTP", 0},
        {"http", "HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno", "HTTP 403", 403},
        {"http", "HTTP/1.1 407 X\r\n\r\n", "HTTP 407", 407},
    };
    static struct proxy proxy;
    size_t i;

    proxy_start(&proxy, NULL);
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        proxy.greets = others[i].greets;
        PROMISE(through(others[i].scheme, 1, &proxy) == ZELF_ERROR_PROXY,
                "%s: a greeting that is no tunnel is ZELF_ERROR_PROXY: %s", others[i].scheme,
                message());
        PROMISE(zelf_error_http_status(last_error) == others[i].http_status,
                "%s: the error has the HTTP status of the greeting: %d", others[i].scheme,
                zelf_error_http_status(last_error));
        PROMISE(strstr(message(), others[i].what) != NULL, "%s: the message says \"%s\": %s",
                others[i].scheme, others[i].what, message());
    }
}

static char asynchronous[512];

static void keep_message(zelf_session *session, zelf_error *error, void *done)
{
    snprintf(asynchronous, sizeof asynchronous, "%s", error ? zelf_error_message(error) : "");
    zelf_session_free(session);
    zelf_error_free(error);
    set_flag(done, 1);
}

static void a_silent_proxy_is_named(void)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    static struct proxy proxies[4];
    size_t i;
    int limit;

    for (i = 0; i < 4; i++) {
        char silent[64], url[64];
        zelf_config *config = tls_config();
        zelf_client *client;
        zelf_call *under_way;
        int done = 0;

        proxy_start(&proxies[i], NULL);
        proxies[i].hangs = 1;
        snprintf(silent, sizeof silent, "the proxy 127.0.0.1:%d did not answer within 300 ms",
                 proxies[i].port);
        for (limit = 0; limit < 2; limit++) {
            struct how how = {0};
            double began = seconds_now(), took;
            zelf_status status;
            how.scheme = schemes[i];
            how.attempts = 1;
            how.connect_timeout_ms = limit ? 0 : 300;
            how.timeout_ms = limit ? 300 : 60000;
            status = call(&how, proxies[i].port);
            took = seconds_now() - began;
            PROMISE(status == ZELF_ERROR_TIMEOUT, "%s: a silent proxy is ZELF_ERROR_TIMEOUT: %s",
                    schemes[i], zelf_status_name(status));
            PROMISE(strstr(message(), silent) != NULL,
                    "%s: the message names the proxy and the time limit: %s", schemes[i], message());
            PROMISE(took < AT_ONCE, "%s: the time limit %s ends it: %.2f s", schemes[i],
                    limit ? "of the call" : "for connecting", took);
        }
        snprintf(url, sizeof url, "%s://127.0.0.1:%d", schemes[i], proxies[i].port);
        zelf_config_set_proxy(config, url);
        zelf_config_set_timeout_ms(config, 300);
        client = zelf_client_new(config, NULL);
        zelf_config_free(config);
        under_way = zelf_session_create_async(client, NULL, keep_message, &done, NULL, NULL);
        while (!get_flag(&done)) usleep(1000);
        PROMISE(strstr(asynchronous, silent) != NULL, "%s: an asynchronous call has the same message: %s", schemes[i],
                asynchronous);
        zelf_call_free(under_way);
        zelf_client_shutdown(client, 1000);
        zelf_client_free(client);
        proxies[i].hangs = 0;
    }
}

static void a_proxy_without_an_address_is_named(void)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    size_t i;
    for (i = 0; i < 4; i++) {
        zelf_config *config = tls_config();
        zelf_client *client;
        char url[64];

        snprintf(url, sizeof url, "%s://nowhere.invalid:1", schemes[i]);
        zelf_config_set_proxy(config, url);
        client = zelf_client_new(config, NULL);
        zelf_config_free(config);
        zelf_error_free(last_error);
        last_error = NULL;
        zelf_session_free(create(client, "proxy-failures-x", &last_error));
        PROMISE(zelf_error_status(last_error) == ZELF_ERROR_DNS
                    && strstr(message(), "the proxy nowhere.invalid"),
                "%s: a proxy without an address is named: %s", schemes[i], message());
        zelf_client_free(client);
    }
    for (i = 0; i < 4; i++) {
        struct how how = {0};
        how.scheme = schemes[i];
        how.attempts = 1;
        PROMISE(call(&how, 1) == ZELF_ERROR_CONNECT && strstr(message(), "the proxy 127.0.0.1:1 "),
                "%s: a proxy that does not listen is named: %s", schemes[i], message());
    }
}

static void every_address_is_tried(void)
{
    static struct proxy proxy;
    zelf_config *config = tls_config();
    zelf_client *client;
    char url[64];

    /* localhost is 127.0.0.1 and ::1. Only one of them has a server on this port. */
    snprintf(url, sizeof url, "https://localhost:%d",
             forward_start(AF_INET6, atoi(strrchr(need_env("ZELF_HTTPS"), ':') + 1)));
    proxy_start(&proxy, NULL);
    zelf_config_set_base_url(config, url);
    snprintf(url, sizeof url, "socks5://127.0.0.1:%d", proxy.port);
    zelf_config_set_proxy(config, url);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    zelf_error_free(last_error);
    last_error = NULL;
    zelf_session_free(create(client, "proxy-failures-x", &last_error));
    PROMISE(!last_error, "a call succeeds when a SOCKS proxy reaches one of two addresses: %s",
            message());
    PROMISE(proxy.requests == 2, "the proxy is asked for both: %d", proxy.requests);
    PROMISE(proxy.tunnels == 1, "it opens one tunnel: %d", proxy.tunnels);
    zelf_client_free(client);
}

static void a_server_may_answer_before_it_has_read(void)
{
    static struct proxy server;
    zelf_config *config = tls_config();
    zelf_client *client;
    char url[64];

    proxy_start(&server, NULL);
    server.greets = "HTTP/1.1 403 X\r\nContent-Length: 20\r\n\r\n{\"error\":\"rejected\"}";
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    zelf_config_set_base_url(config, url);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    expect_failure(client, ZELF_ERROR_REJECTED_ORIGIN,
                   "a server that answers before it has read is heard");
    server.greets = "HTTP/1.1 413 X\r\n\r\n<title>Too large</title>";
    expect_failure(client, ZELF_ERROR_BAD_REQUEST, "also if its answer ends with a RST");
    zelf_client_free(client);
}

int main(void)
{
    a_tunnel_that_breaks_is_made_anew();
    each_socks_reply_has_its_status();
    an_answer_that_is_no_proxys_is_reported();
    a_silent_proxy_is_named();
    a_proxy_without_an_address_is_named();
    every_address_is_tried();
    a_server_may_answer_before_it_has_read();
    zelf_error_free(last_error);
    return check_failed;
}
