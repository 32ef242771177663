/* One list of promises for every way to the server: direct, and through each kind of proxy.
   Arguments add proxies: NAME=URL is a way, and NAME=URL=STATUS is a proxy that refuses. The
   sandbox closes idle connections after 600 ms. */
#include <signal.h>

#include "calls.h"
#include "proxy.h"

struct way {
    const char *name, *url; /* NULL: direct */
};

/* Returns settings for a way. base: a base URL, or NULL for the sandbox's. */
static zelf_config *settings(const struct way *way, const char *base)
{
    static char pem[65536];
    const char *files[2];
    size_t length = 0, i;
    zelf_config *config = tls_config();

    if (base) zelf_config_set_base_url(config, base);
    if (way->url) zelf_config_set_proxy(config, way->url);
    files[0] = need_env("ZELF_CA");
    files[1] = getenv("ZELF_PROXY_CA");
    for (i = 0; i < 2 && files[i]; i++) {
        FILE *file = fopen(files[i], "rb");
        if (!file) exit(1);
        length += fread(pem + length, 1, sizeof pem - length, file);
        fclose(file);
    }
    zelf_config_set_ca_file(config, NULL);
    zelf_config_set_ca_pem(config, pem, length);
    return config;
}

static zelf_client *client_of(zelf_config *config)
{
    zelf_error *error = NULL;
    zelf_client *client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return client;
}

static zelf_client *client_for(const struct way *way) { return client_of(settings(way, NULL)); }

/* Returns the status of one call. Its error is kept until the next call. */
static zelf_error *last_error;

static zelf_status call(zelf_client *client, const char *identifier, int kills)
{
    zelf_session_options *options = options_for(identifier);
    zelf_session *session;
    zelf_status status;

    zelf_error_free(last_error);
    last_error = NULL;
    zelf_session_options_set_kill_session(options, kills);
    session = zelf_session_create(client, options, &last_error);
    status = session ? ZELF_OK : zelf_error_status(last_error);
    zelf_session_free(session);
    zelf_session_options_free(options);
    return status;
}

static zelf_status call_once(zelf_client *client)
{
    zelf_status status = call(client, "networks-x", 0);
    zelf_client_free(client);
    return status;
}

static const char *said(void) { return last_error ? zelf_error_message(last_error) : "-"; }

/* Returns the number of connections that the requests for a session used. The sandbox writes the
   number of a connection before the path. */
static int connections_used(void)
{
    static const char key[] = "\"connection\":", path[] = "\"/api/sessions\"";
    int numbers[64], count = 0, number = 0, i;
    const char *at;
    sandbox("GET", "/sandbox/requests", "");
    for (at = http_answer; (at = strchr(at, '"')) != NULL && count < 63; at++) {
        if (strncmp(at, key, strlen(key)) == 0) number = atoi(at + strlen(key));
        if (strncmp(at, path, strlen(path)) != 0) continue;
        numbers[count] = number;
        for (i = 0; numbers[i] != number; i++) {}
        count += i == count;
    }
    return count;
}

#define OF_SESSIONS "\"path\":\"/api/sessions\""

static void a_session_comes(const struct way *way)
{
    PROMISE(call_once(client_for(way)) == ZELF_OK, "%s: a session comes: %s", way->name, said());
}

static void a_session_comes_from_an_ipv6_address(const struct way *way)
{
    /* This server only forwards from [::1] to the sandbox. */
    static int server;
    char url[64];
    if (!server) {
        const char *port = strrchr(need_env("ZELF_HTTPS"), ':') + 1;
        server = forward_start(AF_INET6, atoi(port));
    }
    snprintf(url, sizeof url, "https://[::1]:%d", server);
    PROMISE(call_once(client_of(settings(way, url))) == ZELF_OK,
            "%s: a session comes from a server at an IPv6 address: %s", way->name, said());
}

static void a_kept_connection_is_used_again(const struct way *way)
{
    zelf_client *client = client_for(way);
    int i, created = 0;
    forget_requests();
    for (i = 0; i < 4; i++) created += call(client, "networks-x", 0) == ZELF_OK;
    PROMISE(created == 4 && connections_used() == 1,
            "%s: a kept connection is used again: %d calls, %d connections", way->name, created,
            connections_used());
    zelf_client_free(client);
}

