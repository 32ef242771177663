/* Requests that do not get their answer at once: what is retried, and what the caller is told. The
   sandbox closes idle connections after 600 ms. */
#include "sends.h"

/* Four kinds of request: two that may be repeated, and two that may not. */
static const struct kind {
    const char *method, *path, *name;
    int set, repeatable;
} kinds[] = {{"GET", "/api/tags/search", "GET", 0, 1},
             {"POST", "/api/tags/lease", "POST", 0, 0},
             {"GET", "/api/tags/search", "GET that is not repeatable", 1, 0},
             {"POST", "/api/tags/lease", "POST that is repeatable", 1, 1}};

static const char *target_of(const struct kind *kind)
{
    return strcmp(kind->method, "GET") == 0 ? "/api/tags/search?tagName=a" : kind->path;
}

static const char *line_of(const struct kind *kind)
{
    static char what[128];
    snprintf(what, sizeof what, "%s %s", kind->method, target_of(kind));
    return what;
}

static zelf_request *request_of(const struct kind *kind)
{
    zelf_request *request = request_to(kind->method, target_of(kind));
    if (kind->set) zelf_request_set_repeatable(request, kind->repeatable);
    return request;
}

/* Injects faults. A $ stands for the path. */
static void arm(const char *faults, const char *path)
{
    char json[2048], *to = json;
    for (; *faults; faults++) {
        if (*faults == '$') to += sprintf(to, "%s", path);
        else *to++ = *faults;
    }
    *to = '\0';
    fault(json);
}

/* Makes a provider for one row, because the retries of a client have a budget and its refusals are
   counted. */
static zelf_session_provider *provider_of_row(zelf_client *client)
{
    static int row;
    char identifier[64];
    snprintf(identifier, sizeof identifier, "row-%d-x", row++);
    return warm_provider(client, identifier);
}

/* ---- The contract's table of answers ---- */

struct answer {
    const char *what, *faults;
    /* The outcome of a repeatable request, and how many requests arrive. Then the same for a
       request that may not be repeated. */
    int repeatable, requests, other, other_requests;
    int kills;
    double at_least; /* in seconds, if it may be repeated */
};

#define REFUSAL(as) "{\"kind\":\"refusal\",\"path\":\"$\",\"as\":\"" as "\"}"
#define REFUSALS(as, times) \
    "{\"kind\":\"refusal\",\"path\":\"$\",\"as\":\"" as "\",\"times\":" #times "}"
#define ANSWER(status, body) "{\"kind\":\"answer\",\"path\":\"$\",\"status\":" #status "," body "}"
#define ANSWERS(status, times, body) \
    "{\"kind\":\"answer\",\"path\":\"$\",\"status\":" #status ",\"times\":" #times "," body "}"
#define ERROR_BODY "\"error\":\"no\""
#define AFTER(seconds) "\"headers\":{\"Retry-After\":\"" #seconds "\"}"

