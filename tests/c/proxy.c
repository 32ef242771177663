/* Calls through proxies: HTTP CONNECT and SOCKS 5. */
#include "calls.h"
#include "proxy.h"

static void proxies_are_used_when_set(void)
{
    static struct proxy open, closed;
    char url[128], target[128];
    zelf_config *config;

    proxy_start(&open, NULL);
    proxy_start(&closed, "Basic dXNlcjpwYXNz"); /* user:pass */
    snprintf(target, sizeof target, "%s", need_env("ZELF_HTTPS") + strlen("https://"));

    config = tls_config();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", open.port);
    zelf_config_set_proxy(config, url);
    PROMISE(outcome(config) == ZELF_OK, "a session comes through a proxy");
    PROMISE(open.tunnels == 1, "the proxy has opened one tunnel: %d", open.tunnels);
    PROMISE(strcmp(open.target, target) == 0, "the proxy is told the server and its port: %s",
            open.target);

    config = tls_config();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", closed.port);
    zelf_config_set_proxy(config, url);
    PROMISE(outcome(config) == ZELF_ERROR_PROXY && closed.refusals == 1,
            "a proxy that wants credentials is ZELF_ERROR_PROXY");

    config = tls_config();
    snprintf(url, sizeof url, "http://user:pass@127.0.0.1:%d", closed.port);
    zelf_config_set_proxy(config, url);
    PROMISE(outcome(config) == ZELF_OK && closed.tunnels == 1, "credentials for a proxy are sent");

    snprintf(url, sizeof url, "http://127.0.0.1:%d", open.port);
    setenv("https_proxy", url, 1);
    PROMISE(outcome(tls_config()) == ZELF_OK && open.tunnels == 1,
            "a proxy of the environment is ignored by default");
    config = tls_config();
    zelf_config_set_proxy_from_env(config, true);
    PROMISE(outcome(config) == ZELF_OK && open.tunnels == 2, "it is used when asked for");
    setenv("no_proxy", "localhost", 1);
    config = tls_config();
    zelf_config_set_proxy_from_env(config, true);
    PROMISE(outcome(config) == ZELF_OK && open.tunnels == 2, "no_proxy makes exceptions");
    unsetenv("https_proxy");
    unsetenv("no_proxy");

    config = tls_config();
    zelf_config_set_proxy(config, "ftp://user:s3cr3t@127.0.0.1");
    {
        zelf_error *error = NULL;
        PROMISE(!zelf_client_new(config, &error), "a proxy that cannot be used makes no client");
        PROMISE(zelf_error_status(error) == ZELF_ERROR_INVALID_CONFIG,
                "the status is ZELF_ERROR_INVALID_CONFIG");
        PROMISE(strstr(zelf_error_message(error), "proxy") != NULL, "the message names the setting");
        PROMISE(!strstr(zelf_error_message(error), "s3cr3t"), "the message has no password");
        zelf_error_free(error);
        zelf_config_free(config);
    }
}

static zelf_config *config_through(const char *scheme, const char *credentials,
                                   struct proxy *proxy)
{
    zelf_config *config = tls_config();
    char url[128];
    snprintf(url, sizeof url, "%s://%s127.0.0.1:%d", scheme, credentials, proxy->port);
    zelf_config_set_proxy(config, url);
    return config;
}

static zelf_status through(const char *scheme, const char *credentials, struct proxy *proxy)
{
    return outcome(config_through(scheme, credentials, proxy));
}