static void a_dead_connection_is_replaced(const struct way *way)
{
    zelf_client *client = client_for(way);
    zelf_status first = call(client, "networks-x", 0), second;
    forget_requests();
    fault("{\"kind\":\"reset\",\"stage\":\"request\",\"times\":1," OF_SESSIONS "}");
    second = call(client, "networks-x", 0);
    fault(NULL);
    PROMISE(first == ZELF_OK, "%s: a first call keeps its connection", way->name);
    PROMISE(second == ZELF_OK, "%s: a call succeeds when the kept connection breaks: %s", way->name,
            said());
    PROMISE(requests_arrived() == 2, "%s: its one attempt sends two requests: %d", way->name,
            requests_arrived());
    usleep(900000);
    PROMISE(call(client, "networks-x", 0) == ZELF_OK,
            "%s: a kept connection that the server has closed is replaced: %s", way->name, said());
    zelf_client_free(client);
}

static void a_kill_has_its_own_connection(const struct way *way)
{
    zelf_client *client = client_for(way);
    zelf_status before, kill, after;
    forget_requests();
    before = call(client, "networks-killed-x", 0);
    kill = call(client, "networks-killed-x", 1);
    PROMISE(before == ZELF_OK, "%s: a first call keeps its connection", way->name);
    PROMISE(kill == ZELF_OK, "%s: a kill after it succeeds: %s", way->name, said());
    PROMISE(connections_used() == 2, "%s: a kill makes a new connection: %d", way->name,
            connections_used());
    after = call(client, "networks-killed-x", 0);
    PROMISE(after == ZELF_OK && connections_used() == 2,
            "%s: the next call uses the connection of the kill", way->name);
    zelf_client_free(client);
}

static void a_kill_is_not_sent_twice(const struct way *way)
{
    zelf_config *config = settings(way, NULL);
    zelf_client *client;
    zelf_status status;
    zelf_config_set_max_attempts(config, 3);
    client = client_of(config);
    forget_requests();
    fault("{\"kind\":\"reset\",\"stage\":\"answer\"," OF_SESSIONS "}");
    status = call(client, "networks-killed-x", 1);
    fault(NULL);
    PROMISE(status == ZELF_ERROR_CONNECTION_LOST && requests_arrived() == 1,
            "%s: a kill that may have been carried out is not sent again: %d times", way->name,
            requests_arrived());
    zelf_client_free(client);
}

static void a_failure_that_passes_is_tried_again(const struct way *way)
{
    zelf_config *config = settings(way, NULL);
    zelf_status status;
    zelf_config_set_max_attempts(config, 3);
    fault("{\"kind\":\"answer\",\"status\":503,\"error\":\"busy\",\"times\":2," OF_SESSIONS "}");
    status = call_once(client_of(config));
    fault(NULL);
    PROMISE(status == ZELF_OK, "%s: a failure that passes is tried again: %s", way->name, said());
}

static void the_servers_refusal_is_heard(const struct way *way)
{
    zelf_status status;
    fault("{\"kind\":\"answer\",\"status\":403,\"error\":\"rejected\","
          "\"headers\":{\"Connection\":\"close\"}," OF_SESSIONS "}");
    status = call_once(client_for(way));
    fault(NULL);
    PROMISE(status == ZELF_ERROR_REJECTED_ORIGIN, "%s: the server's refusal has its status: %s",
            way->name, zelf_status_name(status));
    PROMISE(zelf_error_http_status(last_error) == 403, "%s: the error has the HTTP status",
            way->name);
    PROMISE(strcmp(zelf_error_server_message(last_error), "rejected") == 0,
            "%s: the error has the server's words", way->name);
    PROMISE(!strstr(said(), "proxy"), "%s: the message names no proxy: %s", way->name, said());
}

static void many_headers_are_no_obstacle(const struct way *way)
{
    zelf_status status;
    fault("{\"kind\":\"oversized_headers\",\"bytes\":6000,\"line\":50," OF_SESSIONS "}");
    status = call_once(client_for(way));
    fault(NULL);
    PROMISE(status == ZELF_OK, "%s: an answer may have 120 more headers: %s", way->name, said());
}

