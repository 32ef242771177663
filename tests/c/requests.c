/* Requests with a session: the sent bytes, the response, and refused arguments. */
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
    zelf_session_provider *provider = provider_that(client, "response-x", true);
    zelf_request *request = request_to("GET", "/api/tags/search?tagName=a.zelf");
    zelf_error *error = (zelf_error *)&client;
    zelf_response *response, *again;
    size_t length = 0;
    const char *body;

    forget_all();
    response = zelf_session_provider_send(provider, request, &error);
    body = zelf_response_body(response, &length);
    PROMISE(zelf_response_http_status(response) == 200, "a request has a response");
    PROMISE(error == (zelf_error *)&client, "*error is not written on success");
    PROMISE(length == 100000, "the response has the length of the body: %lu",
            (unsigned long)length);
    PROMISE(body[length] == '\0', "a NUL follows the body");
    PROMISE(strlen(body) == length, "the body has no NUL: %lu",
            (unsigned long)strlen(body));
    PROMISE(strstr(body, "GET /api/tags/search?tagName=a.zelf") != NULL,
            "the body is that of the target");
    again = zelf_session_provider_send(provider, request, &error);
    zelf_request_free(request);
    PROMISE(again && length_of(again) == length && memcmp(text_of(again), body, length) == 0,
            "a request can be sent again, and has the same response");
    PROMISE(arrived_at("/api/tags/search?tagName=a.zelf") == 2, "the server receives it twice");
    PROMISE(times_in("/sandbox/requests", "\"connection\":") == 4
                && times_in("/sandbox/connections", "\"open\":1") == 1,
            "the session, its confirmation and the requests share one connection");
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

