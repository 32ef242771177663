/* Bodies of requests and responses: byte by byte, in any framing, through any kind of proxy, their
   memory use, and that no copy remains. The sandbox takes 100000 bytes on the service's routes.
   With the argument "proxies", only the ways through proxies. */
#include <sys/mman.h>

#include "allocator.h"
#include "proxy.h"
#include "sends.h"

#define MB2 2000000
#define MB10 10000000

static const char *const framings[] = {"length", "chunked", "until_close"};

/* Checks the bytes of the sandbox: byte i has a known value. */
static int are_right(const unsigned char *bytes, size_t length)
{
    size_t i;
    for (i = 0; i < length; i++)
        if (bytes[i] != i % 251) return 0;
    return 1;
}

/* Returns a body with another pattern, so that it cannot be confused with a response. */
static char *body_of(size_t length)
{
    static char body[MB10];
    size_t i;
    for (i = 0; i < length; i++) body[i] = (char)(i % 241 + i / 1000 % 7);
    return body;
}

static zelf_client *client_over(const char *base, const char *proxy)
{
    zelf_config *config = tls_config();
    zelf_error *error = NULL;
    zelf_client *client;
    zelf_config_set_base_url(config, base);
    zelf_config_set_proxy(config, proxy);
    zelf_config_set_timeout_ms(config, 20000);
    client = zelf_client_new(config, &error);
    zelf_config_free(config);
    if (!client) {
        printf("not ok - a client can be made: %s\n", zelf_error_message(error));
        exit(1);
    }
    return client;
}

/* Sends a body with a blocking or an asynchronous call. */
static zelf_response *come_back(zelf_session_provider *provider, const zelf_request *request,
                                int is_async)
{
    struct sent sent = {0};
    if (!is_async) return send_it(provider, request);
    begin_sending(provider, request, &sent);
    await_all(&sent, 1, 60);
    if (!sent.response) printf("# %s\n", sent.message);
    zelf_call_free(sent.call);
    return sent.response;
}