static void socks_proxies_are_used_when_set(void)
{
    static struct proxy open, closed;
    zelf_config *config;
    double began, took;
    zelf_status status;

    proxy_start(&open, NULL);
    proxy_start(&closed, "user:pass");
    PROMISE(through("socks5", "", &open) == ZELF_OK, "a session comes through a SOCKS proxy");
    PROMISE(open.tunnels == 1, "the proxy has opened one tunnel: %d", open.tunnels);
    PROMISE(open.names == 0, "with socks5 the library looks the name up: the proxy is given %s",
            open.target);
    PROMISE(through("socks5h", "", &open) == ZELF_OK, "a session comes through it with socks5h");
    PROMISE(open.tunnels == 2, "the proxy has opened another tunnel: %d", open.tunnels);
    PROMISE(open.names == 1, "with socks5h the proxy is given a name");
    PROMISE(strcmp(open.target, "localhost") == 0, "it is the server's: %s", open.target);
    PROMISE(through("socks5h", "user:pass@", &closed) == ZELF_OK && closed.tunnels == 1,
            "credentials for a SOCKS proxy are sent");
    PROMISE(through("socks5h", "user:wrong@", &closed) == ZELF_ERROR_PROXY && closed.refusals == 1,
            "wrong credentials are ZELF_ERROR_PROXY");
    PROMISE(through("socks5h", "", &closed) == ZELF_ERROR_PROXY && closed.refusals == 2,
            "missing credentials are ZELF_ERROR_PROXY");
    proxy_reply(&open, 9, 2);
    PROMISE(through("socks5", "", &open) == ZELF_ERROR_PROXY, "a refusal of a SOCKS proxy is ZELF_ERROR_PROXY");
    open.fails = 0;
    open.hangs = 1;
    config = config_through("socks5", "", &open);
    zelf_config_set_connect_timeout_ms(config, 300);
    zelf_config_set_timeout_ms(config, 60000);
    began = seconds_now();
    status = outcome(config);
    took = seconds_now() - began;
    PROMISE(status == ZELF_ERROR_TIMEOUT, "a proxy that hangs is ZELF_ERROR_TIMEOUT: %s",
            zelf_status_name(status));
    PROMISE(took < AT_ONCE, "the time limit for connecting ends it: %.2f s", took);
    open.hangs = 0;
}

static zelf_client *client_through(const char *url)
{
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_config_set_proxy(config, url);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    return client;
}

static void a_proxy_that_is_not_there_is_named(void)
{
    zelf_client *client = client_through("http://127.0.0.1:1");
    zelf_error *error = NULL;
    zelf_session_free(create(client, "no-proxy-x", &error));
    PROMISE(zelf_error_status(error) == ZELF_ERROR_CONNECT,
            "a proxy that does not listen is ZELF_ERROR_CONNECT: %s",
            zelf_status_name(zelf_error_status(error)));
    PROMISE(zelf_error_is_retryable(error), "the error is retryable");
    PROMISE(strstr(zelf_error_message(error), "the proxy 127.0.0.1:1 ") != NULL,
            "the message names the proxy, and not the server: %s", zelf_error_message(error));
    zelf_error_free(error);
    zelf_client_free(client);
}

