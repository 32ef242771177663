/* The answers of a proxy to CONNECT. */
#include "through.h"

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
    static char answer[256]; /* the proxy's threads read it */
    size_t i;

    proxy_start(&proxy, NULL);
    for (i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        int passes = refusals[i].status != ZELF_ERROR_PROXY, code = refusals[i].http_status;
        zelf_status status;
        snprintf(answer, sizeof answer, "HTTP/1.1 %d Whatever\r\n%s", refusals[i].http_status,
                 refusals[i].rest);
        proxy_fail(&proxy, 9, answer, PROXY_CLOSES);
        status = through("http", 1, &proxy);
        PROMISE(status == refusals[i].status, "HTTP %d of a proxy has its status: %s", code,
                zelf_status_name(status));
        PROMISE(zelf_error_http_status(last_error) == code, "the error of HTTP %d has it: %d", code,
                zelf_error_http_status(last_error));
        PROMISE(zelf_error_is_retryable(last_error) == passes, "HTTP %d of a proxy is %s", code,
                passes ? "retryable" : "not retryable");
        PROMISE(strcmp(words(), refusals[i].words) == 0, "the error of HTTP %d has its words: %s",
                code, words());
        PROMISE(strstr(message(), "the proxy 127") != NULL,
                "the message of HTTP %d names the proxy: %s", code, message());
        proxy.requests = 0;
        proxy_fail(&proxy, 1, answer, PROXY_CLOSES);
        status = through("http", 2, &proxy);
        PROMISE(status == (passes ? ZELF_OK : ZELF_ERROR_PROXY),
                "after two attempts the status of HTTP %d is %s", code, zelf_status_name(status));
        PROMISE(proxy.requests == 1 + passes, "HTTP %d is %s: %d requests", code,
                passes ? "tried again" : "not tried again", proxy.requests);
        proxy.fails = 0;
    }
}

static void the_retry_after_of_a_proxy_is_waited_for(void)
{
    static struct proxy proxy;
    static const char slow[] = "HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    double began, took;
    zelf_status status;

    proxy_start(&proxy, NULL);
    proxy_fail(&proxy, 1, slow, PROXY_CLOSES);
    PROMISE(through("http", 1, &proxy) == ZELF_ERROR_RATE_LIMITED
                && zelf_error_retry_after_ms(last_error) == 1000,
            "the error has the Retry-After of a proxy");
    proxy_fail(&proxy, 1, slow, PROXY_CLOSES);
    began = seconds_now();
    status = through("http", 2, &proxy);
    took = seconds_now() - began;
    PROMISE(status == ZELF_OK, "the next attempt succeeds: %s", zelf_status_name(status));
    PROMISE(took >= 1, "it comes when the Retry-After is over: %.2f s", took);
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
    how.connect_timeout_ms = 3000;
    how.timeout_ms = 60000;
    proxy_fail(&proxy, 9, "HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\nBlocked", PROXY_STAYS);
    began = seconds_now();
    status = call(&how, proxy.port);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_PROXY, "a refusal whose words stop coming is ZELF_ERROR_PROXY: %s",
            zelf_status_name(status));
    PROMISE(zelf_error_http_status(last_error) == 403, "the error has its HTTP status");
    PROMISE(strcmp(words(), "Blocked") == 0, "the error has the words that came: %s", words());
    PROMISE(took < AT_ONCE, "the time limit for connecting ends the wait: %.2f s", took);
    how.connect_timeout_ms = 0;
    how.timeout_ms = 3000;
    began = seconds_now();
    status = call(&how, proxy.port);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_PROXY,
            "it is ZELF_ERROR_PROXY where the time limit of the call is the shorter: %s",
            zelf_status_name(status));
    PROMISE(took < AT_ONCE, "the time limit of the call ends the wait: %.2f s", took);
    memset(flood, 'x', sizeof flood);
    memcpy(flood, "HTTP/1.1 403 X\r\n\r\n", 18);
    proxy.says = flood;
    proxy.says_length = sizeof flood;
    PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY && strlen(words()) <= 515,
            "words without an end are cut to 515 bytes at most: %lu", (unsigned long)strlen(words()));
    proxy_fail(&proxy, 1, "HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\nBlocked", PROXY_RESETS);
    PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY && zelf_error_http_status(last_error) == 403,
            "a refusal before a reset is read: %s", message());
}

