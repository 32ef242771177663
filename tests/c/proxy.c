/* Through proxies: HTTP CONNECT and SOCKS 5. */
#include "calls.h"
#include "proxy.h"

static void proxies_are_used_when_set(void)
{
    struct proxy open, closed;
    char url[128], target[128];
    zelf_config *config;

    proxy_start(&open, NULL);
    proxy_start(&closed, "Basic dXNlcjpwYXNz"); /* user:pass */
    snprintf(target, sizeof target, "%s", need_env("ZELF_HTTPS") + strlen("https://"));

    config = tls_config();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", open.port);
    zelf_config_set_proxy(config, url);
    PROMISE(outcome(config) == ZELF_OK && open.tunnels == 1 && strcmp(open.target, target) == 0,
            "a session comes through a proxy, which sees only where to: %s", open.target);

    config = tls_config();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", closed.port);
    zelf_config_set_proxy(config, url);
    PROMISE(outcome(config) == ZELF_ERROR_PROXY && closed.refusals == 1,
            "a proxy that wants credentials is an error of its own");

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
        PROMISE(!zelf_client_new(config, &error)
                    && zelf_error_status(error) == ZELF_ERROR_INVALID_CONFIG
                    && strstr(zelf_error_message(error), "proxy")
                    && !strstr(zelf_error_message(error), "s3cr3t"),
                "a proxy that cannot be used is named, its password is not");
        zelf_error_free(error);
        zelf_config_free(config);
    }
}

static zelf_status through(const char *scheme, const char *credentials, struct proxy *proxy)
{
    zelf_config *config = tls_config();
    char url[128];
    snprintf(url, sizeof url, "%s://%s127.0.0.1:%d", scheme, credentials, proxy->port);
    zelf_config_set_proxy(config, url);
    zelf_config_set_connect_timeout_ms(config, 300);
    return outcome(config);
}

static void socks_proxies_are_used_when_set(void)
{
    struct proxy open, closed;
    double began;
    zelf_status status;

    proxy_start(&open, NULL);
    proxy_start(&closed, "user:pass");
    PROMISE(through("socks5", "", &open) == ZELF_OK && open.tunnels == 1 && open.names == 0,
            "with socks5 the name is looked up here: the proxy is given %s", open.target);
    PROMISE(through("socks5h", "", &open) == ZELF_OK && open.tunnels == 2 && open.names == 1
                && strcmp(open.target, "localhost") == 0,
            "with socks5h it is looked up by the proxy: %s", open.target);
    PROMISE(through("socks5h", "user:pass@", &closed) == ZELF_OK && closed.tunnels == 1,
            "credentials for a SOCKS proxy are sent");
    PROMISE(through("socks5h", "user:wrong@", &closed) == ZELF_ERROR_PROXY && closed.refusals == 1,
            "wrong ones are an error of the proxy");
    PROMISE(through("socks5h", "", &closed) == ZELF_ERROR_PROXY && closed.refusals == 2,
            "and so is having none");
    open.refuses = 1;
    PROMISE(through("socks5", "", &open) == ZELF_ERROR_PROXY, "a refusal is an error of the proxy");
    open.refuses = 0;
    open.hangs = 1;
    began = seconds_now();
    status = through("socks5", "", &open);
    PROMISE(status == ZELF_ERROR_TIMEOUT && seconds_now() - began < 2,
            "a proxy that hangs meets the limit for connecting");
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
    PROMISE(zelf_error_status(error) == ZELF_ERROR_CONNECT && zelf_error_is_retryable(error)
                && strstr(zelf_error_message(error), "the proxy 127.0.0.1:1 "),
            "a proxy that is not there is named, and not the server: %s", zelf_error_message(error));
    zelf_error_free(error);
    zelf_client_free(client);
}

static void a_kill_does_not_use_what_another_call_kept(void)
{
    struct proxy open;
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
    PROMISE(kept == 1 && own == 2,
            "through a proxy too, what must not be sent twice has a connection of its own");
    zelf_session_options_free(kill);
    zelf_client_free(client);
}

static void a_call_that_hangs_at_a_proxy_is_cancelled(void)
{
    static const char *const schemes[] = {"http", "socks5", "socks5h"};
    size_t i;
    for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct record record = {0};
        /* Its thread goes on. */
        static struct proxy proxies[3], *hangs;
        char url[128];
        zelf_client *client;
        double began;

        hangs = &proxies[i];
        proxy_start(hangs, NULL);
        hangs->hangs = 1;
        snprintf(url, sizeof url, "%s://127.0.0.1:%d", schemes[i], hangs->port);
        client = client_through(url);
        start(client, &record, "hangs-x");
        while (!hangs->target[0]) usleep(1000);
        began = seconds_now();
        zelf_call_cancel(record.call);
        PROMISE(await(&record, 1, 5) && exactly_once(&record, 1, ZELF_ERROR_CANCELLED) == 1
                    && record.ended - began < 0.05,
                "a call that hangs at a proxy (%s) is cancelled within 50 ms: %.1f ms", schemes[i],
                (record.ended - began) * 1e3);
        zelf_client_shutdown(client, 1000);
        release(&record, 1);
        zelf_client_free(client);
        hangs->hangs = 0;
    }
}

static void *call_on_small_stack(void *client)
{
    return create(client, "small-stack-x", NULL);
}

static void a_small_stack_is_enough(void)
{
    struct proxy open;
    char url[128];
    zelf_client *client;
    pthread_attr_t attributes;
    pthread_t thread;
    void *session = NULL;

    proxy_start(&open, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", open.port);
    client = client_through(url);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_create(&thread, &attributes, call_on_small_stack, client);
    pthread_join(thread, &session);
    PROMISE(session && open.tunnels == 1, "a stack of 128 KiB is enough for a call through a proxy");
    pthread_attr_destroy(&attributes);
    zelf_session_free(session);
    zelf_client_free(client);
}

int main(void)
{
    proxies_are_used_when_set();
    a_proxy_that_is_not_there_is_named();
    a_kill_does_not_use_what_another_call_kept();
    a_small_stack_is_enough();
    a_call_that_hangs_at_a_proxy_is_cancelled();
    socks_proxies_are_used_when_set();
    return check_failed;
}
