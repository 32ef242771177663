/* Requests with a session: what is sent, what comes back, and what is refused. */
#include <errno.h>
#include <signal.h>

#include "children.h"
#include "proxy.h"
#include "raw.h"
#include "sends.h"

static const char *target_of(int i)
{
    static char targets[8][64];
    char *target = targets[i & 7];
    snprintf(target, sizeof targets[0], "/sandbox/echo?id=%d", i);
    return target;
}

static void a_request_has_its_response(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_for(client, "response-x");
    zelf_request *request = request_to("GET", "/api/tags/search?tagName=a.zelf");
    zelf_error *error = (zelf_error *)&client;
    zelf_response *response, *again;
    size_t length = 0;
    const char *body;

    forget_all();
    response = zelf_session_provider_send(provider, request, &error);
    body = zelf_response_body(response, &length);
    PROMISE(zelf_response_http_status(response) == 200 && error == (zelf_error *)&client,
            "a request has a response, and *error is not written");
    PROMISE(length == 100000 && body[length] == '\0' && strlen(body) == length
                && strstr(body, "GET /api/tags/search?tagName=a.zelf") != NULL,
            "its body is that of the target, and a NUL follows it: %lu", (unsigned long)length);
    again = zelf_session_provider_send(provider, request, &error);
    zelf_request_free(request);
    PROMISE(again && length_of(again) == length && memcmp(text_of(again), body, length) == 0
                && arrived_at("/api/tags/search?tagName=a.zelf") == 2,
            "a request can be sent again");
    PROMISE(times_in("/sandbox/requests", "\"connection\":") == 3
                && times_in("/sandbox/connections", "\"open\":1") == 1,
            "the session and the requests share one connection");
    zelf_session_provider_free(provider);
    zelf_client_free(client);
    PROMISE(strcmp(zelf_response_header(again, "content-length"), "100000") == 0
                && memcmp(text_of(again), body, length) == 0,
            "a response outlives the request, the provider and the client");
    zelf_response_free(response);
    zelf_response_free(again);
}