/* The service gives the same answer for a path that does not exist as for an invalid token. */
static void a_path_that_does_not_exist_costs_no_session(void)
{
    double began = seconds_now(), took;
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "no-such-path-x");
    zelf_request *missing = request_to("GET", "/sandbox/echo?id=missing");
    zelf_request *there = request_to("GET", "/api/tags/search?tagName=a.zelf");
    int i, refused = 0, fine = 0, most;

    fault("{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"protected\"}");
    forget_all();
    for (i = 0; i < 5; i++) {
        refused += outcome_of(send_it(provider, missing)) == 401;
        fine += outcome_of(send_it(provider, there)) == 200;
    }
    PROMISE(refused == 5, "a path that does not exist is refused each time: %d of 5", refused);
    PROMISE(fine == 5, "requests to another path succeed meanwhile: %d of 5", fine);
    PROMISE(kills_arrived() == 0, "no session is killed for it: %d", kills_arrived());
    took = seconds_now() - began;
    /* It is repeated after 5 s. On a slow machine the session is also confirmed: 250 ms after it was
       made. */
    most = 1 + (int)(took / 5) + (took > 0.25);
    PROMISE(requests_arrived() >= 1 && requests_arrived() <= most,
            "one request for a session is made: %d in %.1f s", requests_arrived(), took);
    fault(NULL);
    zelf_request_free(missing);
    zelf_request_free(there);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_request_is_sent_as_it_was_set(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = confirmed_provider(client, "goes-out-x");
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
    PROMISE(length_of(response) == 5 && memcmp(text_of(response), "a\0b\0c", 5) == 0,
            "a body may hold NULs");
    PROMISE(arrived_at("/sandbox/echo?id=%2F~&id=") == 1, "the target is sent as it is");
    snprintf(token, sizeof token, "\"%s\"", zelf_session_authorization(session));
    PROMISE(times_in("/sandbox/requests", token) == 1, "the token is sent once");
    for (i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *lower, *object;
        sandbox("GET", "/sandbox/requests", "");
        for (lower = http_answer; *lower; lower++)
            if (*lower >= 'A' && *lower <= 'Z') *lower += 32;
        object = strstr(http_answer, expected[i]);
        if (!object) printf("# %s is not in %s\n", expected[i], http_answer);
        there += object != NULL;
    }
    PROMISE(there == 5, "the headers of the caller and of the library are sent: %d of 5", there);
    PROMISE(times_in("/sandbox/requests", "gone") == 0, "a header that was removed is not sent");
    zelf_response_free(response);

    zelf_request_set_header(request, "Accept", "text/plain");
    zelf_request_set_body(request, "", 0, NULL);
    forget_all();
    response = send_it(provider, request);
    PROMISE(response != NULL, "a request with an empty body has its response");
    PROMISE(length_of(response) == 0, "an empty body comes back empty");
    PROMISE(text_of(response)[0] == '\0', "a NUL follows an empty body");
    PROMISE(times_in("/sandbox/requests", "\"body_length\":0") == 1, "an empty body is sent");
    PROMISE(times_in("/sandbox/requests", "text/x") == 0, "a body without a type has no type");
    PROMISE(times_in("/sandbox/requests", "*/*") == 0,
            "the caller's Accept replaces the library's");
    zelf_response_free(response);
    zelf_request_set_body(request, NULL, 0, "text/x");
    forget_all();
    PROMISE(outcome_of(send_it(provider, request)) == 200
                && times_in("/sandbox/requests", "text/x") == 0,
            "a NULL body removes the body and its type");
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

/* Returns the response to a request that is answered with these bytes. */
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
    PROMISE(folded && folded[0] == 'a' && folded[strlen(folded) - 1] == 'b',
            "a folded value is whole");
    PROMISE(folded && !strpbrk(folded, "\r\n"), "a folded value is one line");
    PROMISE(strcmp(zelf_response_header(response, "X-Empty"), "") == 0, "an empty value is \"\"");
    PROMISE(!zelf_response_header(response, "X-Three"), "a header that is missing is NULL");
    PROMISE(!zelf_response_header(response, "X-On"), "the beginning of a name is no name");
    PROMISE(!zelf_response_header(response, ""), "an empty name is no name");
    PROMISE(!zelf_response_header(response, NULL), "a NULL name is no name");
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

    PROMISE(response && length_of(response) == 0, "the response to HEAD has no body");
    PROMISE(strcmp(zelf_response_header(response, "Content-Length"), "1000") == 0,
            "it has the Content-Length that the server sent");
    zelf_response_free(response);
    zelf_request_free(request);
    sandbox("GET", "/sandbox/connections", "");
    accepted = atoi(strstr(http_answer, "accepted\":") + 10);
    request = request_to("GET", "/sandbox/bytes/5?status=204");
    response = send_it(provider, request);
    PROMISE(zelf_response_http_status(response) == 204, "a 204 is a response");
    PROMISE(length_of(response) == 0, "a 204 has no body");
    PROMISE(zelf_response_body(response, NULL) != NULL, "a missing body is not NULL");
    zelf_response_free(response);
    zelf_request_free(request);
    PROMISE(outcome_at(provider, "GET", "/sandbox/bytes/7") == 200, "the next request has its own answer");
    /* One connection is that of the control route itself. */
    sandbox("GET", "/sandbox/connections", "");
    PROMISE(atoi(strstr(http_answer, "accepted\":") + 10) <= accepted + 1,
            "it uses the same connection");
    response = response_of(client, "HTTP/1.1 100 Continue\r\n\r\n"
                                   "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n"
                                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    PROMISE(response && strcmp(text_of(response), "ok") == 0,
            "the response is the one after interim answers");
    PROMISE(!zelf_response_header(response, "X-Early"), "it has no header of theirs");
    zelf_response_free(response);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Refused arguments ---- */

static zelf_session_provider *refusing;

/* Returns whether the request is refused with an error that names the cause. Frees it. */
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

static void a_bad_request_is_refused(void)
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
    PROMISE(refused == 9, "a method that HTTP forbids is refused, and CONNECT: %d", refused);
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
    PROMISE(refused == 12, "the value of a header is checked: %d", refused);

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
    PROMISE(refused == 3, "a bad type, a NULL body with a length and two types are refused: %d",
            refused);
    request = zelf_request_new("GET", "/x");
    for (i = 0; i < 65; i++) {
        char name[16];
        snprintf(name, sizeof name, "X-%u", i);
        zelf_request_set_header(request, name, "1");
    }
    PROMISE(is_refused(request, "64"), "more than 64 headers are refused");
    PROMISE(requests_arrived() == 0 && times_in("/sandbox/requests", "\"method\"") == 0,
            "for refused requests nothing is sent, and no session is created");

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
    PROMISE(outcome_to(refusing, request) > 0, "all legal characters and 64 headers are sent: %s",
            why());
    zelf_session_provider_free(refusing);
    zelf_client_free(client);
}

static void null_is_taken_everywhere(void)
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
    PROMISE(1, "setters and frees of a NULL request and response do not crash");
    PROMISE(zelf_response_http_status(NULL) == 0, "a NULL response has no HTTP status");
    PROMISE(!zelf_response_header(NULL, "a"), "a NULL response has no header");
    PROMISE(!zelf_response_header(NULL, NULL), "a NULL response has no header without a name");
    PROMISE(!zelf_response_server_message(NULL), "a NULL response has no words");
    PROMISE(!zelf_response_body(NULL, &length), "a NULL response has no body");
    PROMISE(length == 0, "the body of a NULL response has no length");
    PROMISE(!zelf_response_body(NULL, NULL), "a NULL response has no body without a length");
    PROMISE(outcome_of(send_it(NULL, request)) == -ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL provider sends nothing");
    PROMISE(outcome_of(send_it(provider, NULL)) == -ZELF_ERROR_INVALID_ARGUMENT,
            "a provider sends no NULL request");
    PROMISE(outcome_of(zelf_session_send(NULL, NULL, request, next_error()))
                == -ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL client sends nothing");
    PROMISE(outcome_of(zelf_session_send(client, NULL, NULL, next_error()))
                == -ZELF_ERROR_INVALID_ARGUMENT,
            "a client sends no NULL request");
    PROMISE(!zelf_session_send(NULL, NULL, NULL, NULL), "zelf_session_send with only NULL returns NULL");
    PROMISE(!zelf_session_provider_send(NULL, NULL, NULL),
            "zelf_session_provider_send with only NULL returns NULL");
    PROMISE(!zelf_session_provider_send_async(NULL, NULL, NULL, NULL, NULL, NULL),
            "zelf_session_provider_send_async with only NULL returns NULL");
    PROMISE(!zelf_session_send_async(NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            "zelf_session_send_async with only NULL returns NULL");
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
        PROMISE(fits == 200, "a body may be as long as the limit (%s): %d", framings[i], fits);
        PROMISE(limited == -ZELF_ERROR_RESPONSE_TOO_LARGE,
                "a body of one byte more is ZELF_ERROR_RESPONSE_TOO_LARGE (%s): %d", framings[i],
                limited);
        PROMISE(arrived_at(target) == 1, "its request is not repeated (%s)", framings[i]);
        zelf_request_set_max_response_bytes(request, 0);
        fits_again = outcome_of(send_it(provider, request));
        PROMISE(fits_again == 200, "0 brings the default limit back (%s)", framings[i]);
        zelf_request_free(request);
    }
    PROMISE(outcome_at(provider, "GET", "/sandbox/bytes/8388608") == 200
                && outcome_at(provider, "GET", "/sandbox/bytes/8388609")
                       == -ZELF_ERROR_RESPONSE_TOO_LARGE,
            "the default limit is 8 MiB");
    PROMISE(strlen(why()) > 20 && outcome_at(provider, "GET", "/sandbox/bytes/10") == 200,
            "after that error, which has a message, the client works: %s", why());
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
    const char *said;
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
            "without a session no token is sent");
    zelf_response_free(response);
    for (i = 0; i < 4; i++) {
        snprintf(json, sizeof json,
                 "{\"kind\":\"refusal\",\"as\":\"%s\",\"path\":\"/sandbox/echo\"}", refusals[i]);
        fault(json);
        forget_all();
        response = zelf_session_send(client, session, request, next_error());
        said = zelf_response_server_message(response);
        PROMISE(zelf_response_http_status(response) == statuses[i], "refusal %s is a response: %d",
                refusals[i], zelf_response_http_status(response));
        PROMISE(said && strstr(said, words[i]), "refusal %s has the server's words: %s", refusals[i],
                said ? said : "-");
        PROMISE(arrived_at(target_of(1)) == 1, "refusal %s is not sent again", refusals[i]);
        PROMISE(requests_arrived() == 0, "refusal %s renews no session", refusals[i]);
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
    PROMISE(first && last, "a provider with a log callback has its sessions");
    PROMISE(logged_length > 500, "the log tells of requests: %lu bytes",
            (unsigned long)logged_length);
    PROMISE(strstr(logged, "200") != NULL, "the log tells of a 200");
    PROMISE(strstr(logged, "503") != NULL, "the log tells of a 503");
    PROMISE(!strstr(logged, zelf_session_token(first)), "the log has no token");
    PROMISE(!strstr(logged, zelf_session_token(last)), "the log has no token after a renewal");
    PROMISE(!strstr(logged, "Bearer"), "the log has no Authorization header");
    PROMISE(!strstr(logged, "ey"), "the log has no beginning of a token");
    PROMISE(!strstr(logged, "SECRETBODY") && !strstr(logged, "password"), "the log has no body");
    PROMISE(!strstr(logged, "SECRETHEADER"), "the log has no header of the caller's");
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
        PROMISE(zelf_response_http_status(response) == statuses[i / 2], "%d is a response to a %s",
                statuses[i / 2], method);
        PROMISE(strcmp(zelf_response_header(response, "location"), location) == 0,
                "%d has its Location (%s)", statuses[i / 2], method);
        PROMISE(arrived_at(target_of(1)) == 1, "after %d the %s is not sent again", statuses[i / 2],
                method);
        PROMISE(kills_arrived() == 0, "after %d no session is killed (%s)", statuses[i / 2], method);
        zelf_response_free(response);
        zelf_request_free(request);
    }
    for (i = accept(listener, NULL, NULL); i >= 0; i = accept(listener, NULL, NULL)) {
        others++;
        close(i);
    }
    PROMISE(others == 0, "the other origin receives nothing");
    close(listener);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Concurrent requests ---- */

#define THREADS 64
static pthread_barrier_t at_once;
static zelf_session_provider *shared;

/* Sends requests whose bodies name them. Returns how many responses match their request. */
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
    fault("{\"kind\":\"delay\",\"ms\":3000,\"times\":32,\"path\":\"/sandbox/echo\"}");
    forget_all();
    pthread_barrier_init(&at_once, NULL, THREADS);
    for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, sends_its_own, (void *)i);
    while ((most = most_at_once()) < 32) usleep(1000);
    usleep(100000);
    /* Taken before the first are answered: later, the next request may arrive before the sandbox
       has counted the end of the last one. */
    later = most_at_once();
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &count);
        own += (long)count;
    }
    pthread_barrier_destroy(&at_once);
    fault(NULL);
    PROMISE(own == 3 * THREADS, "%d threads get the answers to their own requests: %ld", THREADS,
            own);
    PROMISE(carried_out("POST /sandbox/echo?id=many") == 3 * THREADS,
            "the server carries out each request once");
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
    PROMISE(zelf_response_http_status(first) == 200, "a %s with a new session is a 200", method);
    PROMISE(done == MANY, "a hundred threads whose session is used up get their 200 (%s): %d", method,
            done);
    PROMISE(carried_out(what) == MANY, "each %s is carried out once: %d", method, carried_out(what));
    PROMISE(kills_arrived() == 1, "the session is renewed once (%s): %d kills", method,
            kills_arrived());
    zelf_response_free(first);
    zelf_request_free(request);
    zelf_session_provider_free(shared);
    zelf_client_free(client);
}

