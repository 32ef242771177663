/* What a proxy, or the way through one, can do wrong. */
#include "calls.h"
#include "proxy.h"

/* Names that are no address of this machine are not known. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    return EAI_NONAME;
}

static zelf_error *last_error;

static const char *message(void) { return last_error ? zelf_error_message(last_error) : "-"; }

static const char *words(void)
{
    const char *said = zelf_error_server_message(last_error);
    return said ? said : "";
}

struct how {
    const char *scheme, *credentials;
    uint32_t attempts, timeout_ms, connect_timeout_ms;
    int kills;
};

static zelf_status call(const struct how *how, int port)
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

static zelf_status through(const char *scheme, uint32_t attempts, struct proxy *proxy)
{
    struct how how = {0};
    how.scheme = scheme;
    how.attempts = attempts;
    return call(&how, proxy->port);
}

static void each_refusal_has_its_status_and_its_words(void)
{
    static const struct {
        int http_status;
        zelf_status status;
        const char *rest, *words;
    } refusals[] = {
        {302, ZELF_ERROR_PROXY, "Location: http://portal.test/\r\nContent-Length: 0\r\n\r\n", ""},
        {403, ZELF_ERROR_PROXY, "Content-Length: 17\r\n\r\nBlocked by policy",
         "Blocked by policy"},
        {403, ZELF_ERROR_PROXY, "\r\n<html><title>Blocked by policy</title></html>",
         "Blocked by policy"},
        {403, ZELF_ERROR_PROXY,
         "Transfer-Encoding: chunked\r\n\r\n7\r\nBlocked\r\n3\r\n by\r\n0\r\n\r\n", "Blocked by"},
        {404, ZELF_ERROR_PROXY, "Content-Length: 9\r\n\r\nNot Found", "Not Found"},
        {405, ZELF_ERROR_PROXY, "Content-Length: 0\r\n\r\n", ""},
        {407, ZELF_ERROR_PROXY, "Proxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nWho", "Who"},
        {408, ZELF_ERROR_TIMEOUT, "Content-Length: 0\r\n\r\n", ""},
        {429, ZELF_ERROR_RATE_LIMITED, "Content-Length: 4\r\n\r\nSlow", "Slow"},
        {500, ZELF_ERROR_SERVER, "Content-Length: 6\r\n\r\nFailed", "Failed"},
        {501, ZELF_ERROR_PROXY, "Content-Length: 0\r\n\r\n", ""},
        {502, ZELF_ERROR_SERVER, "\r\n<title>502 Bad Gateway</title>", "502 Bad Gateway"},
        {503, ZELF_ERROR_SERVER, "Content-Length: 4\r\n\r\nBusy", "Busy"},
        {504, ZELF_ERROR_SERVER, "Content-Length: 4\r\n\r\nLate", "Late"},
        {505, ZELF_ERROR_PROXY, "Content-Length: 0\r\n\r\n", ""},
        {511, ZELF_ERROR_PROXY, "Content-Length: 6\r\n\r\nLog in", "Log in"},
    };
    static struct proxy proxy;
    char answer[256];
    size_t i;

    proxy_start(&proxy, NULL);
    for (i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        int passes = refusals[i].status != ZELF_ERROR_PROXY;
        zelf_status status;
        snprintf(answer, sizeof answer, "HTTP/1.1 %d Whatever\r\n%s", refusals[i].http_status,
                 refusals[i].rest);
        proxy_fail(&proxy, 9, answer, PROXY_CLOSES);
        PROMISE(through("http", 1, &proxy) == refusals[i].status
                    && zelf_error_http_status(last_error) == refusals[i].http_status
                    && zelf_error_is_retryable(last_error) == passes
                    && strcmp(words(), refusals[i].words) == 0 && strstr(message(), "the proxy 127"),
                "HTTP %d of a proxy is told with its words: %s", refusals[i].http_status,
                message());
        proxy.requests = 0;
        proxy_fail(&proxy, 1, answer, PROXY_CLOSES);
        status = through("http", 2, &proxy);
        PROMISE(passes ? status == ZELF_OK && proxy.requests == 2
                       : status == ZELF_ERROR_PROXY && proxy.requests == 1,
                "and is tried again %s: %d times", passes ? "as the server's is" : "in no case",
                proxy.requests);
        proxy.fails = 0;
    }
}

static void what_a_proxy_asks_to_wait_is_waited(void)
{
    static struct proxy proxy;
    static const char slow[] = "HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    double began, took;
    zelf_status status;

    proxy_start(&proxy, NULL);
    proxy_fail(&proxy, 1, slow, PROXY_CLOSES);
    PROMISE(through("http", 1, &proxy) == ZELF_ERROR_RATE_LIMITED
                && zelf_error_retry_after_ms(last_error) == 1000,
            "how long a proxy asks to wait is told");
    proxy_fail(&proxy, 1, slow, PROXY_CLOSES);
    began = seconds_now();
    status = through("http", 2, &proxy);
    took = seconds_now() - began;
    PROMISE(status == ZELF_OK && took >= 1, "and is waited: %.2f s", took);
}

static void words_that_do_not_come_do_not_hide_the_status(void)
{
    static struct proxy proxy;
    static char flood[300000];
    struct how how = {0};
    double began, took;
    zelf_status status;

    proxy_start(&proxy, NULL);
    how.scheme = "http";
    how.attempts = 1;
    how.connect_timeout_ms = 600;
    proxy_fail(&proxy, 9, "HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\nBlocked", PROXY_STAYS);
    began = seconds_now();
    status = call(&how, proxy.port);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_PROXY && zelf_error_http_status(last_error) == 403
                && strcmp(words(), "Blocked") == 0 && took < 1,
            "words that stop coming are waited for only so long: %.2f s, %s", took, message());
    how.connect_timeout_ms = 0;
    how.timeout_ms = 600;
    began = seconds_now();
    status = call(&how, proxy.port);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_PROXY && took < 0.6,
            "also where the time of the call ends first: %.2f s", took);
    memset(flood, 'x', sizeof flood);
    memcpy(flood, "HTTP/1.1 403 X\r\n\r\n", 18);
    proxy.says = flood;
    proxy.says_length = sizeof flood;
    PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY && strlen(words()) <= 515,
            "words without an end are cut: %lu bytes", (unsigned long)strlen(words()));
    proxy_fail(&proxy, 1, "HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\nBlocked", PROXY_RESETS);
    PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY && zelf_error_http_status(last_error) == 403,
            "a reset behind a refusal does not hide it: %s", message());
}

static void credentials_are_never_repeated(void)
{
    static const char *const echoes[] = {
        "Not you: s3cr3t-word", "{\"error\":\"Basic dXNlcjpzM2NyM3Qtd29yZA==\"}",
        "<title>s3cr3t-word</title>", "{\"error\":\"\\u0073\\u0033cr3t-word\"}",
    };
    static struct proxy proxy;
    struct how how = {0};
    char answer[256];
    size_t i;

    proxy_start(&proxy, NULL);
    how.scheme = "http";
    how.credentials = "user:s3cr3t-word@";
    how.attempts = 1;
    for (i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        snprintf(answer, sizeof answer, "HTTP/1.1 407 X\r\n\r\n%s", echoes[i]);
        proxy_fail(&proxy, 1, answer, PROXY_CLOSES);
        PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY && !strstr(message(), "s3cr3t")
                    && !strstr(message(), "dXNl") && words()[0] == '\0',
                "words that repeat the credentials are left out: %s", message());
    }
}

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
            PROMISE(through(schemes[i], 1, proxy) == ZELF_ERROR_CONNECT
                        && zelf_error_is_retryable(last_error)
                        && strstr(message(), "the proxy 127"),
                    "%s: a tunnel that breaks while it is made is no connection: %s", schemes[i],
                    message());
            proxy_fail(proxy, 9, part, (enum proxy_end)end);
            PROMISE(through(schemes[i], 1, proxy) == ZELF_ERROR_CONNECT
                        && zelf_error_http_status(last_error) == 0,
                    "%s: so is half an answer: %s", schemes[i], message());
            proxy_fail(proxy, 1, NULL, (enum proxy_end)end);
            PROMISE(through(schemes[i], 2, proxy) == ZELF_OK, "%s: it is made anew", schemes[i]);
            kill.scheme = schemes[i];
            kill.attempts = 3;
            kill.kills = 1;
            forget_requests();
            proxy_fail(proxy, 2, NULL, (enum proxy_end)end);
            PROMISE(call(&kill, proxy->port) == ZELF_OK && requests_arrived() == 1,
                    "%s: also for a kill, which has not been sent: %s", schemes[i], message());
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
                "and after a SOCKS reply that may pass: %s", message());
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
        PROMISE(through("socks5h", 1, &proxy) == (passes ? ZELF_ERROR_CONNECT : ZELF_ERROR_PROXY)
                    && zelf_error_is_retryable(last_error) == passes
                    && strstr(message(), "the proxy 127"),
                "reply %d of a SOCKS proxy is told: %s", code, message());
        proxy_reply(&proxy, 1, code);
        proxy.requests = 0;
        status = through("socks5h", 2, &proxy);
        PROMISE(passes ? status == ZELF_OK && proxy.requests == 2
                       : status == ZELF_ERROR_PROXY && proxy.requests == 1,
                "and is tried again %s", passes ? "once it may have passed" : "in no case");
    }
    proxy_reply(&proxy, 1, 2);
    proxy.says_length = 2;
    PROMISE(through("socks5h", 1, &proxy) == ZELF_ERROR_PROXY,
            "a reply without an address is a reply: %s", message());
}

static void what_is_no_proxy_is_told(void)
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
        PROMISE(through(others[i].scheme, 1, &proxy) == ZELF_ERROR_PROXY
                    && zelf_error_http_status(last_error) == others[i].http_status
                    && strstr(message(), others[i].what),
                "%s: what speaks before it has read is heard: %s", others[i].scheme, message());
    }
}

static void odd_answers_open_a_tunnel(void)
{
    static char many[8192] = "HTTP/1.1 200 OK\r\n";
    static const char *const opens[] = {
        "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 299 Odd\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 Y\r\nLink: z\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: none\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nno header\r\nX-Space : c\r\n\r\n",
        "HTTP/1.1 200 OK\nX: y\n\n",
        many,
    };
    static struct proxy proxy;
    size_t i;

    for (i = 0; i < 120; i++) strcat(many, "X-Header-Of-A-Proxy: a value, and more\r\n");
    strcat(many, "\r\n");
    proxy_start(&proxy, NULL);
    for (i = 0; i < sizeof opens / sizeof *opens; i++) {
        proxy.opens = opens[i];
        PROMISE(through("http", 1, &proxy) == ZELF_OK, "a tunnel is opened by \"%.*s…\": %s",
                (int)strcspn(opens[i], "\r\n"), opens[i], message());
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
            how.timeout_ms = limit ? 300 : 0;
            status = call(&how, proxies[i].port);
            took = seconds_now() - began;
            PROMISE(status == ZELF_ERROR_TIMEOUT && strstr(message(), silent) && took < 1,
                    "%s: a silent proxy is named when the time of %s is over: %.2f s, %s",
                    schemes[i], limit ? "the call" : "connecting", took, message());
        }
        snprintf(url, sizeof url, "%s://127.0.0.1:%d", schemes[i], proxies[i].port);
        zelf_config_set_proxy(config, url);
        zelf_config_set_timeout_ms(config, 300);
        client = zelf_client_new(config, NULL);
        zelf_config_free(config);
        under_way = zelf_session_create_async(client, NULL, keep_message, &done, NULL, NULL);
        while (!get_flag(&done)) usleep(1000);
        PROMISE(strstr(asynchronous, silent) != NULL, "%s: also of an asynchronous call: %s", schemes[i],
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
                "%s: a proxy that is not there is named: %s", schemes[i], message());
    }
}

static void every_address_is_tried(void)
{
    static struct proxy proxy;
    zelf_config *config = tls_config();
    zelf_client *client;
    char url[64];

    /* localhost is 127.0.0.1 and ::1. Only there is a server on this port. */
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
    PROMISE(!last_error && proxy.requests == 2 && proxy.tunnels == 1,
            "an address that a SOCKS proxy cannot reach is followed by the next: %s", message());
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
    expect_failure(client, ZELF_ERROR_REJECTED_ORIGIN, 2,
                   "a server that answers before it has read is heard");
    server.greets = "HTTP/1.1 413 X\r\n\r\n<title>Too large</title>";
    expect_failure(client, ZELF_ERROR_BAD_REQUEST, 2, "also if its answer ends with a RST");
    zelf_client_free(client);
}

int main(void)
{
    each_refusal_has_its_status_and_its_words();
    what_a_proxy_asks_to_wait_is_waited();
    words_that_do_not_come_do_not_hide_the_status();
    credentials_are_never_repeated();
    a_tunnel_that_breaks_is_made_anew();
    each_socks_reply_has_its_status();
    what_is_no_proxy_is_told();
    odd_answers_open_a_tunnel();
    a_silent_proxy_is_named();
    a_proxy_without_an_address_is_named();
    every_address_is_tried();
    a_server_may_answer_before_it_has_read();
    zelf_error_free(last_error);
    return check_failed;
}