/* The routes of the service, with the sizes of their answers. */
static void each_route_has_its_response(void)
{
    static const struct {
        const char *method, *target;
        size_t size;
    } routes[] = {
        {"GET", "/api/ethereum/address/0x1", 1000},
        {"GET", "/api/solana/address/1/tokens", 1000},
        {"GET", "/api/avalanche/address/0x1", 1000},
        {"GET", "/api/asset/zns", 200000},
        {"POST", "/api/protected/rpc/ethereum", 1000},
        {"GET", "/api/tags/search?tagName=a.zelf", 100000},
        {"GET", "/api/zelf-ids/search?tagName=a.zelf", 27000},
        {"GET", "/api/tags/preview?tagName=a.zelf", 27000},
        {"POST", "/api/tags/preview-zelfproof", 27000},
        {"POST", "/api/tags/lease", 100000},
        {"POST", "/api/tags/decrypt", 100000},
        {"GET", "/api/zelf-name-service/v2/preview?zelfName=a.zelf", 27000},
        {"POST", "/api/zelf-name-service/v2/lease", 100000},
        {"POST", "/api/zelf-name-service/v2/decrypt", 100000},
        {"GET", "/api/zelf-keys/list", 2000000},
        {"POST", "/api/zelf-keys/store/password", 60000},
    };
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "routes-x");
    size_t i;
    for (i = 0; i < sizeof routes / sizeof *routes; i++) {
        static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}";
        zelf_request *request = request_to(routes[i].method, routes[i].target);
        zelf_response *response;
        if (strstr(routes[i].target, "/rpc/"))
            zelf_request_set_body(request, call, sizeof call - 1, "application/json");
        response = send_it(provider, request);
        PROMISE(zelf_response_http_status(response) == 200 && length_of(response) == routes[i].size,
                "%s %s has its response: %d, %lu bytes, %s", routes[i].method, routes[i].target,
                zelf_response_http_status(response), (unsigned long)length_of(response), why());
        zelf_response_free(response);
        zelf_request_free(request);
    }
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* The service says of a path that it does not have what it says of a bad token. */
static void a_path_that_does_not_exist_costs_no_session(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "no-such-path-x");
    zelf_request *missing = request_to("GET", "/sandbox/echo?id=missing");
    zelf_request *there = request_to("GET", "/api/tags/search?tagName=a.zelf");
    int i, refused = 0, fine = 0;

    fault("{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"protected\"}");
    forget_all();
    for (i = 0; i < 5; i++) {
        refused += outcome_of(send_it(provider, missing)) == 401;
        fine += outcome_of(send_it(provider, there)) == 200;
    }
    PROMISE(refused == 5 && fine == 5 && kills_arrived() == 0
                && times_in("/sandbox/requests", "\"path\":\"/api/sessions\"") == 1,
            "a path that does not exist is refused five times, and the session goes on: %d, %d, %d "
            "kills",
            refused, fine, kills_arrived());
    fault(NULL);
    zelf_request_free(missing);
    zelf_request_free(there);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void what_goes_out(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "goes-out-x");
    zelf_session *session = zelf_session_provider_get(provider, NULL);
    zelf_request *request = zelf_request_new("POST", "/sandbox/echo?id=%2F~&id=");
    zelf_response *response;
    char token[2048];
    static const char *const expected[] = {"[\"accept-encoding\",\"identity\"]",
                                           "[\"content-length\",\"5\"]",
                                           "[\"content-type\",\"text/x\"]", "[\"x-one\",\"b c\"]",
                                           "[\"accept\",\"*/*\"]"};
    unsigned i;
    int there = 0;

    zelf_request_set_body(request, "a\0b\0c", 5, "text/x");
    zelf_request_set_header(request, "X-One", "a");
    zelf_request_set_header(request, "x-ONE", "b c");
    zelf_request_set_header(request, "X-Two", "gone");
    zelf_request_set_header(request, "x-two", NULL);
    forget_all();
    response = send_it(provider, request);
    PROMISE(response && length_of(response) == 5 && memcmp(text_of(response), "a\0b\0c", 5) == 0,
            "a body may hold NULs");
    PROMISE(arrived_at("/sandbox/echo?id=%2F~&id=") == 1, "the target goes out as it is");
    snprintf(token, sizeof token, "\"%s\"", zelf_session_authorization(session));
    PROMISE(times_in("/sandbox/requests", token) == 1, "the token goes out, once");
    for (i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *lower, *object;
        sandbox("GET", "/sandbox/requests", "");
        for (lower = http_answer; *lower; lower++)
            if (*lower >= 'A' && *lower <= 'Z') *lower += 32;
        object = strstr(http_answer, expected[i]);
        if (!object) printf("# %s is not in %s\n", expected[i], http_answer);
        there += object != NULL;
    }
    PROMISE(there == 5, "with its headers, a header set twice once, and what the library adds");
    PROMISE(times_in("/sandbox/requests", "gone") == 0, "without one that was taken back");
    zelf_response_free(response);

    zelf_request_set_header(request, "Accept", "text/plain");
    zelf_request_set_body(request, "", 0, NULL);
    forget_all();
    response = send_it(provider, request);
    PROMISE(response && length_of(response) == 0 && text_of(response)[0] == '\0'
                && times_in("/sandbox/requests", "\"body_length\":0") == 1
                && times_in("/sandbox/requests", "text/x") == 0
                && times_in("/sandbox/requests", "*/*") == 0,
            "an empty body is a body, and the caller's Accept replaces the library's");
    zelf_response_free(response);
    zelf_request_set_body(request, NULL, 0, "text/x");
    forget_all();
    PROMISE(outcome_of(send_it(provider, request)) == 200
                && times_in("/sandbox/requests", "text/x") == 0,
            "NULL takes a body back, with its type");
    zelf_request_free(request);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void the_path_of_the_base_url_is_kept(void)
{
    char base[256];
    zelf_client *client;
    zelf_request *request = request_to("GET", "/c?d");
    snprintf(base, sizeof base, "%s/a/b/", need_env("ZELF_HTTPS"));
    client = client_against(base);
    forget_all();
    zelf_request_set_repeatable(request, false);
    zelf_response_free(zelf_session_send(client, NULL, request, next_error()));
    PROMISE(arrived_at("/a/b/c?d") == 1, "the target stands behind the base URL's path: %s", why());
    zelf_request_free(request);
    zelf_client_free(client);
}

/* The response to a request that is answered with these bytes. */
static zelf_response *response_of(zelf_client *client, const char *answer)
{
    zelf_request *request = request_to("GET", "/sandbox/echo");
    zelf_response *response;
    answer_with(answer, strlen(answer));
    response = zelf_session_send(client, NULL, request, next_error());
    zelf_request_free(request);
    fault(NULL);
    return response;
}