static void credentials_are_never_repeated(void)
{
    static const char *const echoes[] = {
        "Not you: s3cr3t-word", "{\"error\":\"Basic dXNlcjpzM2NyM3Qtd29yZA==\"}",
        "<title>s3cr3t-word</title>", "{\"error\":\"\\u0073\\u0033cr3t-word\"}",
    };
    static struct proxy proxy;
    struct how how = {0};
    static char answer[256]; /* the proxy's threads read it */
    size_t i;

    proxy_start(&proxy, NULL);
    how.scheme = "http";
    how.credentials = "user:s3cr3t-word@";
    how.attempts = 1;
    for (i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        snprintf(answer, sizeof answer, "HTTP/1.1 407 X\r\n\r\n%s", echoes[i]);
        proxy_fail(&proxy, 1, answer, PROXY_CLOSES);
        PROMISE(call(&how, proxy.port) == ZELF_ERROR_PROXY,
                "a refusal that repeats the credentials is ZELF_ERROR_PROXY");
        PROMISE(!strstr(message(), "s3cr3t"), "the message has no password: %s", message());
        PROMISE(!strstr(message(), "dXNl"), "the message has no encoded password: %s", message());
        PROMISE(words()[0] == '\0', "the error has no words of the proxy's: %s", words());
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

static void a_proxy_over_tls_is_heard_too(void)
{
    static const struct {
        const char *fault;
        zelf_status status;
        int http_status;
        const char *says;
    } all[] = {
        {"{\"kind\":\"answer\",\"status\":403,\"text\":\"Blocked by policy\",\"method\":\"CONNECT\"}",
         ZELF_ERROR_PROXY, 403, "Blocked by policy"},
        {"{\"kind\":\"answer\",\"status\":407,\"html\":\"<title>Who</title>\",\"method\":\"CONNECT\"}",
         ZELF_ERROR_PROXY, 407, "Who"},
        {"{\"kind\":\"answer\",\"status\":429,\"text\":\"Slow\",\"method\":\"CONNECT\"}",
         ZELF_ERROR_RATE_LIMITED, 429, "Slow"},
        {"{\"kind\":\"answer\",\"status\":502,\"method\":\"CONNECT\"}", ZELF_ERROR_SERVER, 502, "502"},
        {"{\"kind\":\"garbage\",\"method\":\"CONNECT\"}", ZELF_ERROR_PROXY, 0, "HTTP"},
        {"{\"kind\":\"reset\",\"stage\":\"request\",\"method\":\"CONNECT\"}", ZELF_ERROR_CONNECT, 0, ""},
        {"{\"kind\":\"close\",\"stage\":\"request\",\"method\":\"CONNECT\"}", ZELF_ERROR_CONNECT, 0, ""},
        {"{\"kind\":\"reset\",\"stage\":\"tls\"}", ZELF_ERROR_CONNECT, 0, ""},
        {"{\"kind\":\"stall\",\"stage\":\"request\",\"method\":\"CONNECT\"}", ZELF_ERROR_TIMEOUT, 0,
         "did not answer"},
        {"{\"kind\":\"stall\",\"stage\":\"tls\"}", ZELF_ERROR_TIMEOUT, 0, "did not answer"},
        {"{\"kind\":\"certificate\",\"wrong\":\"expired\"}", ZELF_ERROR_TLS, 0, "expired"},
    };
    struct how how = {0};
    int port = atoi(strrchr(need_env("ZELF_HTTPS"), ':') + 1);
    size_t i;

    how.scheme = "https";
    how.attempts = 1;
    how.connect_timeout_ms = 1000;
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        zelf_status status;
        fault(all[i].fault);
        status = call(&how, port);
        fault(NULL);
        PROMISE(status == all[i].status, "%s of a proxy over TLS has its status: %s", all[i].fault,
                zelf_status_name(status));
        PROMISE(zelf_error_http_status(last_error) == all[i].http_status,
                "%s: the error has the HTTP status: %d", all[i].fault,
                zelf_error_http_status(last_error));
        PROMISE(strstr(message(), all[i].says) != NULL, "%s: the message says \"%s\": %s",
                all[i].fault, all[i].says, message());
        PROMISE(strstr(message(), "the proxy 127") != NULL, "%s: the message names the proxy: %s",
                all[i].fault, message());
    }
    how.attempts = 3;
    how.kills = 1;
    forget_requests();
    fault("{\"kind\":\"answer\",\"status\":502,\"method\":\"CONNECT\",\"times\":2}");
    PROMISE(call(&how, port) == ZELF_OK && requests_arrived() == 1,
            "a kill goes out again after a 502 of a proxy over TLS, and is sent once: %s", message());
    fault(NULL);
}

int main(void)
{
    each_refusal_has_its_status_and_its_words();
    the_retry_after_of_a_proxy_is_waited_for();
    words_that_do_not_come_do_not_hide_the_status();
    credentials_are_never_repeated();
    odd_answers_open_a_tunnel();
    a_proxy_over_tls_is_heard_too();
    zelf_error_free(last_error);
    return check_failed;
}