static const struct answer answers[] = {
    {"403 Session is not active, once", REFUSALS("not_active", 1), 200, 2, 200, 2, 1, 0},
    {"403 Session is not active, twice", REFUSALS("not_active", 2), 200, 3, 200, 3, 1, 0},
    {"403 Session is not active, for ever", REFUSAL("not_active"), -ZELF_ERROR_GHOST_SESSION, 3,
     -ZELF_ERROR_GHOST_SESSION, 3, 1, 0},
    {"401 Protected resource, once", REFUSALS("protected", 1), 200, 2, 200, 2, 0, 0},
    {"401 Protected resource, for ever", REFUSAL("protected"), 401, 2, 401, 2, 0, 0},
    {"401 Invalid session", REFUSAL("invalid_session"), 401, 1, 401, 1, 0, 0},
    {"403 Search limit exceeded", REFUSAL("search_limit"), 403, 1, 403, 1, 0, 0},
    {"403 Decrypt limit exceeded", REFUSAL("decrypt_limit"), 403, 1, 403, 1, 0, 0},
    {"403 forbidden_origin", ANSWER(403, "\"error\":\"forbidden_origin\""), 403, 1, 403, 1, 0, 0},
    {"403 of a firewall", ANSWER(403, "\"html\":\"<h1>Session</h1>\""), 403, 1, 403, 1, 0, 0},
    {"401 in other words", ANSWER(401, ERROR_BODY), 401, 1, 401, 1, 0, 0},
    {"400", ANSWER(400, "\"text\":\"Bad Request\""), 400, 1, 400, 1, 0, 0},
    {"402", ANSWER(402, ERROR_BODY), 402, 1, 402, 1, 0, 0},
    {"408", ANSWER(408, ERROR_BODY), 408, 1, 408, 1, 0, 0},
    {"409", ANSWER(409, "\"validation_error\":\"missing\\n\""), 409, 1, 409, 1, 0, 0},
    {"412", ANSWER(412, ERROR_BODY), 412, 1, 412, 1, 0, 0},
    {"413", ANSWER(413, "\"text\":\"too large\""), 413, 1, 413, 1, 0, 0},
    {"422", ANSWER(422, ERROR_BODY), 422, 1, 422, 1, 0, 0},
    {"431", ANSWER(431, "\"headers\":{}"), 431, 1, 431, 1, 0, 0},
    {"404 in JSON", ANSWER(404, ERROR_BODY), 404, 1, 404, 1, 0, 0},
    {"500", ANSWER(500, "\"error\":\"connect ECONNREFUSED\""), 500, 1, 500, 1, 0, 0},
    {"501", ANSWER(501, ERROR_BODY), 501, 1, 501, 1, 0, 0},
    {"404 of a starting server, twice", REFUSALS("starting", 2), 200, 3, 404, 1, 0, 0.6},
    {"429, twice", ANSWERS(429, 2, ERROR_BODY), 200, 3, 429, 1, 0, 0},
    {"429, for ever", ANSWER(429, ERROR_BODY), 429, 3, 429, 1, 0, 0},
    {"429 with Retry-After", ANSWERS(429, 1, ERROR_BODY "," AFTER(1)), 200, 2, 429, 1, 0, 1},
    {"429 with a Retry-After beyond the time limit", ANSWER(429, ERROR_BODY "," AFTER(60)), 429, 1,
     429, 1, 0, 0},
    {"502, twice", REFUSALS("bad_gateway", 2), 200, 3, 502, 1, 0, 0},
    {"502, for ever", REFUSAL("bad_gateway"), 502, 3, 502, 1, 0, 0},
    {"503, twice", REFUSALS("unavailable", 2), 200, 3, 503, 1, 0, 0},
    {"503 with Retry-After", ANSWERS(503, 1, ERROR_BODY "," AFTER(1)), 200, 2, 503, 1, 0, 1},
    {"503 with a Retry-After beyond the time limit", ANSWER(503, ERROR_BODY "," AFTER(60)), 503, 1,
     503, 1, 0, 0},
    {"504, twice", REFUSALS("gateway_timeout", 2), 200, 3, 504, 1, 0, 0},
    {"200 with Retry-After", ANSWER(200, "\"data\":1," AFTER(60)), 200, 1, 200, 1, 0, 0},
    {"304", ANSWER(304, "\"headers\":{}"), 304, 1, 304, 1, 0, 0},
};