static void a_kill_does_not_use_what_another_call_kept(void)
{
    static struct proxy open;
    char url[128];
    zelf_client *client;
    zelf_session_options *kill = options_for("proxied-kill-x");
    int kept, own;

    proxy_start(&open, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", open.port);
    client = client_through(url);
    zelf_session_free(create(client, "proxied-kill-x", NULL));
    zelf_session_free(create(client, "proxied-kill-x", NULL));
    kept = open.tunnels;
    zelf_session_options_set_kill_session(kill, true);
    zelf_session_free(zelf_session_create(client, kill, NULL));
    own = open.tunnels;
    PROMISE(kept == 1, "two calls through a proxy share one connection: %d", kept);
    PROMISE(own == 2, "a kill through a proxy makes a new connection: %d", own);
    zelf_session_options_free(kill);
    zelf_client_free(client);
}

static void a_call_that_hangs_at_a_proxy_is_cancelled(void)
{
    static const char *const schemes[] = {"http", "socks5", "socks5h"};
    size_t i;
    for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        /* Its thread runs until the end of the program. */
        static struct proxy proxies[3], *hangs;
        char url[128];
        int measured, exact = 0;
        double took = 1;

        hangs = &proxies[i];
        proxy_start(hangs, NULL);
        hangs->hangs = 1;
        snprintf(url, sizeof url, "%s://127.0.0.1:%d", schemes[i], hangs->port);
        for (measured = 0; measured < MEASUREMENTS && took >= 0.05; measured++) {
            zelf_client *client = client_through(url);
            struct record record = {0};
            start(client, &record, "hangs-x");
            while (__sync_fetch_and_add(&hangs->requests, 0) == measured) usleep(1000);
            took = cancelled_after(&record);
            exact += exactly_once(&record, 1, ZELF_ERROR_CANCELLED);
            zelf_client_shutdown(client, 20000);
            release(&record, 1);
            zelf_client_free(client);
        }
        PROMISE(exact == measured, "a call that hangs at a proxy (%s) is cancelled", schemes[i]);
        PROMISE(took < 0.05, "that takes less than 50 ms (%s): %.1f ms", schemes[i], took * 1e3);
        hangs->hangs = 0;
    }
}

static void *call_on_small_stack(void *client)
{
    return create(client, "small-stack-x", NULL);
}

static void a_small_stack_is_enough(void)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    static struct proxy open;
    size_t i;

    proxy_start(&open, NULL);
    for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        char url[128];
        zelf_client *client;
        pthread_attr_t attributes;
        pthread_t thread;
        void *session = NULL;

        snprintf(url, sizeof url, "%s://127.0.0.1:%d", schemes[i], open.port);
        /* The sandbox is also a proxy over TLS. */
        client = client_through(strcmp(schemes[i], "https") ? url : need_env("ZELF_HTTPS"));
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 128 * 1024);
        pthread_create(&thread, &attributes, call_on_small_stack, client);
        pthread_join(thread, &session);
        PROMISE(session != NULL, "a stack of 128 KiB is enough for a call through a proxy: %s",
                schemes[i]);
        pthread_attr_destroy(&attributes);
        zelf_session_free(session);
        zelf_client_free(client);
    }
}