static void headers_are_found(void)
{
    zelf_client *client = new_client();
    zelf_response *response;
    const char *folded;

    response = response_of(client, "HTTP/1.1 200 OK\r\nX-One: \t first \t\r\nX-Two: a\r\n \t b\r\n"
                                   "x-one: second\r\nX-Empty:\r\nContent-Length: 3\r\n\r\nabc");
    folded = zelf_response_header(response, "X-Two");
    PROMISE(response && strcmp(zelf_response_header(response, "x-ONE"), "first") == 0,
            "a header is found in any case: the first, without the spaces around it");
    PROMISE(folded && folded[0] == 'a' && folded[strlen(folded) - 1] == 'b'
                && !strpbrk(folded, "\r\n"),
            "a folded value is one line");
    PROMISE(strcmp(zelf_response_header(response, "X-Empty"), "") == 0
                && !zelf_response_header(response, "X-Three")
                && !zelf_response_header(response, "") && !zelf_response_header(response, "X-On")
                && !zelf_response_header(response, NULL),
            "an empty value is \"\", and a missing one is NULL");
    zelf_response_free(response);
    zelf_client_free(client);
}

static void answers_without_a_body(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "bodiless-x");
    zelf_request *request = request_to("HEAD", "/sandbox/bytes/1000");
    zelf_response *response = send_it(provider, request);
    int accepted;

    PROMISE(response && length_of(response) == 0
                && strcmp(zelf_response_header(response, "Content-Length"), "1000") == 0,
            "HEAD has no body, whatever length is announced");
    zelf_response_free(response);
    zelf_request_free(request);
    sandbox("GET", "/sandbox/connections", "");
    accepted = atoi(strstr(http_answer, "accepted\":") + 10);
    request = request_to("GET", "/sandbox/bytes/5?status=204");
    response = send_it(provider, request);
    PROMISE(zelf_response_http_status(response) == 204 && length_of(response) == 0
                && zelf_response_body(response, NULL) != NULL,
            "204 has none either");
    zelf_response_free(response);
    zelf_request_free(request);
    PROMISE(outcome_at(provider, "GET", "/sandbox/bytes/7") == 200, "the next answer is its own");
    /* One is the control route's own. */
    sandbox("GET", "/sandbox/connections", "");
    PROMISE(atoi(strstr(http_answer, "accepted\":") + 10) <= accepted + 1,
            "and comes over the same connection");
    response = response_of(client, "HTTP/1.1 100 Continue\r\n\r\n"
                                   "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n"
                                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    PROMISE(response && strcmp(text_of(response), "ok") == 0
                && !zelf_response_header(response, "X-Early"),
            "interim answers are no response");
    zelf_response_free(response);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- What is refused before anything is sent ---- */

static zelf_session_provider *refusing;

/* Whether it is refused by name. Frees it. */
static int is_refused(zelf_request *request, const char *name)
{
    int blocking = outcome_of(send_it(refusing, request)) == -ZELF_ERROR_INVALID_ARGUMENT
                   && strstr(why(), name) != NULL;
    struct sent sent = {0};
    int asynchronous = !begin_sending(refusing, request, &sent)
                       && zelf_error_status(send_error) == ZELF_ERROR_INVALID_ARGUMENT
                       && strstr(why(), name) != NULL && sent.called == 0 && sent.destroyed == 0;
    if (!blocking || !asynchronous) printf("# %s: %s\n", name, why());
    zelf_request_free(request);
    return blocking && asynchronous;
}

static int is_refused_target(const char *target)
{
    return is_refused(zelf_request_new("GET", target), "target");
}

static int is_refused_header(const char *name, const char *value, const char *message)
{
    zelf_request *request = zelf_request_new("GET", "/x");
    zelf_request_set_header(request, name, value);
    return is_refused(request, message);
}

static char *repeated(char letter, size_t count)
{
    static char text[20000];
    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

static void what_cannot_be_sent_is_refused(void)
{
    static const char *const targets[] = {
        NULL, "", "api", "http://a.test/", "*", "/a b", "/a#b", "/a%", "/a%2", "/a%zz", "/a\"b",
        "/<a>", "/a\r\nX: y", "/a\tb", "/a\x7f", "/\xc3\xa4", "/\xff", "/a\\b", "/a^b", "/a`b",
        "/{a}", "/a|b", "/a?b[c]", "\t/a", " /a"};
    static const char *const methods[] = {NULL, "", "G T", "GET\r\n", "GE:T", "G\xc3\xa4T",
                                          "CONNECT", "A/B", "\"GET\""};
    static const char *const own[] = {
        "Host", "Origin", "User-Agent", "Authorization", "Content-Length", "Accept-Encoding",
        "Connection", "Transfer-Encoding", "Upgrade", "Expect", "TE", "Trailer", "Keep-Alive",
        "HTTP2-Settings", "Proxy-Connection", "Proxy-Authorization"};
    static const char *const names[] = {NULL, "", "X Y", "X:", "X\r\nY", "X\xc3\xa4", "X(Y)",
                                        "X\t"};
    static const char *const values[] = {"a\r\nX: y", "a\nb", "a\rb", "\x01", "\x7f", "\xc3\xa4",
                                         " a", "a ", "\ta", "a\t", " "};
    zelf_client *client = new_client();
    zelf_request *request;
    unsigned i;
    int refused;
    char lower[64], *at;

    refusing = provider_for(client, "refusing-x");
    forget_all();
    for (i = 0, refused = 0; i < sizeof targets / sizeof *targets; i++)
        refused += is_refused_target(targets[i]);
    refused += is_refused_target(repeated('/', 8193));
    PROMISE(refused == 26, "a target that HTTP forbids is refused, and one over 8192 bytes: %d",
            refused);
    for (i = 0, refused = 0; i < sizeof methods / sizeof *methods; i++)
        refused += is_refused(zelf_request_new(methods[i], "/x"), "method");
    PROMISE(refused == 9, "so is a method, and CONNECT: %d", refused);
    for (i = 0, refused = 0; i < sizeof own / sizeof *own; i++) {
        refused += is_refused_header(own[i], "1", own[i]);
        for (strcpy(lower, own[i]), at = lower; *at; at++)
            if (*at >= 'A' && *at <= 'Z') *at += 32;
        refused += is_refused_header(lower, "1", own[i]);
    }
    PROMISE(refused == 32, "the library's own headers are refused by name, in any case: %d",
            refused);
    for (i = 0, refused = 0; i < sizeof names / sizeof *names; i++)
        refused += is_refused_header(names[i], "1", "name of a header");
    PROMISE(refused == 8, "the name of a header is checked: %d", refused);
    for (i = 0, refused = 0; i < sizeof values / sizeof *values; i++)
        refused += is_refused_header("X-Value", values[i], "X-Value");
    refused += is_refused_header("X-Value", repeated('a', 8193), "X-Value");
    PROMISE(refused == 12, "and its value, which the message does not repeat: %d", refused);

    request = zelf_request_new("POST", "/x");
    zelf_request_set_body(request, "a", 1, "a\r\nb");
    refused = is_refused(request, "Content-Type");
    request = zelf_request_new("POST", "/x");
    zelf_request_set_body(request, NULL, 1, NULL);
    refused += is_refused(request, "body");
    request = zelf_request_new("POST", "/x");
    zelf_request_set_body(request, "a", 1, "a/b");
    zelf_request_set_header(request, "content-type", "a/b");
    refused += is_refused(request, "Content-Type");
    PROMISE(refused == 3, "a type that is no value, a body without bytes and two types are refused");
    request = zelf_request_new("GET", "/x");
    for (i = 0; i < 65; i++) {
        char name[16];
        snprintf(name, sizeof name, "X-%u", i);
        zelf_request_set_header(request, name, "1");
    }
    PROMISE(is_refused(request, "64"), "more than 64 headers are refused");
    PROMISE(requests_arrived() == 0 && times_in("/sandbox/requests", "\"method\"") == 0,
            "and nothing was sent, not even for a session");

    request = zelf_request_new("GET", NULL);
    zelf_request_free(request);
    request = zelf_request_new("M-SEARCH", repeated('/', 8192));
    zelf_request_set_repeatable(request, false);
    PROMISE(outcome_to(refusing, request) > 0, "a target of 8192 bytes is sent: %s", why());
    request = zelf_request_new("GET", "/sandbox/echo?id=-._~!$&'()*+,;=:@/?%AF");
    for (i = 0; i < 64; i++) {
        char name[16];
        snprintf(name, sizeof name, "X-%u", i);
        zelf_request_set_header(request, name, i ? "a\tb !~" : "");
    }
    PROMISE(outcome_to(refusing, request) > 0, "and all legal characters, and 64 headers: %s",
            why());
    zelf_session_provider_free(refusing);
    zelf_client_free(client);
}

static void null_is_fine_everywhere(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_for(client, "null-x");
    zelf_request *request = request_to("GET", "/x");
    size_t length = 7;

    zelf_request_set_header(NULL, "a", "b");
    zelf_request_set_body(NULL, "a", 1, "b");
    zelf_request_set_timeout_ms(NULL, 1);
    zelf_request_set_max_response_bytes(NULL, 1);
    zelf_request_set_repeatable(NULL, true);
    zelf_request_free(NULL);
    zelf_response_free(NULL);
    PROMISE(zelf_response_http_status(NULL) == 0 && !zelf_response_header(NULL, "a")
                && !zelf_response_header(NULL, NULL) && !zelf_response_server_message(NULL)
                && !zelf_response_body(NULL, &length) && length == 0
                && !zelf_response_body(NULL, NULL),
            "a NULL response has nothing");
    PROMISE(outcome_of(send_it(NULL, request)) == -ZELF_ERROR_INVALID_ARGUMENT
                && outcome_of(send_it(provider, NULL)) == -ZELF_ERROR_INVALID_ARGUMENT
                && outcome_of(zelf_session_send(NULL, NULL, request, next_error()))
                       == -ZELF_ERROR_INVALID_ARGUMENT
                && outcome_of(zelf_session_send(client, NULL, NULL, next_error()))
                       == -ZELF_ERROR_INVALID_ARGUMENT
                && !zelf_session_send(NULL, NULL, NULL, NULL)
                && !zelf_session_provider_send(NULL, NULL, NULL)
                && !zelf_session_provider_send_async(NULL, NULL, NULL, NULL, NULL, NULL),
            "a NULL provider, client and request are refused");
    zelf_request_free(request);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_response_has_a_limit(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "limit-x");
    static const char *const framings[] = {"length", "chunked", "until_close"};
    unsigned i;
    for (i = 0; i < 3; i++) {
        char target[128];
        zelf_request *request;
        int fits, limited, fits_again;
        snprintf(target, sizeof target, "/sandbox/bytes/70000?framing=%s", framings[i]);
        request = request_to("GET", target);
        zelf_request_set_max_response_bytes(request, 70000);
        fits = outcome_of(send_it(provider, request));
        zelf_request_set_max_response_bytes(request, 69999);
        forget_all();
        limited = outcome_of(send_it(provider, request));
        PROMISE(fits == 200 && limited == -ZELF_ERROR_RESPONSE_TOO_LARGE && arrived_at(target) == 1,
                "one byte over the limit is an error that is not repeated (%s): %d, %d", framings[i],
                fits, limited);
        zelf_request_set_max_response_bytes(request, 0);
        fits_again = outcome_of(send_it(provider, request));
        PROMISE(fits_again == 200, "0 brings the default limit back (%s)", framings[i]);
        zelf_request_free(request);
    }
    PROMISE(outcome_at(provider, "GET", "/sandbox/bytes/8388608") == 200
                && outcome_at(provider, "GET", "/sandbox/bytes/8388609")
                       == -ZELF_ERROR_RESPONSE_TOO_LARGE,
            "which is 8 MiB");
    PROMISE(strlen(why()) > 20 && outcome_at(provider, "GET", "/sandbox/bytes/10") == 200,
            "and the client goes on: %s", why());
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- zelf_session_send ---- */

static void a_session_is_sent_and_not_renewed(void)
{
    static const char *const refusals[] = {"not_active", "protected", "invalid_session",
                                           "search_limit"};
    static const int statuses[] = {403, 401, 401, 403};
    static const char *const words[] = {"Session is not active", "Protected resource",
                                        "Invalid session", "Search limit exceeded"};
    zelf_client *client = new_client();
    zelf_session *session = create(client, "once-x", NULL);
    zelf_request *request = request_to("GET", target_of(1));
    zelf_response *response;
    char json[128], token[2048];
    int i;

    forget_all();
    response = zelf_session_send(client, session, request, next_error());
    snprintf(token, sizeof token, "\"%s\"", zelf_session_authorization(session));
    PROMISE(zelf_response_http_status(response) == 200 && times_in("/sandbox/requests", token) == 1,
            "a session's token is sent");
    zelf_response_free(response);
    forget_all();
    response = zelf_session_send(client, NULL, request, next_error());
    PROMISE(zelf_response_http_status(response) == 200
                && times_in("/sandbox/requests", "uthorization") == 0,
            "without a session none is");
    zelf_response_free(response);
    for (i = 0; i < 4; i++) {
        snprintf(json, sizeof json,
                 "{\"kind\":\"refusal\",\"as\":\"%s\",\"path\":\"/sandbox/echo\"}", refusals[i]);
        fault(json);
        forget_all();
        response = zelf_session_send(client, session, request, next_error());
        PROMISE(zelf_response_http_status(response) == statuses[i]
                    && zelf_response_server_message(response)
                    && strstr(zelf_response_server_message(response), words[i])
                    && arrived_at(target_of(1)) == 1 && requests_arrived() == 0,
                "a refusal is a response, and nothing is renewed: %s",
                zelf_response_server_message(response));
        zelf_response_free(response);
        fault(NULL);
    }
    zelf_request_free(request);
    zelf_session_free(session);
    zelf_client_free(client);
}

/* ---- The log ---- */

static char logged[1 << 18];
static size_t logged_length;

static void on_log(zelf_log_level level, const char *message, void *user_data)
{
    size_t length = strlen(message);
    (void)level, (void)user_data;
    if (logged_length + length + 2 > sizeof logged) return;
    memcpy(logged + logged_length, message, length);
    logged_length += length;
    logged[logged_length++] = '\n';
    logged[logged_length] = '\0';
}

static void the_log_has_no_secret(void)
{
    static const char *const faults[] = {
        NULL, "[{\"kind\":\"refusal\",\"as\":\"not_active\",\"path\":\"/sandbox/echo\",\"times\":1}]",
        "[{\"kind\":\"reset\",\"stage\":\"answer\",\"path\":\"/sandbox/echo\"}]",
        "[{\"kind\":\"refusal\",\"as\":\"unavailable\",\"path\":\"/sandbox/echo\",\"times\":1}]",
        "[{\"kind\":\"truncate\",\"bytes\":20,\"path\":\"/sandbox/echo\"}]",
        "[{\"kind\":\"garbage\",\"text\":\"SECRETBODY\",\"path\":\"/sandbox/echo\"}]",
        "[{\"kind\":\"answer\",\"status\":409,\"error\":\"SECRETBODY\",\"path\":\"/sandbox/echo\"}]"};
    zelf_config *config = tls_config();
    zelf_client *client;
    zelf_session_provider *provider;
    zelf_session *first, *last;
    unsigned i;

    zelf_config_set_max_attempts(config, 2);
    zelf_config_set_log_callback(config, on_log, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    provider = provider_for(client, "logged-x");
    first = zelf_session_provider_get(provider, NULL);
    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        zelf_request *request = zelf_request_new("POST", "/sandbox/echo?id=1");
        fault(faults[i]);
        zelf_request_set_body(request, "{\"password\":\"SECRETBODY\"}", 25, "application/json");
        zelf_request_set_header(request, "X-Key", "SECRETHEADER");
        zelf_request_set_repeatable(request, i % 2);
        outcome_to(provider, request);
    }
    fault(NULL);
    last = zelf_session_provider_get(provider, NULL);
    PROMISE(first && last && logged_length > 500 && strstr(logged, "200") && strstr(logged, "503"),
            "the log tells of requests: %lu bytes", (unsigned long)logged_length);
    PROMISE(!strstr(logged, zelf_session_token(first)) && !strstr(logged, zelf_session_token(last))
                && !strstr(logged, "Bearer") && !strstr(logged, "ey"),
            "at the debug level it has no token");
    PROMISE(!strstr(logged, "SECRETBODY") && !strstr(logged, "password"), "and no byte of a body");
    PROMISE(!strstr(logged, "SECRETHEADER"), "and no header");
    zelf_session_free(first);
    zelf_session_free(last);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Redirects ---- */

static void a_redirect_is_a_response(void)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "redirect-x");
    int port, listener = listen_on(AF_INET, &port), i, others = 0;
    struct timeval brief = {0, 100000};

    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    for (i = 0; i < 10; i++) {
        const char *method = i % 2 ? "POST" : "GET";
        zelf_request *request = request_to(method, target_of(1));
        zelf_response *response;
        char json[256], location[64];
        snprintf(location, sizeof location, "http://127.0.0.1:%d/elsewhere", port);
        snprintf(json, sizeof json,
                 "{\"kind\":\"redirect\",\"status\":%d,\"location\":\"%s\","
                 "\"path\":\"/sandbox/echo\"}", statuses[i / 2], location);
        fault(json);
        forget_all();
        response = send_it(provider, request);
        fault(NULL);
        PROMISE(zelf_response_http_status(response) == statuses[i / 2]
                    && strcmp(zelf_response_header(response, "location"), location) == 0
                    && arrived_at(target_of(1)) == 1 && kills_arrived() == 0,
                "%d is a response to a %s, with its Location", statuses[i / 2], method);
        zelf_response_free(response);
        zelf_request_free(request);
    }
    for (i = accept(listener, NULL, NULL); i >= 0; i = accept(listener, NULL, NULL)) {
        others++;
        close(i);
    }
    PROMISE(others == 0, "and the other origin sees nothing");
    close(listener);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Many at once ---- */

#define THREADS 64
static pthread_barrier_t at_once;
static zelf_session_provider *shared;

/* Each body names its request. Returns how many came back to who sent them. */
static void *sends_its_own(void *number)
{
    long own = 0;
    int i;
    pthread_barrier_wait(&at_once);
    for (i = 0; i < 3; i++) {
        zelf_request *request = zelf_request_new("POST", "/sandbox/echo?id=many");
        zelf_response *response;
        char body[64];
        snprintf(body, sizeof body, "thread %d, request %d", (int)(long)number, i);
        zelf_request_set_body(request, body, strlen(body), "text/plain");
        response = zelf_session_provider_send(shared, request, NULL);
        own += response && strcmp(text_of(response), body) == 0;
        zelf_response_free(response);
        zelf_request_free(request);
    }
    return (void *)own;
}

static void thirty_two_at_once(void)
{
    zelf_client *client = new_client();
    pthread_t threads[THREADS];
    long i, own = 0;
    void *count;
    int most, later;

    shared = warm_provider(client, "at-once-x");
    fault("{\"kind\":\"delay\",\"ms\":500,\"path\":\"/sandbox/echo\"}");
    forget_all();
    pthread_barrier_init(&at_once, NULL, THREADS);
    for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, sends_its_own, (void *)i);
    while ((most = most_at_once()) < 32) usleep(1000);
    usleep(100000);
    /* Before the first are answered: then the next may come before the sandbox has counted
       the end of the last. */
    later = most_at_once();
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &count);
        own += (long)count;
    }
    pthread_barrier_destroy(&at_once);
    fault(NULL);
    PROMISE(own == 3 * THREADS && carried_out("POST /sandbox/echo?id=many") == 3 * THREADS,
            "%d threads get the answers to their own requests: %ld", THREADS, own);
    PROMISE(later == 32 || getenv("ZELF_QUICK"), "32 are under way at once and no more: %d, %d", most,
            later);
    zelf_session_provider_free(shared);
    zelf_client_free(client);
}