static void each_answer_means_what_it_means(void)
{
    unsigned row, k;
    for (row = 0; row < sizeof answers / sizeof *answers; row++) {
        const struct answer *answer = &answers[row];
        for (k = 0; k < 4; k++) {
            const struct kind *kind = &kinds[k];
            zelf_client *client = new_client();
            zelf_session_provider *provider = provider_of_row(client);
            int expected = kind->repeatable ? answer->repeatable : answer->other;
            int requests = kind->repeatable ? answer->requests : answer->other_requests;
            int outcome, arrived, kills;
            double began, took;

            arm(answer->faults, kind->path);
            forget_all();
            began = seconds_now();
            outcome = outcome_to(provider, request_of(kind));
            took = seconds_now() - began;
            fault(NULL);
            arrived = arrived_at(target_of(kind));
            kills = kills_arrived();
            PROMISE(outcome == expected, "%s: a %s is %d: %d", answer->what, kind->name, expected,
                    outcome);
            PROMISE(arrived == requests, "%s: a %s is sent %d times: %d", answer->what, kind->name,
                    requests, arrived);
            PROMISE(answer->kills == kills, "%s: a %s makes %d kills: %d", answer->what, kind->name,
                    answer->kills, kills);
            PROMISE(!kind->repeatable || took >= answer->at_least,
                    "%s: a %s waits for %.1f s before it is repeated: %.1f s", answer->what,
                    kind->name, answer->at_least, took);
            PROMISE(took < AT_ONCE, "%s: a %s ends before its time limit: %.1f s", answer->what,
                    kind->name, took);
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
    }
}

static void a_starting_server_is_waited_for_until_the_time_limit(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_of_row(client);
    zelf_request *request = request_of(&kinds[0]);
    double began = seconds_now(), took;
    int outcome;

    arm(REFUSAL("starting"), kinds[0].path);
    forget_all();
    zelf_request_set_timeout_ms(request, 2500);
    outcome = outcome_to(provider, request);
    took = seconds_now() - began;
    fault(NULL);
    PROMISE(outcome == 404, "the last answer of a starting server is the response: %d", outcome);
    PROMISE(arrived_at(target_of(&kinds[0])) >= 2, "the request is repeated until the time limit");
    PROMISE(took < AT_ONCE, "the time limit ends it: %.1f s", took);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void the_words_of_an_answer_are_there(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_of_row(client);
    zelf_request *request = request_of(&kinds[1]);
    zelf_response *response;

    arm(ANSWER(409, "\"validation_error\":\"missing identifier\\n\""), kinds[1].path);
    response = send_it(provider, request);
    PROMISE(strcmp(zelf_response_server_message(response), "missing identifier") == 0
                && strcmp(text_of(response), "{\"validationError\":\"missing identifier\\n\"}") == 0,
            "the server's words are one line, and the body is unchanged");
    zelf_response_free(response);
    arm(ANSWER(200, "\"error\":\"odd\"," AFTER(7)), kinds[1].path);
    response = send_it(provider, request);
    PROMISE(!zelf_response_server_message(response)
                && strcmp(zelf_response_header(response, "retry-after"), "7") == 0,
            "a 200 has no words, and its Retry-After is left to the caller");
    zelf_response_free(response);
    fault(NULL);
    zelf_request_free(request);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Sessions that have really ended ---- */

#define SEARCH "/api/zelf-name-service/v2/search?zelfName=abc.zelf"
#define PREVIEW "/api/zelf-name-service/v2/preview-zelfproof"

static void a_session_that_has_gone_is_replaced(void)
{
    static const char *const fates[] = {"has gone", "is used up", "has gone and comes as a ghost"};
    int i;
    for (i = 0; i < 6; i++) {
        const char *method = i % 2 ? "POST" : "GET", *target = i % 2 ? PREVIEW : SEARCH;
        zelf_client *client = new_client();
        zelf_session_provider *provider = provider_of_row(client);
        char what[128];
        int outcome, times, kills = 0, requests = 2;

        switch (i / 2) {
        case 0: sandbox("DELETE", "/sandbox/sessions", ""); break;
        case 1:
            sandbox("POST", "/sandbox/use", "");
            kills = 1;
            break;
        case 2:
            /* The next create loses a race, so its session does not exist. */
            sandbox("DELETE", "/sandbox/sessions", "");
            fault("{\"kind\":\"claims\",\"claims\":{\"session\":\"0123456789abcdef01234567\"},"
                  "\"path\":\"/api/sessions\",\"times\":1}");
            requests = 3;
        }
        forget_all();
        outcome = outcome_at(provider, method, target);
        fault(NULL);
        snprintf(what, sizeof what, "%s %s", method, target);
        times = carried_out(what);
        PROMISE(outcome == 200, "a %s whose session %s is a 200: %d", method, fates[i / 2], outcome);
        PROMISE(times == 1, "a %s whose session %s is carried out once: %d", method, fates[i / 2],
                times);
        PROMISE(arrived_at(target) == requests, "a %s whose session %s is sent %d times: %d", method,
                fates[i / 2], requests, arrived_at(target));
        PROMISE(kills_arrived() == kills, "a %s whose session %s makes %d kills: %d", method,
                fates[i / 2], kills, kills_arrived());
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

static void a_ghost_is_reported(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_of_row(client);
    const char *said;
    int outcome;

    arm(REFUSAL("not_active"), PREVIEW);
    outcome = outcome_at(provider, "POST", PREVIEW);
    said = zelf_error_server_message(send_error);
    PROMISE(outcome == -ZELF_ERROR_GHOST_SESSION, "a ghost is ZELF_ERROR_GHOST_SESSION: %d", outcome);
    PROMISE(zelf_error_http_status(send_error) == 403, "its error has the HTTP status");
    PROMISE(said && strcmp(said, "Session is not active") == 0,
            "its error has the server's words: %s", said ? said : "-");
    PROMISE(!strstr(why(), "carried"), "its message does not say \"carried\": %s", why());
    fault(NULL);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void without_a_session_nothing_is_sent(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_for(client, "sessionless-x");
    int outcome;

    fault("{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"no\","
          "\"path\":\"/api/sessions\"}");
    forget_all();
    outcome = outcome_at(provider, "POST", "/api/tags/lease");
    fault(NULL);
    PROMISE(outcome == -ZELF_ERROR_VALIDATION && arrived_at("/api/tags/lease") == 0,
            "without a session the request is not sent, and has the error of the session: %s", why());
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Connections that break, and wrong body lengths ---- */

static int says_that_it_may_have_been(void) { return strstr(why(), "may have carried") != NULL; }

static void a_connection_that_breaks(void)
{
    static const char *const ends[] = {"reset", "close"};
    static const char *const stages[] = {"request", "answer", "half_head", "body"};
    int end, stage, k, always;
    for (end = 0; end < 2; end++)
        for (stage = 0; stage < 4; stage++)
            for (k = 0; k < 4; k++)
                for (always = 0; always < 2; always++) {
                    const struct kind *kind = &kinds[k];
                    zelf_client *client = new_client();
                    zelf_session *session = create(client, "breaks-x", NULL);
                    zelf_request *request = request_of(kind);
                    char json[256], where[128];
                    int outcome, expected, arrived, done;
                    /* Replacing the kept connection does not count as an attempt. A new connection
                       does. */
                    int requests = !kind->repeatable ? 1 : always ? (stage < 2 ? 4 : 3) : 2;
                    int works = requests - (stage == 0 ? requests : 0)
                                + (stage == 0 && kind->repeatable && !always);

                    snprintf(json, sizeof json, "{\"kind\":\"%s\",\"stage\":\"%s\",\"path\":\"%s\"%s}",
                             ends[end], stages[stage], kind->path, always ? "" : ",\"times\":1");
                    fault(json);
                    forget_all();
                    outcome = outcome_of(zelf_session_send(client, session, request, next_error()));
                    fault(NULL);
                    arrived = arrived_at(target_of(kind));
                    done = carried_out(line_of(kind));
                    expected = kind->repeatable && !always ? 200 : -ZELF_ERROR_CONNECTION_LOST;
                    snprintf(where, sizeof where, "%s at the stage %s%s: a %s", ends[end],
                             stages[stage], always ? "" : ", once", kind->name);
                    PROMISE(outcome == expected, "%s is %d: %d", where, expected, outcome);
                    PROMISE(arrived == requests, "%s is sent %d times: %d", where, requests, arrived);
                    PROMISE(done == works, "%s is carried out %d times: %d", where, works, done);
                    if (outcome < 0)
                        PROMISE(says_that_it_may_have_been() == !kind->repeatable,
                                "%s %s that it may have been carried out: %s", where,
                                kind->repeatable ? "does not say" : "says", why());
                    zelf_request_free(request);
                    zelf_session_free(session);
                    zelf_client_free(client);
                }
}

static void a_connection_that_is_not_made(void)
{
    static const char *const faults[] = {
        "{\"kind\":\"reset\",\"stage\":\"accept\",\"times\":1}",
        "{\"kind\":\"reset\",\"stage\":\"tls\",\"times\":1}",
        "{\"kind\":\"close\",\"stage\":\"accept\",\"times\":1}",
        "{\"kind\":\"close\",\"stage\":\"tls\",\"times\":1}",
        "{\"kind\":\"reset\",\"stage\":\"accept\"}", "{\"kind\":\"close\",\"stage\":\"tls\"}"};
    int i;
    for (i = 0; i < 6; i++) {
        zelf_client *client = new_client();
        zelf_request *request = request_to("POST", "/sandbox/echo?id=made");
        int outcome, done;
        fault(faults[i]);
        forget_all();
        outcome = outcome_of(zelf_session_send(client, NULL, request, next_error()));
        fault(NULL);
        done = carried_out("POST /sandbox/echo?id=made");
        if (i < 4)
            PROMISE(outcome == 200 && done == 1, "%s: a POST is carried out, once", faults[i]);
        else {
            PROMISE(outcome < 0, "%s: a POST fails: %d", faults[i], outcome);
            PROMISE(done == 0, "%s: a POST is not carried out: %d", faults[i], done);
            PROMISE(!says_that_it_may_have_been(),
                    "%s: a POST does not say that it may have been carried out: %s", faults[i], why());
        }
        zelf_request_free(request);
        zelf_client_free(client);
    }
}

#define LARGE (10 * 1024 * 1024)

static void an_upload_that_breaks(void)
{
    static char body[LARGE];
    int i;
    for (i = 0; i < 4; i++) {
        int is_large = i / 2, was_sent_whole;
        zelf_client *client = new_client();
        zelf_request *request = request_to("POST", "/sandbox/echo?id=upload");
        char json[128];
        int outcome, done;

        memset(body, 'u', sizeof body);
        if (is_large) zelf_request_set_body(request, body, sizeof body, NULL);
        zelf_request_set_max_response_bytes(request, LARGE);
        snprintf(json, sizeof json, "{\"kind\":\"%s\",\"stage\":\"upload\",\"times\":1}",
                 i % 2 ? "close" : "reset");
        fault(json);
        forget_all();
        outcome = outcome_of(zelf_session_send(client, NULL, request, next_error()));
        fault(NULL);
        done = carried_out("POST /sandbox/echo?id=upload");
        /* After a FIN the sandbox still reads, so even a large body may have been sent whole. */
        was_sent_whole = !is_large || (i % 2 && outcome != 200);
        if (!was_sent_whole) {
            PROMISE(outcome == 200, "a POST whose body was not sent whole is sent again: %d, %s",
                    outcome, why());
            PROMISE(done == 1, "it is carried out once: %d", done);
        } else {
            PROMISE(outcome == -ZELF_ERROR_CONNECTION_LOST,
                    "a POST whose body was sent whole is not sent again: %d, %s", outcome, why());
            PROMISE(done == 0, "it is not carried out: %d", done);
            PROMISE(says_that_it_may_have_been(), "it says that it may have been carried out: %s",
                    why());
        }
        zelf_request_free(request);
        zelf_client_free(client);
    }
}

static void a_body_that_is_short(void)
{
    static const char *const queries[] = {"short=5", "short=5&framing=chunked",
                                          "short=100000", "short=99999&framing=chunked"};
    int i, k;
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            zelf_client *client = new_client();
            zelf_session_provider *provider = provider_of_row(client);
            char target[128], what[160], which[128];
            int outcome, arrived, done;
            snprintf(target, sizeof target, "/sandbox/bytes/100000?%s", queries[i]);
            snprintf(what, sizeof what, "%s %s", kinds[k].method, target);
            forget_all();
            outcome = outcome_at(provider, kinds[k].method, target);
            arrived = arrived_at(target);
            done = carried_out(what);
            snprintf(which, sizeof which, "a body that is too short (%s): a %s", queries[i],
                     kinds[k].method);
            PROMISE(outcome == -ZELF_ERROR_CONNECTION_LOST, "%s is ZELF_ERROR_CONNECTION_LOST: %d",
                    which, outcome);
            PROMISE(arrived == (k ? 1 : 3), "%s is sent %d times: %d", which, k ? 1 : 3, arrived);
            PROMISE(done == arrived, "%s is carried out each time: %d", which, done);
            PROMISE(says_that_it_may_have_been() == k, "%s %s that it may have been carried out: %s",
                    which, k ? "says" : "does not say", why());
            PROMISE(strlen(why()) > 20, "%s has a message: %s", which, why());
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
}

static void a_body_that_is_long(void)
{
    static const char *const queries[] = {"long=5", "long=5&framing=chunked", "long=70000",
                                          "long=70000&framing=chunked"};
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_of_row(client);
    int i, k;
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            zelf_request *request;
            zelf_response *response;
            char target[128], which[128];
            int next;
            snprintf(target, sizeof target, "/sandbox/bytes/1000?%s", queries[i]);
            request = request_to(kinds[k].method, target);
            forget_all();
            response = send_it(provider, request);
            /* Wait until the rest has arrived. */
            usleep(50000);
            next = outcome_at(provider, kinds[k].method, "/sandbox/bytes/1?status=201");
            snprintf(which, sizeof which, "a body that is too long (%s): a %s", queries[i],
                     kinds[k].method);
            PROMISE(zelf_response_http_status(response) == 200, "%s is a 200: %d", which,
                    zelf_response_http_status(response));
            PROMISE(length_of(response) == 1000, "%s has as many bytes as were announced: %lu", which,
                    (unsigned long)length_of(response));
            PROMISE(next == 201, "%s leaves nothing for the next answer: %d", which, next);
            PROMISE(arrived_at(target) == 1, "%s is sent once", which);
            zelf_response_free(response);
            zelf_request_free(request);
        }
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_malformed_answer_is_an_error(void)
{
    static const char *const faults[] = {
        "{\"kind\":\"garbage\",\"text\":\"hello\",\"path\":\"$\"}",
        "{\"kind\":\"raw\",\"text\":\"HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n"
        "Content-Length: 2\\r\\n\\r\\nab\",\"path\":\"$\"}",
        "{\"kind\":\"raw\",\"text\":\"HTTP/1.1 200 OK\\r\\nContent-Length: x\\r\\n\\r\\n\","
        "\"path\":\"$\"}",
        "{\"kind\":\"raw\",\"text\":\"HTTP/1.1 101 Switch\\r\\nUpgrade: x\\r\\n\\r\\n\",\"path\":\"$\"}",
        "{\"kind\":\"oversized_headers\",\"bytes\":1000000,\"line\":8000,\"path\":\"$\"}"};
    int i;
    for (i = 0; i < 5; i++) {
        zelf_client *client = new_client();
        zelf_session_provider *provider = provider_of_row(client);
        int outcome;
        arm(faults[i], kinds[1].path);
        forget_all();
        outcome = outcome_to(provider, request_of(&kinds[1]));
        fault(NULL);
        PROMISE(outcome == -ZELF_ERROR_BAD_RESPONSE || outcome == -ZELF_ERROR_RESPONSE_TOO_LARGE,
                "%s is ZELF_ERROR_BAD_RESPONSE or _RESPONSE_TOO_LARGE: %d", faults[i], outcome);
        PROMISE(arrived_at(kinds[1].path) == 1, "%s: a POST is not repeated", faults[i]);
        PROMISE(says_that_it_may_have_been(), "%s: it says that it may have been carried out: %s",
                faults[i], why());
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

/* ---- Idle connections ---- */

static void a_kept_connection_that_was_closed(void)
{
    int k, later;
    for (k = 0; k < 2; k++)
        for (later = 0; later < 2; later++) {
            zelf_client *client = new_client();
            zelf_session_provider *provider = provider_of_row(client);
            int outcome;
            zelf_session_free(zelf_session_provider_get(provider, NULL));
            /* The server closes after 600 ms. Within 1 s a POST would use the connection. */
            usleep(later ? 1200000 : 750000);
            forget_all();
            outcome = outcome_to(provider, request_of(&kinds[k]));
            PROMISE(outcome == 200,
                    "a %s after the server has closed the kept connection succeeds: %d", kinds[k].name,
                    outcome);
            PROMISE(arrived_at(target_of(&kinds[k])) == 1, "it is sent once: %d",
                    arrived_at(target_of(&kinds[k])));
            PROMISE(carried_out(line_of(&kinds[k])) == 1, "it is carried out once: %d",
                    carried_out(line_of(&kinds[k])));
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
}

/* ---- Time ---- */

static void the_time_limit_is_that_of_the_whole_call(void)
{
    static const struct {
        const char *what, *faults;
        int outcome, may_be_done, http_status;
    } limits[] = {
        {"a server that does not accept", "{\"kind\":\"stall\",\"stage\":\"accept\"}",
         -ZELF_ERROR_TIMEOUT, 0, 0},
        {"a server that does not answer", "{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"$\"}",
         -ZELF_ERROR_TIMEOUT, 1, 0},
        {"an answer that stops", "{\"kind\":\"stall\",\"stage\":\"body\",\"path\":\"$\"}",
         -ZELF_ERROR_TIMEOUT, 1, 200},
        {"an answer that drips", "{\"kind\":\"drip\",\"ms\":20,\"path\":\"$\",\"stage\":\"body\"}",
         -ZELF_ERROR_TIMEOUT, 1, 200},
        {"a session that does not come", "{\"kind\":\"stall\",\"stage\":\"request\","
         "\"path\":\"/api/sessions\"}", -ZELF_ERROR_TIMEOUT, 0, 0},
        {"a renewal that does not come", "[" REFUSAL("not_active") ",{\"kind\":\"stall\","
         "\"stage\":\"request\",\"path\":\"/api/sessions\"}]", -ZELF_ERROR_TIMEOUT, 0, 0}};
    int i, is_async;
    for (i = 0; i < 6; i++)
        for (is_async = 0; is_async < 2; is_async++) {
            zelf_client *client = new_client();
            zelf_session_provider *provider;
            zelf_request *request = request_of(&kinds[1]);
            const char *how = is_async ? ", asynchronously" : "";
            struct sent sent = {0};
            int outcome, may, is_exact, http_status = -1;
            double began, took;
            char identifier[64];

            snprintf(identifier, sizeof identifier, "time-%d-%d-x", i, is_async);
            provider = provider_for(client, identifier);
            if (i != 4) zelf_session_free(zelf_session_provider_get(provider, NULL));
            if (i == 0) usleep(1100000); /* A POST opens a new connection then. */
            zelf_request_set_timeout_ms(request, 400);
            arm(limits[i].faults, kinds[1].path);
            began = seconds_now();
            if (is_async) {
                begin_sending(provider, request, &sent);
                await_all(&sent, 1, 2 * AT_ONCE);
                outcome = sent.response ? 200 : -sent.status;
                may = strstr(sent.message, "may have carried") != NULL;
                is_exact = strstr(sent.message, " 400 ms") != NULL;
                release_all(&sent, 1);
            } else {
                outcome = outcome_of(send_it(provider, request));
                may = says_that_it_may_have_been();
                is_exact = strstr(why(), " 400 ms") != NULL;
                http_status = zelf_error_http_status(send_error);
            }
            took = seconds_now() - began;
            fault(NULL);
            PROMISE(outcome == limits[i].outcome, "%s is ZELF_ERROR_TIMEOUT%s: %d", limits[i].what,
                    how, outcome);
            PROMISE(may == limits[i].may_be_done, "%s: it %s that it may have been carried out%s",
                    limits[i].what, limits[i].may_be_done ? "says" : "does not say", how);
            PROMISE(is_exact, "%s: the message has the time limit%s", limits[i].what, how);
            PROMISE(took > 0.35, "%s: it waits until the time limit%s: %.2f s", limits[i].what, how,
                    took);
            PROMISE(took < AT_ONCE, "%s: it ends at the time limit%s: %.2f s", limits[i].what, how,
                    took);
            if (!is_async)
                PROMISE(http_status == limits[i].http_status, "%s: the error has the HTTP status: %d",
                        limits[i].what, http_status);
            zelf_request_free(request);
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
}

int main(void)
{
    each_answer_means_what_it_means();
    a_starting_server_is_waited_for_until_the_time_limit();
    the_words_of_an_answer_are_there();
    a_session_that_has_gone_is_replaced();
    a_ghost_is_reported();
    without_a_session_nothing_is_sent();
    a_connection_that_breaks();
    a_connection_that_is_not_made();
    an_upload_that_breaks();
    a_body_that_is_short();
    a_body_that_is_long();
    a_malformed_answer_is_an_error();
    a_kept_connection_that_was_closed();
    the_time_limit_is_that_of_the_whole_call();
    zelf_error_free(send_error);
    no_thread_is_left();
    return check_failed;
}