/* Returns the status of a client with a proxy from the environment, and of a call with it. */
static zelf_status from_environment(const char *lower, const char *upper, const char *no_lower,
                                    const char *no_upper)
{
    zelf_config *config = tls_config();
    zelf_status status;
    if (lower) setenv("https_proxy", lower, 1);
    if (upper) setenv("HTTPS_PROXY", upper, 1);
    if (no_lower) setenv("no_proxy", no_lower, 1);
    if (no_upper) setenv("NO_PROXY", no_upper, 1);
    zelf_config_set_proxy_from_env(config, true);
    status = outcome(config);
    unsetenv("https_proxy");
    unsetenv("HTTPS_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    return status;
}

static void the_environment_is_read_as_curl_reads_it(void)
{
    static const char *const none = "http://127.0.0.1:1";
    static const char *const exceptions[] = {
        "*", "localhost", ".localhost", "LOCALHOST.", "other.test localhost",
        " other.test,\tlocalhost ,", "localhost:%s",
    };
    static const char *const others[] = {
        "", ",", "other.test", "local", "host", "localhost:1", "127.0.0.1", "::1",
    };
    const char *port = strrchr(need_env("ZELF_HTTPS"), ':') + 1;
    char list[64];
    size_t i;

    for (i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        snprintf(list, sizeof list, strstr(exceptions[i], "%s") ? "localhost:%s" : "%s",
                 strstr(exceptions[i], "%s") ? port : exceptions[i]);
        PROMISE(from_environment(none, NULL, list, NULL) == ZELF_OK,
                "no_proxy \"%s\" names this server", list);
    }
    for (i = 0; i < sizeof others / sizeof *others; i++)
        PROMISE(from_environment(none, NULL, others[i], NULL) == ZELF_ERROR_CONNECT,
                "no_proxy \"%s\" does not", others[i]);
    PROMISE(from_environment(none, NULL, NULL, "localhost") == ZELF_OK,
            "NO_PROXY is read where there is no no_proxy");
    PROMISE(from_environment(none, NULL, "other.test", "localhost") == ZELF_ERROR_CONNECT,
            "no_proxy wins over NO_PROXY");
    PROMISE(from_environment(none, NULL, "", "localhost") == ZELF_ERROR_CONNECT,
            "an empty no_proxy wins over NO_PROXY");
    PROMISE(from_environment(NULL, none, NULL, NULL) == ZELF_ERROR_CONNECT,
            "HTTPS_PROXY is read where there is no https_proxy");
    PROMISE(from_environment("", NULL, NULL, NULL) == ZELF_OK, "an empty https_proxy is no proxy");
    PROMISE(from_environment("127.0.0.1:1", NULL, NULL, NULL) == ZELF_ERROR_CONNECT,
            "a proxy without a scheme is an HTTP proxy");
    PROMISE(from_environment(none, "http://{proxy}", NULL, NULL) == ZELF_ERROR_CONNECT,
            "https_proxy wins over HTTPS_PROXY");
    setenv("http_proxy", "http://{proxy}", 1);
    PROMISE(from_environment(NULL, NULL, NULL, NULL) == ZELF_OK, "http_proxy is not for https");
    setenv("ALL_PROXY", none, 1);
    PROMISE(from_environment(NULL, NULL, NULL, NULL) == ZELF_ERROR_CONNECT,
            "ALL_PROXY is read where there is no other");
    setenv("all_proxy", "http://{proxy}", 1);
    PROMISE(from_environment(NULL, NULL, NULL, NULL) == ZELF_ERROR_INVALID_CONFIG,
            "all_proxy wins over ALL_PROXY");
    PROMISE(from_environment(none, NULL, NULL, NULL) == ZELF_ERROR_CONNECT,
            "https_proxy wins over both");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("all_proxy");
}

static void a_proxy_is_never_left_out(void)
{
    static const char *const urls[] = {
        "socks5h://${S3CR3T}:9050", "http://{s3cr3t}:3128", "socks5h://s3cr3t%2Ecorp:1080",
        "http://CORP\\user:s3cr3t@p.test", "http://12#s3cr3t@p.test", "http://12/s3cr3t@p.test",
        "http://12?s3cr3t@p.test", "http://s3cr3t@x@p.test", "http://s3cr3t p.test:80",
        "http://p.test:80 ", " http://p.test:80", "http://s3cr3t:\n@p.test", "http://p.test\r:80",
        "http://s3cr3t:a%0ab@p.test", "http://p.test:0", "http://p.test:65536", "http://p.test:x",
        "http://p.test:80/s3cr3t", "http://p.test:80?s3cr3t",
        "http://p.test#s3cr3t", "http://[::1", "http://[::1%25lo]:80", "http://::1:80",
        "http://p..test", "http://", "http://:80", "https:p.test", "ftp://s3cr3t@p.test",
        "socks4://p.test", "s3cr3t://p.test", "ghp-s3cr3t:@p.test", "://p.test",
        "http://s3cr3t:\xff@p.test", "",
    };
    size_t i;
    for (i = 0; i < sizeof urls / sizeof *urls; i++) {
        zelf_config *config = tls_config();
        zelf_error *error = NULL;
        zelf_client *client;
        const char *message;
        zelf_config_set_proxy(config, urls[i]);
        client = zelf_client_new(config, &error);
        message = error ? zelf_error_message(error) : "-";
        PROMISE(!client, "proxy URL %lu makes no client", (unsigned long)i);
        PROMISE(zelf_error_status(error) == ZELF_ERROR_INVALID_CONFIG,
                "proxy URL %lu is ZELF_ERROR_INVALID_CONFIG", (unsigned long)i);
        PROMISE(strstr(message, "the proxy URL") != NULL, "proxy URL %lu: the message names it: %s",
                (unsigned long)i, message);
        PROMISE(!strcasestr(message, "3cr3t"), "proxy URL %lu: the message has no secret: %s",
                (unsigned long)i, message);
        zelf_error_free(error);
        zelf_client_free(client);
        zelf_config_free(config);
        if (urls[i][0] && strncmp(urls[i], "ghp-", 4) != 0)
            PROMISE(from_environment(urls[i], NULL, NULL, NULL) == ZELF_ERROR_INVALID_CONFIG,
                    "proxy URL %lu of the environment makes no direct call", (unsigned long)i);
    }
}

static void a_proxy_may_have_an_ipv6_address(void)
{
    static const char *const schemes[] = {"http", "socks5", "socks5h"};
    static struct proxy proxies[3];
    char url[64];
    size_t i;
    for (i = 0; i < 3; i++) {
        zelf_config *config = tls_config();
        proxy_start_on(&proxies[i], AF_INET6, NULL);
        snprintf(url, sizeof url, "%s://[::1]:%d", schemes[i], proxies[i].port);
        zelf_config_set_proxy(config, url);
        PROMISE(outcome(config) == ZELF_OK && proxies[i].tunnels == 1,
                "a proxy may have an IPv6 address: %s", schemes[i]);
    }
}

static void a_proxy_is_told_what_it_needs(void)
{
    static struct proxy proxy;
    zelf_config *config = tls_config();
    char url[64], host[300];

    proxy_start(&proxy, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
    zelf_config_set_proxy(config, url);
    zelf_config_set_user_agent(config, "mine/1.2 (a device)");
    zelf_config_set_origin(config, "https://app.test");
    PROMISE(outcome(config) == ZELF_OK && strstr(proxy.head, "user-agent: mine/1.2 (a device)\r\n"),
            "a proxy is told the user agent");
    snprintf(host, sizeof host, "host: %s\r\n", proxy.target);
    PROMISE(strstr(proxy.head, host) != NULL, "a proxy is told the server");
    PROMISE(!strstr(proxy.head, "app.test"), "a proxy is not told the origin");
    PROMISE(!strstr(proxy.head, "proxy-authorization"), "a proxy is sent no credentials without any");
}

static void credentials_may_have_empty_parts(void)
{
    static const struct {
        const char *scheme, *given, *expected;
    } pairs[] = {
        {"http", "user@", "Basic dXNlcjo="}, {"http", ":pass@", "Basic OnBhc3M="},
        {"http", "@", "Basic Og=="},         {"http", "user:p%40%3A%2Fs@", "Basic dXNlcjpwQDovcw=="},
        {"socks5h", "user@", "user:"},       {"socks5h", ":pass@", ":pass"},
        {"socks5h", "@", ":"},               {"socks5h", "us%3Aer:p%40@", "us:er:p@"},
    };
    static struct proxy proxies[8];
    size_t i;
    for (i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        proxy_start(&proxies[i], pairs[i].expected);
        PROMISE(through(pairs[i].scheme, pairs[i].given, &proxies[i]) == ZELF_OK,
                "%s: the credentials \"%s\" are accepted", pairs[i].scheme, pairs[i].given);
    }
}

int main(void)
{
    proxies_are_used_when_set();
    a_proxy_that_is_not_there_is_named();
    a_kill_does_not_use_what_another_call_kept();
    a_small_stack_is_enough();
    a_call_that_hangs_at_a_proxy_is_cancelled();
    socks_proxies_are_used_when_set();
    the_environment_is_read_as_curl_reads_it();
    a_proxy_is_never_left_out();
    a_proxy_may_have_an_ipv6_address();
    a_proxy_is_told_what_it_needs();
    credentials_may_have_empty_parts();
    return check_failed;
}