#define MANY 100

static void *sends_one(void *request)
{
    pthread_barrier_wait(&at_once);
    return zelf_session_provider_send(shared, request, NULL);
}

static void a_hundred_refused_threads_cause_one_renewal(const char *method, const char *target)
{
    zelf_client *client = new_client();
    zelf_request *request = request_to(method, target);
    zelf_response *first;
    pthread_t threads[MANY];
    int i, done = 0;
    void *response;
    char identifier[64], what[256];

    snprintf(identifier, sizeof identifier, "hundred-%s", method);
    shared = warm_provider(client, identifier);
    first = zelf_session_provider_send(shared, request, NULL);
    zelf_request_set_timeout_ms(request, 60000);
    sandbox("POST", "/sandbox/use", "");
    forget_all();
    pthread_barrier_init(&at_once, NULL, MANY);
    for (i = 0; i < MANY; i++) pthread_create(&threads[i], NULL, sends_one, request);
    for (i = 0; i < MANY; i++) {
        pthread_join(threads[i], &response);
        done += zelf_response_http_status(response) == 200;
        zelf_response_free(response);
    }
    pthread_barrier_destroy(&at_once);
    snprintf(what, sizeof what, "%s %s", method, target);
    PROMISE(zelf_response_http_status(first) == 200 && done == MANY && carried_out(what) == MANY,
            "a hundred threads whose session is used up get their 200, a %s each: %d", method, done);
    PROMISE(kills_arrived() == 1, "after one renewal: %d kills", kills_arrived());
    zelf_response_free(first);
    zelf_request_free(request);
    zelf_session_provider_free(shared);
    zelf_client_free(client);
}