static void an_answer_may_come_in_pieces(const struct way *way)
{
    zelf_status status;
    fault("{\"kind\":\"drip\",\"ms\":0," OF_SESSIONS "}");
    status = call_once(client_for(way));
    fault(NULL);
    PROMISE(status == ZELF_OK, "%s: an answer may come byte by byte: %s", way->name, said());
}

static void a_silent_server_meets_the_time_limit(const struct way *way)
{
    zelf_config *config = settings(way, NULL);
    double began, took;
    zelf_status status;
    zelf_config_set_timeout_ms(config, 600);
    fault("{\"kind\":\"stall\",\"stage\":\"request\"," OF_SESSIONS "}");
    began = seconds_now();
    status = call_once(client_of(config));
    took = seconds_now() - began;
    fault(NULL);
    PROMISE(status == ZELF_ERROR_TIMEOUT, "%s: a silent server is ZELF_ERROR_TIMEOUT: %s", way->name,
            zelf_status_name(status));
    PROMISE(took > 0.59, "%s: the call waits until its time limit: %.2f s", way->name, took);
    PROMISE(took < AT_ONCE, "%s: it ends at its time limit: %.2f s", way->name, took);
    PROMISE(!strstr(said(), "the proxy"), "%s: the message names no proxy: %s", way->name, said());
}

static void certificates_are_checked(const struct way *way)
{
    zelf_config *config;
    zelf_status status;

    fault("{\"kind\":\"certificate\",\"wrong\":\"expired\"}");
    status = call_once(client_for(way));
    fault(NULL);
    PROMISE(status == ZELF_ERROR_TLS, "%s: an expired certificate is refused: %s", way->name,
            said());
    config = settings(way, NULL);
    zelf_config_set_ca_pem(config, NULL, 0);
    zelf_config_set_ca_file(config, need_env("ZELF_OTHER_CA"));
    PROMISE(call_once(client_of(config)) == ZELF_ERROR_TLS,
            "%s: a certificate of another authority is refused: %s", way->name, said());
}