static void both_ways(const char *way, const char *base, const char *proxy, size_t length)
{
    zelf_client *client = client_over(base, proxy);
    zelf_session_provider *provider = warm_provider(client, "bodies-x");
    int is_async, framing;

    for (is_async = 0; is_async < 2; is_async++)
        for (framing = 0; framing < 3; framing++) {
            zelf_request *down, *up;
            zelf_response *response;
            char target[128], how[128];
            int down_right, up_right, status;

            snprintf(target, sizeof target, "/sandbox/bytes/%lu?framing=%s", (unsigned long)length,
                     framings[framing]);
            down = request_to("GET", target);
            snprintf(target, sizeof target, "/sandbox/echo?framing=%s", framings[framing]);
            up = request_to("POST", target);
            zelf_request_set_body(up, body_of(length), length, "application/octet-stream");
            zelf_request_set_max_response_bytes(down, length);
            zelf_request_set_max_response_bytes(up, length);
            zelf_request_set_timeout_ms(down, 60000);
            zelf_request_set_timeout_ms(up, 60000);
            response = come_back(provider, down, is_async);
            status = zelf_response_http_status(response);
            down_right = length_of(response) == length
                         && are_right(zelf_response_body(response, NULL), length)
                         && text_of(response)[length] == '\0';
            zelf_response_free(response);
            response = come_back(provider, up, is_async);
            up_right = length_of(response) == length
                       && memcmp(text_of(response), body_of(length), length) == 0;
            snprintf(how, sizeof how, "%s (%s%s)", way, framings[framing],
                     is_async ? ", asynchronously" : "");
            PROMISE(status == 200, "a response of %lu bytes is a 200 %s: %d", (unsigned long)length,
                    how, status);
            PROMISE(down_right, "all %lu bytes of a response are right %s", (unsigned long)length,
                    how);
            PROMISE(up_right, "%lu bytes are sent and come back unchanged %s", (unsigned long)length,
                    how);
            zelf_response_free(response);
            zelf_request_free(down);
            zelf_request_free(up);
        }
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* The lengths that can be tested in reasonable time. */
static const size_t lengths[] = {MB2, MB10};
static int lengths_count(void) { return getenv("ZELF_QUICK") ? 1 : 2; }

static void straight(void)
{
    int i;
    for (i = 0; i < lengths_count(); i++) {
        both_ways("over HTTP", need_env("ZELF_HTTP"), NULL, lengths[i]);
        both_ways("over TLS", need_env("ZELF_HTTPS"), NULL, lengths[i]);
    }
}

static void through_proxies(void)
{
    static struct proxy connect_proxy, socks_proxy;
    char connect_url[64], socks_url[64], socks_names_url[64];
    const char *https = need_env("ZELF_HTTPS");
    int i;

    proxy_start(&connect_proxy, NULL);
    proxy_start(&socks_proxy, NULL);
    snprintf(connect_url, sizeof connect_url, "http://127.0.0.1:%d", connect_proxy.port);
    snprintf(socks_url, sizeof socks_url, "socks5://127.0.0.1:%d", socks_proxy.port);
    snprintf(socks_names_url, sizeof socks_names_url, "socks5h://127.0.0.1:%d", socks_proxy.port);
    for (i = 0; i < lengths_count(); i++) {
        both_ways("through an HTTP proxy", https, connect_url, lengths[i]);
        /* The sandbox is also a proxy. */
        both_ways("through an HTTPS proxy", https, https, lengths[i]);
        both_ways("through SOCKS 5", https, socks_url, lengths[i]);
        both_ways("through SOCKS 5 with names", https, socks_names_url, lengths[i]);
    }
    PROMISE(connect_proxy.tunnels > 0, "the HTTP proxy was used");
    PROMISE(socks_proxy.tunnels > 0, "the SOCKS proxy was used");
    PROMISE(socks_proxy.names > 0, "the SOCKS proxy was given names");
}

/* Sends bodies in pieces of odd sizes. */
static void in_pieces(void)
{
    static const char *const queries[] = {"piece=1", "piece=7&framing=chunked",
                                          "piece=16384&framing=chunked", "piece=999",
                                          "piece=500&pause_ms=1&framing=until_close"};
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "pieces-x");
    int i, right = 0;
    for (i = 0; i < 10; i++) {
        char target[128];
        zelf_request *request;
        zelf_response *response;
        snprintf(target, sizeof target, "/sandbox/bytes/20000?%s", queries[i / 2]);
        request = request_to("GET", target);
        response = come_back(provider, request, i % 2);
        right += length_of(response) == 20000 && are_right(zelf_response_body(response, NULL), 20000);
        zelf_response_free(response);
        zelf_request_free(request);
    }
    PROMISE(right == 10, "a body that comes in pieces is whole: %d of 10", right);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- A server that stops reading a body ---- */

struct refuser {
    int listener, port, closes, is_over;
    pthread_t thread;
};

/* Answers a request before all of it has arrived, and reads no more. */
static void *refuses(void *of)
{
    static const char says[] = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
    struct refuser *refuser = of;
    char some[1000];
    int client = accept(refuser->listener, NULL, NULL);
    if (recv(client, some, sizeof some, 0) > 0) send(client, says, sizeof says - 1, MSG_NOSIGNAL);
    while (!refuser->closes && !get_flag(&refuser->is_over)) usleep(1000);
    /* The unread bytes turn the close into a RST. */
    close(client);
    return NULL;
}

static void an_answer_in_the_middle_of_an_upload(void)
{
    int closes;
    for (closes = 0; closes < 2; closes++) {
        struct refuser refuser = {0};
        zelf_client *client;
        zelf_request *request = request_to("POST", "/large");
        zelf_response *response;
        const char *then = closes ? "closes" : "reads no more";
        char base[64];
        double began, took;

        refuser.closes = closes;
        refuser.listener = listen_on(AF_INET, &refuser.port);
        pthread_create(&refuser.thread, NULL, refuses, &refuser);
        snprintf(base, sizeof base, "http://127.0.0.1:%d", refuser.port);
        client = client_over(base, NULL);
        zelf_request_set_body(request, body_of(MB10), MB10, NULL);
        began = seconds_now();
        response = zelf_session_send(client, NULL, request, next_error());
        took = seconds_now() - began;
        PROMISE(zelf_response_http_status(response) == 413,
                "a 413 in the middle of an upload is the response of a server that %s: %d", then,
                zelf_response_http_status(response));
        PROMISE(strcmp(text_of(response), "too large") == 0,
                "the response of a server that %s has its body: %s", then, text_of(response));
        PROMISE(took < AT_ONCE, "the response of a server that %s is not waited for: %.2f s", then,
                took);
        zelf_response_free(response);
        zelf_request_free(request);
        zelf_client_free(client);
        set_flag(&refuser.is_over, 1);
        pthread_join(refuser.thread, NULL);
        close(refuser.listener);
    }
}

static void the_service_refuses_a_large_body(void)
{
    int i;
    for (i = 0; i < 4; i++) {
        zelf_client *client = client_over(need_env(i / 2 ? "ZELF_HTTPS" : "ZELF_HTTP"), NULL);
        zelf_session_provider *provider = warm_provider(client, "large-x");
        zelf_request *request = request_to("POST", "/api/zelf-keys/store/password");
        zelf_response *response;
        char how[64];
        double began, took;
        int next;

        snprintf(how, sizeof how, "over %s%s", i / 2 ? "TLS" : "HTTP",
                 i % 2 ? ", asynchronously" : "");

        zelf_request_set_body(request, body_of(MB10), MB10, "application/json");
        forget_all();
        began = seconds_now();
        response = come_back(provider, request, i % 2);
        took = seconds_now() - began;
        next = outcome_at(provider, "POST", "/sandbox/echo");
        PROMISE(zelf_response_http_status(response) == 413,
                "a body over the service's limit is a 413 %s: %d", how,
                zelf_response_http_status(response));
        PROMISE(took < AT_ONCE, "the 413 ends the request before its time limit %s: %.2f s", how,
                took);
        PROMISE(strstr(zelf_response_server_message(response), "too large") != NULL,
                "the 413 has the server's words %s", how);
        PROMISE(arrived_at("/api/zelf-keys/store/password") == 1, "the request is sent once %s", how);
        PROMISE(carried_out("POST /api/zelf-keys/store/password") == 0,
                "the request is not carried out %s", how);
        PROMISE(next == 200, "the next request succeeds %s: %d", how, next);
        zelf_response_free(response);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

/* ---- The memory use of a response ---- */

/* Sanitizers replace malloc. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(ZELF_RACES)
static long live, peak;

/* Set while bodies are freed: how many blocks contained a part of one, and how many were
   checked. */
static int is_looking, had_some, looked_at;
static int has_some(const volatile unsigned char *at, size_t length);

static void *counted(void *block)
{
    long now = __sync_add_and_fetch(&live, (long)malloc_usable_size(block)), most = peak;
    while (now > most && !__sync_bool_compare_and_swap(&peak, most, now)) most = peak;
    return block;
}

void *malloc(size_t size) { return counted(real_malloc(size)); }
void *calloc(size_t count, size_t size) { return counted(real_calloc(count, size)); }

void free(void *block)
{
    if (is_looking && block) {
        looked_at++;
        had_some += has_some(block, malloc_usable_size(block)) > 0;
    }
    __sync_fetch_and_sub(&live, (long)malloc_usable_size(block));
    real_free(block);
}

void *realloc(void *old, size_t size)
{
    void *block = malloc(size);
    size_t length = malloc_usable_size(old);
    if (old) memcpy(block, old, length < size ? length : size);
    free(old);
    return block;
}

static void a_response_costs_its_size(void)
{
    static const struct {
        const char *target;
        size_t length;
    } responses[] = {{"/api/zelf-keys/list", 2000000},
                     {"/sandbox/bytes/100", 100},
                     {"/sandbox/bytes/8000000", 8000000}};
    int i, tls, is_async;
    for (i = 0; i < 3; i++)
        for (tls = 0; tls < 2; tls++)
            for (is_async = 0; is_async < 2; is_async++) {
                zelf_client *client = client_over(need_env(tls ? "ZELF_HTTPS" : "ZELF_HTTP"), NULL);
                zelf_session_provider *provider = warm_provider(client, "cost-x");
                zelf_request *request = request_to("GET", responses[i].target);
                zelf_request *small = request_to("GET", "/sandbox/bytes/1");
                zelf_response *response;
                long before, after, cost;

                /* This creates the thread and the connection first. */
                zelf_response_free(come_back(provider, small, is_async));
                before = live;
                peak = before;
                response = come_back(provider, request, is_async);
                cost = peak - before;
                after = live - before;
                PROMISE(length_of(response) == responses[i].length,
                        "a response of %lu bytes has its length: %lu",
                        (unsigned long)responses[i].length, (unsigned long)length_of(response));
                if (!getenv("ZELF_QUICK"))
                    PROMISE(cost <= (long)responses[i].length + 65536,
                            "a response of %lu bytes costs at most 64 KiB more %s%s: %ld, then %ld",
                            (unsigned long)responses[i].length, tls ? "over TLS" : "over HTTP",
                            is_async ? ", asynchronously" : "", cost - (long)responses[i].length,
                            after - (long)responses[i].length);
                zelf_response_free(response);
                zelf_request_free(request);
                zelf_request_free(small);
                zelf_session_provider_free(provider);
                zelf_client_free(client);
            }
}

static void a_body_that_is_sent_costs_its_size(void)
{
    int i;
    for (i = 0; i < 4; i++) {
        zelf_client *client = client_over(need_env(i % 2 ? "ZELF_HTTPS" : "ZELF_HTTP"), NULL);
        zelf_session_provider *provider = warm_provider(client, "sent-cost-x");
        zelf_request *request = request_to("POST", "/sandbox/bytes/1");
        long before, cost;

        zelf_request_set_body(request, body_of(1), 1, NULL);
        zelf_response_free(come_back(provider, request, i / 2));
        zelf_request_set_body(request, body_of(MB10), MB10, NULL);
        before = live;
        peak = before;
        zelf_response_free(come_back(provider, request, i / 2));
        cost = peak - before;
        PROMISE(cost <= 131072 || getenv("ZELF_QUICK"),
                "to send a body of 10 MB costs 128 KiB at most %s%s: %ld",
                i % 2 ? "over TLS" : "over HTTP", i / 2 ? ", asynchronously" : "", cost);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

/* ---- Copies of a body ---- */

/* The pattern occurs only in bodies: it is never stored whole in this program. */
static unsigned char secret(size_t i) { return (unsigned char)((i % 64 * 37 + 11) ^ 0xa5); }

/* Returns how many times 16 bytes of the pattern occur. */
static int has_some(const volatile unsigned char *at, size_t length)
{
    size_t i;
    int count = 0;
    for (i = 0; i + 16 <= length; i++) {
        size_t same;
        for (same = 0; same < 16 && at[i + same] == secret(same); same++) {}
        count += same == 16;
    }
    return count;
}

/* Returns how many times it occurs in all allocatable memory: mappings without a name, and
   [heap]. */
static int found_in_memory(void)
{
    static char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to, inode;
        char may[8], name[256] = "";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %255s", &from, &to, may, &inode, name) < 4) continue;
        if (may[0] == 'r' && may[1] == 'w' && !inode && (!name[0] || strcmp(name, "[heap]") == 0))
            found += has_some((const unsigned char *)from, to - from);
    }
    fclose(maps);
    return found;
}

static const size_t secret_lengths[] = {300, 15000, 100000, MB2};

/* Returns a request whose body is the pattern. No copy of the body is left in this program. */
static zelf_request *secret_request(size_t length, const char *framing)
{
    unsigned char *body = mmap(NULL, MB2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    zelf_request *request;
    char target[64];
    size_t i;
    snprintf(target, sizeof target, "/sandbox/echo?framing=%s", framing);
    request = request_to("POST", target);
    for (i = 0; i < length; i++) body[i] = secret(i);
    zelf_request_set_body(request, body, length, NULL);
    memset(body, 0, MB2);
    munmap(body, MB2);
    return request;
}

/* Uses plain HTTP, because the buffers of the TLS library are not wiped. */
static void nothing_is_left_of_a_body(void)
{
    int i, framing;
    for (i = 0; i < 4; i++)
        for (framing = 0; framing < 3; framing++) {
            zelf_client *client = client_over(need_env("ZELF_HTTP"), NULL);
            zelf_session_provider *provider = warm_provider(client, "left-x");
            zelf_request *request = secret_request(secret_lengths[i], framings[framing]);
            zelf_response *response = send_it(provider, request);
            int there = length_of(response) == secret_lengths[i] ? found_in_memory() : -1, left;
            zelf_response_free(response);
            zelf_request_free(request);
            left = found_in_memory();
            PROMISE(there > 0 && left == 0,
                    "nothing is left in memory of a body of %lu bytes that went out and came back (%s): "
                    "%d, then %d", (unsigned long)secret_lengths[i], framings[framing], there, left);
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
}

static void freed_bodies_are_wiped(void)
{
    int i, is_async, framing;
    for (i = 0; i < 4; i++)
        for (is_async = 0; is_async < 2; is_async++)
            for (framing = 0; framing < 3; framing++) {
                zelf_client *client = new_client();
                zelf_session_provider *provider = warm_provider(client, "freed-x");
                zelf_request *request = secret_request(secret_lengths[i], framings[framing]);
                zelf_response *response = come_back(provider, request, is_async);
                int is_there = length_of(response) == secret_lengths[i];
                char which[64];
                looked_at = had_some = 0;
                is_looking = 1;
                zelf_response_free(response);
                zelf_request_free(request);
                is_looking = 0;
                snprintf(which, sizeof which, "%lu bytes (%s%s)", (unsigned long)secret_lengths[i],
                         framings[framing], is_async ? ", asynchronously" : "");
                PROMISE(is_there, "a body comes back whole: %s", which);
                PROMISE(looked_at >= 2, "a request and a response are freed: %s: %d blocks", which,
                        looked_at);
                PROMISE(had_some == 0, "they are wiped before they are freed: %s: %d are not", which,
                        had_some);
                zelf_session_provider_free(provider);
                zelf_client_free(client);
            }
}
#else
static void a_response_costs_its_size(void) {}
static void a_body_that_is_sent_costs_its_size(void) {}
static void nothing_is_left_of_a_body(void) {}
static void freed_bodies_are_wiped(void) {}
#endif

int main(int count, char **arguments)
{
    /* The threads of the proxies still run at the end, which valgrind reports as a leak. */
    if (count > 1 && strcmp(arguments[1], "proxies") == 0) {
        through_proxies();
        zelf_error_free(send_error);
        return check_failed;
    }
    /* These come first, because they would find memory of the other tests. valgrind replaces
       malloc. */
    if (!getenv("ZELF_QUICK")) {
        nothing_is_left_of_a_body();
        freed_bodies_are_wiped();
    }
    a_response_costs_its_size();
    a_body_that_is_sent_costs_its_size();
    straight();
    in_pieces();
    an_answer_in_the_middle_of_an_upload();
    the_service_refuses_a_large_body();
    zelf_error_free(send_error);
    no_thread_is_left();
    return check_failed;
}