static void *gets(void *provider) { return zelf_session_provider_get(provider, NULL); }

/* A get confirms the session, and a route refuses it meanwhile. */
static void a_refusal_during_a_confirmation_is_renewed(void)
{
    int is_async;
    for (is_async = 0; is_async < 2; is_async++) {
        zelf_client *client = new_client();
        zelf_request *request = request_to("POST", "/sandbox/echo?id=doubt");
        struct sent sent = {0};
        pthread_t thread;
        void *confirmed;
        int outcome;

        shared = warm_provider(client, is_async ? "doubt-async-x" : "doubt-x");
        /* From then on a get confirms it. */
        usleep(300000);
        fault("[{\"kind\":\"delay\",\"ms\":400,\"path\":\"/api/sessions\"},"
              "{\"kind\":\"refusal\",\"as\":\"not_active\",\"path\":\"/sandbox/echo\","
              "\"times\":1}]");
        forget_all();
        pthread_create(&thread, NULL, gets, shared);
        while (requests_arrived() == 0) usleep(1000);
        if (is_async) {
            begin_sending(shared, request, &sent);
            await_all(&sent, 1, 20);
            outcome = sent.response ? zelf_response_http_status(sent.response) : -sent.status;
            release_all(&sent, 1);
        } else {
            outcome = outcome_of(send_it(shared, request));
        }
        pthread_join(thread, &confirmed);
        fault(NULL);
        PROMISE(outcome == 200 && confirmed && kills_arrived() == 1,
                "a session that is refused while it is being confirmed is renewed%s: %d, %d kills",
                is_async ? ", asynchronously" : "", outcome, kills_arrived());
        zelf_session_free(confirmed);
        zelf_request_free(request);
        zelf_session_provider_free(shared);
        zelf_client_free(client);
    }
}