static void pins_are_checked(const struct way *way)
{
    zelf_config *config = settings(way, NULL);
    zelf_config_add_pin(config, need_env("ZELF_PIN"));
    PROMISE(call_once(client_of(config)) == ZELF_OK, "%s: the pinned key is accepted: %s",
            way->name, said());
    config = settings(way, NULL);
    zelf_config_add_pin(config, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    PROMISE(call_once(client_of(config)) == ZELF_ERROR_PIN_MISMATCH,
            "%s: another key is not: %s", way->name, said());
}

static void asynchronous_calls_come_back(const struct way *way)
{
    zelf_client *client = client_for(way);
    struct record records[8];
    int i;
    memset(records, 0, sizeof records);
    for (i = 0; i < 8; i++) {
        char identifier[40];
        snprintf(identifier, sizeof identifier, "networks-async-%d-x", i);
        start(client, &records[i], identifier);
    }
    PROMISE(await(records, 8, 10) && exactly_once(records, 8, ZELF_OK) == 8,
            "%s: eight asynchronous calls come back: %d", way->name,
            exactly_once(records, 8, ZELF_OK));
    zelf_client_shutdown(client, 1000);
    release(records, 8);
    zelf_client_free(client);
}

static void an_asynchronous_call_is_cancelled(const struct way *way)
{
    int measured, exact = 0;
    double took = 1;
    fault("{\"kind\":\"stall\",\"stage\":\"request\"," OF_SESSIONS "}");
    for (measured = 0; measured < MEASUREMENTS && took >= 0.05; measured++) {
        zelf_client *client = client_for(way);
        struct record record;
        memset(&record, 0, sizeof record);
        forget_requests();
        start(client, &record, "networks-x");
        while (requests_arrived() == 0) usleep(1000);
        took = cancelled_after(&record);
        exact += exactly_once(&record, 1, ZELF_ERROR_CANCELLED);
        zelf_client_shutdown(client, 20000);
        release(&record, 1);
        zelf_client_free(client);
    }
    fault(NULL);
    PROMISE(exact == measured, "%s: a call under way is cancelled, and calls back once", way->name);
    PROMISE(took < 0.05, "%s: that takes less than 50 ms: %.1f ms", way->name, took * 1e3);
}

static void a_server_that_is_not_there_may_come_back(const struct way *way)
{
    zelf_status status = call_once(client_of(settings(way, "https://127.0.0.1:1")));
    PROMISE(status == ZELF_ERROR_CONNECT || (way->url && status == ZELF_ERROR_SERVER),
            "%s: a server that does not listen has its status: %s", way->name,
            zelf_status_name(status));
    PROMISE(zelf_error_is_retryable(last_error), "%s: the error is retryable", way->name);
    PROMISE(!strstr(said(), "proxy") == !way->url, "%s: the message names a proxy if there is one: %s",
            way->name, said());
}

static void (*const promises[])(const struct way *) = {
    a_session_comes,
    a_session_comes_from_an_ipv6_address,
    a_kept_connection_is_used_again,
    a_dead_connection_is_replaced,
    a_kill_has_its_own_connection,
    a_kill_is_not_sent_twice,
    a_failure_that_passes_is_tried_again,
    the_servers_refusal_is_heard,
    many_headers_are_no_obstacle,
    an_answer_may_come_in_pieces,
    a_silent_server_meets_the_time_limit,
    certificates_are_checked,
    pins_are_checked,
    asynchronous_calls_come_back,
    an_asynchronous_call_is_cancelled,
    a_server_that_is_not_there_may_come_back,
};

static void check_way(const struct way *way)
{
    size_t i;
    for (i = 0; i < sizeof promises / sizeof *promises; i++) promises[i](way);
}

/* Checks a proxy that refuses: NAME=URL=STATUS. */
static void check_refusal(const struct way *way, int http_status)
{
    zelf_status status = call_once(client_for(way));
    PROMISE(status == ZELF_ERROR_PROXY, "%s: a refusal of the proxy is ZELF_ERROR_PROXY: %s",
            way->name, zelf_status_name(status));
    PROMISE(zelf_error_http_status(last_error) == http_status,
            "%s: the error has the proxy's HTTP status: %d", way->name,
            zelf_error_http_status(last_error));
    PROMISE(!zelf_error_is_retryable(last_error), "%s: the error is not retryable", way->name);
    PROMISE(strstr(said(), "the proxy") != NULL, "%s: the message names the proxy: %s", way->name,
            said());
}

static int pipes;

static void count_pipe(int signal)
{
    (void)signal;
    pipes++;
}

int main(int count, char **arguments)
{
    static struct proxy connect, socks;
    static char urls[3][64];
    struct way ways[5];
    int i;

    signal(SIGPIPE, count_pipe);
    proxy_start(&connect, NULL);
    proxy_start(&socks, NULL);
    snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%d", connect.port);
    snprintf(urls[1], sizeof urls[1], "socks5://127.0.0.1:%d", socks.port);
    snprintf(urls[2], sizeof urls[2], "socks5h://127.0.0.1:%d", socks.port);
    ways[0].name = "straight", ways[0].url = NULL;
    ways[1].name = "CONNECT over TCP", ways[1].url = urls[0];
    ways[2].name = "CONNECT over TLS", ways[2].url = need_env("ZELF_HTTPS");
    ways[3].name = "SOCKS 5", ways[3].url = urls[1];
    ways[4].name = "SOCKS 5 with names", ways[4].url = urls[2];
    for (i = 0; i < 5 && count == 1; i++) check_way(&ways[i]);
    for (i = 1; i < count; i++) {
        struct way way;
        char *status;
        way.name = strtok(arguments[i], "=");
        way.url = strtok(NULL, "=");
        status = strtok(NULL, "=");
        if (status)
            check_refusal(&way, atoi(status));
        else
            check_way(&way);
    }
    PROMISE(pipes == 0, "no way raises SIGPIPE: %d", pipes);
    zelf_error_free(last_error);
    return check_failed;
}