static void *gets_one(void *provider) { return zelf_session_provider_get(provider, NULL); }

/* A get confirms the session, and a route refuses it at the same time. */
static void a_refusal_during_a_confirmation_is_renewed(void)
{
    int is_async;
    for (is_async = 0; is_async < 2; is_async++) {
        zelf_client *client = new_client();
        zelf_request *request = request_to("POST", "/sandbox/echo?id=doubt");
        const char *how = is_async ? ", asynchronously" : "";
        struct sent sent = {0};
        pthread_t thread;
        void *confirmed;
        int outcome;

        shared = warm_provider(client, is_async ? "doubt-async-x" : "doubt-x");
        /* After this time a get confirms it. */
        usleep(300000);
        fault("[{\"kind\":\"delay\",\"ms\":400,\"path\":\"/api/sessions\"},"
              "{\"kind\":\"refusal\",\"as\":\"not_active\",\"path\":\"/sandbox/echo\","
              "\"times\":1}]");
        forget_all();
        pthread_create(&thread, NULL, gets_one, shared);
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
        PROMISE(outcome == 200, "a request whose session is refused during a confirmation succeeds%s: %d",
                how, outcome);
        PROMISE(confirmed != NULL, "the confirmation succeeds%s", how);
        PROMISE(kills_arrived() == 1, "the session is renewed once%s: %d kills", how,
                kills_arrived());
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
        const char *end = is_freed ? "freed" : "shut down";
        struct sent sent = {0};
        int outcome, once = -ZELF_ERROR_SHUT_DOWN, begins;

        if (is_freed) zelf_client_free(client);
        else zelf_client_shutdown(client, 5000);
        forget_all();
        outcome = outcome_of(send_it(provider, request));
        if (!is_freed) once = outcome_of(zelf_session_send(client, NULL, request, next_error()));
        begins = begin_sending(provider, request, &sent);
        PROMISE(outcome == -ZELF_ERROR_SHUT_DOWN,
                "with a client that is %s a provider's request is ZELF_ERROR_SHUT_DOWN: %d", end,
                outcome);
        PROMISE(once == -ZELF_ERROR_SHUT_DOWN,
                "with a client that is %s a client's request is ZELF_ERROR_SHUT_DOWN: %d", end, once);
        PROMISE(!begins, "with a client that is %s no asynchronous request begins", end);
        PROMISE(zelf_error_status(send_error) == ZELF_ERROR_SHUT_DOWN,
                "with a client that is %s an asynchronous request is ZELF_ERROR_SHUT_DOWN", end);
        PROMISE(sent.called == 0, "with a client that is %s it does not call back", end);
        PROMISE(sent.destroyed == 0, "with a client that is %s its data is not destroyed", end);
        PROMISE(arrived_at("/sandbox/echo") == 0, "with a client that is %s nothing is sent", end);
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
    PROMISE(parents == 200, "a request before a fork is a 200: %d", parents);
    PROMISE(status_of(child) == 7, "a forked child sends with the client that it inherited");
    PROMISE(carried_out("POST /sandbox/echo?id=fork") == 3,
            "the server carries out the child's three requests");
    parents = outcome_of(send_it(provider, request));
    PROMISE(parents == 200, "the parent sends on: %d", parents);
    PROMISE(carried_out("POST /sandbox/echo?id=fork") == 4, "its request is carried out once");
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
    PROMISE(response != NULL, "a blocking request has its response");
    PROMISE(kept, "it does not change errno");
    PROMISE(same, "it does not change the signal mask");
    PROMISE(before.sa_handler == after.sa_handler, "it does not change SIGPIPE's handler");
    PROMISE(threads_alive() <= 1, "it makes no thread: %d", threads_alive());
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
    a_request_is_sent_as_it_was_set();
    the_path_of_the_base_url_is_kept();
    headers_are_found();
    answers_without_a_body();
    a_bad_request_is_refused();
    null_is_taken_everywhere();
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