/* ---- The end of a client, and a fork ---- */

static void after_its_end_a_client_sends_nothing(void)
{
    int is_freed;
    for (is_freed = 0; is_freed < 2; is_freed++) {
        zelf_client *client = new_client();
        zelf_session_provider *provider = warm_provider(client, "ended-x");
        zelf_request *request = request_to("GET", "/sandbox/echo");
        struct sent sent = {0};
        int outcome, once = -ZELF_ERROR_SHUT_DOWN, begins;

        if (is_freed) zelf_client_free(client);
        else zelf_client_shutdown(client, 5000);
        forget_all();
        outcome = outcome_of(send_it(provider, request));
        if (!is_freed) once = outcome_of(zelf_session_send(client, NULL, request, next_error()));
        begins = begin_sending(provider, request, &sent);
        PROMISE(outcome == -ZELF_ERROR_SHUT_DOWN && once == -ZELF_ERROR_SHUT_DOWN && !begins
                    && zelf_error_status(send_error) == ZELF_ERROR_SHUT_DOWN
                    && sent.called == 0 && sent.destroyed == 0 && arrived_at("/sandbox/echo") == 0,
                "after the client is %s, sending is ZELF_ERROR_SHUT_DOWN: %d, %d",
                is_freed ? "freed" : "shut down", outcome, once);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        if (!is_freed) zelf_client_free(client);
    }
}

static void a_child_sends_too(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "forked-x");
    zelf_session *session = zelf_session_provider_get(provider, NULL);
    zelf_request *request = request_to("POST", "/sandbox/echo?id=fork");
    pid_t child;
    int parents;

    parents = outcome_of(send_it(provider, request));
    forget_all();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        int fine;
        alarm(20);
        fine = outcome_of(send_it(provider, request)) == 200
               && outcome_of(zelf_session_send(client, session, request, next_error())) == 200
               && outcome_of(zelf_session_send(client, NULL, request, next_error())) == 200;
        zelf_request_free(request);
        zelf_session_free(session);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
        _exit(fine ? 7 : 8);
    }
    PROMISE(parents == 200 && status_of(child) == 7
                && carried_out("POST /sandbox/echo?id=fork") == 3,
            "a forked child sends with the client that it inherited");
    parents = outcome_of(send_it(provider, request));
    PROMISE(parents == 200 && carried_out("POST /sandbox/echo?id=fork") == 4,
            "and its parent's connection is none the worse: %d", parents);
    zelf_request_free(request);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void sending_leaves_the_thread_as_it_was(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "as-it-was-x");
    zelf_request *request = request_to("GET", "/sandbox/bytes/100");
    zelf_response *response;
    struct sigaction before, after;
    sigset_t mask_before, mask_after;
    int number, same = 1, kept;

    sigaction(SIGPIPE, NULL, &before);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    errno = 4242;
    response = send_it(provider, request);
    kept = errno == 4242;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    sigaction(SIGPIPE, NULL, &after);
    for (number = 1; number < 32; number++)
        same &= sigismember(&mask_before, number) == sigismember(&mask_after, number);
    PROMISE(response && kept && same && before.sa_handler == after.sa_handler
                && threads_alive() <= 1,
            "a blocking request leaves errno and signals as they were, and makes no thread");
    zelf_response_free(response);
    zelf_request_free(request);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

int main(void)
{
    a_request_has_its_response();
    each_route_has_its_response();
    a_path_that_does_not_exist_costs_no_session();
    what_goes_out();
    the_path_of_the_base_url_is_kept();
    headers_are_found();
    answers_without_a_body();
    what_cannot_be_sent_is_refused();
    null_is_fine_everywhere();
    a_response_has_a_limit();
    a_session_is_sent_and_not_renewed();
    the_log_has_no_secret();
    a_redirect_is_a_response();
    sending_leaves_the_thread_as_it_was();
    thirty_two_at_once();
    a_hundred_refused_threads_cause_one_renewal(
        "GET", "/api/zelf-name-service/v2/search?zelfName=abc.zelf");
    a_hundred_refused_threads_cause_one_renewal(
        "POST", "/api/zelf-name-service/v2/preview-zelfproof");
    a_refusal_during_a_confirmation_is_renewed();
    after_its_end_a_client_sends_nothing();
    /* A sanitizer's allocator may stay locked in the child of a process with threads. */
    if (!getenv("ZELF_QUICK")) a_child_sends_too();
    zelf_error_free(send_error);
    no_thread_is_left();
    return check_failed;
}
