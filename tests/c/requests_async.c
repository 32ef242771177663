/* Asynchronous requests: concurrent, cancelled at each stage, and out of time. */
#include "sends.h"

#define ECHO "/sandbox/echo?id=async"
#define BURST 128

/* Starts a request whose body names it. */
static int begin_own(zelf_session_provider *provider, struct sent *sent, int number)
{
    zelf_request *request = zelf_request_new("POST", ECHO);
    char body[64];
    int begins;
    snprintf(body, sizeof body, "request %d", number);
    zelf_request_set_body(request, body, strlen(body), "text/plain");
    begins = begin_sending(provider, request, sent);
    /* A running request has a copy of its data. */
    zelf_request_set_body(request, "changed", 7, NULL);
    zelf_request_free(request);
    return begins;
}

static void each_gets_its_own_answer(void)
{
    static struct sent sent[BURST];
    zelf_client *client = new_client();
    zelf_session_provider *provider = provider_for(client, "burst-x");
    int i, own = 0, most, later;

    fault("{\"kind\":\"delay\",\"ms\":3000,\"times\":32,\"path\":\"/sandbox/echo\"}");
    forget_all();
    for (i = 0; i < BURST; i++) begin_own(provider, &sent[i], i);
    while ((most = most_at_once()) < 32) usleep(1000);
    usleep(100000);
    later = most_at_once();
    PROMISE(await_all(sent, BURST, 60), "%d requests end", BURST);
    fault(NULL);
    for (i = 0; i < BURST; i++) {
        char body[64];
        snprintf(body, sizeof body, "request %d", i);
        own += ended_with(&sent[i], 200) && strcmp(text_of(sent[i].response), body) == 0;
    }
    PROMISE(own == BURST, "each has its own answer in one callback, then one destroy: %d", own);
    PROMISE(carried_out("POST " ECHO) == BURST, "each is carried out once: %d",
            carried_out("POST " ECHO));
    PROMISE(later == 32 || getenv("ZELF_QUICK"), "32 are under way at once and no more: %d, %d", most,
            later);
    PROMISE(requests_arrived() <= 2, "they share one session: %d requests for it", requests_arrived());
    release_all(sent, BURST);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Cancelled at each stage ---- */

static const struct stage {
    const char *name, *faults, *method, *target;
    size_t body;
    int is_warm;   /* the provider already has its session */
    int may_be_done;
} stages[] = {
    {"waits for a session", "{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/api/sessions\"}",
     "POST", ECHO, 2, 0, 0},
    {"connects", "{\"kind\":\"stall\",\"stage\":\"accept\"}", "POST", ECHO, 2, 1, 0},
    {"ends its handshake", "{\"kind\":\"stall\",\"stage\":\"tls\"}", "POST", ECHO, 2, 1, 0},
    {"sends a large body", "{\"kind\":\"stall\",\"stage\":\"upload\"}", "POST", ECHO, 10000000, 1, 0},
    {"waits for its answer", "{\"kind\":\"stall\",\"stage\":\"answer\",\"path\":\"/sandbox/echo\"}",
     "POST", ECHO, 2, 1, 1},
    {"reads half of a head", "{\"kind\":\"stall\",\"stage\":\"half_head\",\"path\":\"/sandbox/echo\"}",
     "POST", ECHO, 2, 1, 1},
    {"reads a body", "{\"kind\":\"stall\",\"stage\":\"body\",\"path\":\"/sandbox/echo\"}", "POST", ECHO,
     100000, 1, 1},
    {"waits to repeat", "{\"kind\":\"answer\",\"status\":503,\"headers\":{\"Retry-After\":\"10\"},"
     "\"path\":\"/sandbox/echo\"}", "GET", ECHO, 0, 1, 0},
};

static char bytes[10000000];

static int accepted(void)
{
    sandbox("GET", "/sandbox/connections", "");
    return atoi(strstr(http_answer, "accepted\":") + 10);
}

static zelf_request *request_of(const struct stage *stage)
{
    zelf_request *request = request_to(stage->method, stage->target);
    if (stage->body) zelf_request_set_body(request, bytes, stage->body, NULL);
    zelf_request_set_max_response_bytes(request, sizeof bytes);
    return request;
}

/* Waits until the request is at its stage. */
static void wait_for_stage(const struct stage *stage, int accepted_before)
{
    double until = seconds_now() + AT_ONCE;
    int is_early = strstr(stage->faults, "accept") || strstr(stage->faults, "\"tls\"");
    while (seconds_now() < until) {
        if (is_early && accepted() > accepted_before) break;
        if (!is_early && times_in("/sandbox/requests", "\"method\"") > 0) break;
        usleep(2000);
    }
    /* Wait a little longer: the bytes of the sandbox have to arrive. */
    usleep(30000);
}

static void cancelled_at_each_stage(void)
{
    unsigned i;
    for (i = 0; i < sizeof stages / sizeof *stages; i++) {
        const struct stage *stage = &stages[i];
        zelf_client *client = new_client();
        struct sent sent = {0}, next = {0};
        zelf_session_provider *provider;
        zelf_request *request = request_of(stage);
        char identifier[64];
        double began, took;
        int done, before;

        snprintf(identifier, sizeof identifier, "stage-%u-x", i);
        provider = provider_for(client, identifier);
        if (stage->is_warm) zelf_session_free(zelf_session_provider_get(provider, NULL));
        fault(stage->faults);
        forget_all();
        before = accepted();
        begin_sending(provider, request, &sent);
        wait_for_stage(stage, before);
        began = seconds_now();
        zelf_call_cancel(sent.call);
        await_all(&sent, 1, AT_ONCE);
        took = seconds_now() - began;
        PROMISE(ended_with(&sent, -ZELF_ERROR_CANCELLED), "a request that %s is cancelled: %d",
                stage->name, sent.status);
        PROMISE(took < AT_ONCE, "it ends before its time limit: %.3f s", took);
        fault(NULL);
        done = carried_out("POST " ECHO);
        PROMISE(done == (strcmp(stage->method, "POST") == 0 && stage->may_be_done),
                "the request that %s was carried out %d times", stage->name, done);
        forget_all();
        begin_sending(provider, request, &next);
        await_all(&next, 1, 2 * AT_ONCE);
        PROMISE(ended_with(&next, 200), "the next one has its answer: %d %s", next.status,
                next.message);
        release_all(&sent, 1);
        release_all(&next, 1);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

static void shut_down_at_each_stage(void)
{
    unsigned i;
    for (i = 0; i < sizeof stages / sizeof *stages; i++) {
        const struct stage *stage = &stages[i];
        zelf_client *client = new_client();
        struct sent sent = {0};
        zelf_session_provider *provider;
        zelf_request *request = request_of(stage);
        char identifier[64];
        double began, took;
        int before;

        snprintf(identifier, sizeof identifier, "end-%u-x", i);
        provider = provider_for(client, identifier);
        if (stage->is_warm) zelf_session_free(zelf_session_provider_get(provider, NULL));
        fault(stage->faults);
        forget_all();
        before = accepted();
        begin_sending(provider, request, &sent);
        wait_for_stage(stage, before);
        began = seconds_now();
        if (i % 2) zelf_client_free(client);
        else zelf_client_shutdown(client, 20000);
        await_all(&sent, 1, AT_ONCE);
        took = seconds_now() - began;
        PROMISE(ended_with(&sent, -ZELF_ERROR_CANCELLED), "a request that %s ends with its client: %d",
                stage->name, sent.status);
        PROMISE(took < AT_ONCE, "it ends before its time limit: %.3f s", took);
        fault(NULL);
        release_all(&sent, 1);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        if (i % 2 == 0) zelf_client_free(client);
    }
}

/* ---- 32 connections ---- */

static void waiting_for_a_place(void)
{
    static struct sent full[32], waits, late;
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "place-x");
    zelf_session *session = zelf_session_provider_get(provider, NULL);
    zelf_request *request = request_to("POST", "/sandbox/echo?id=place");
    double began, took;
    int i, outcome;

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
    forget_all();
    for (i = 0; i < 32; i++) begin_own(provider, &full[i], i);
    while (arrived_at(ECHO) < 32) usleep(2000);
    begin_sending(provider, request, &waits);
    zelf_request_set_timeout_ms(request, 300);
    began = seconds_now();
    begin_sending(provider, request, &late);
    await_all(&late, 1, 10);
    took = seconds_now() - began;
    PROMISE(ended_with(&late, -ZELF_ERROR_TIMEOUT),
            "an asynchronous request that waits for a place times out: %d", late.status);
    PROMISE(!strstr(late.message, "may have carried"), "its message does not say \"may have carried\": %s",
            late.message);
    PROMISE(took > 0.25, "it waits until its time limit: %.2f s", took);
    PROMISE(took < AT_ONCE, "it ends at its time limit: %.2f s", took);
    began = seconds_now();
    outcome = outcome_of(zelf_session_send(client, session, request, next_error()));
    took = seconds_now() - began;
    PROMISE(outcome == -ZELF_ERROR_TIMEOUT, "a blocking request that waits for a place times out: %d",
            outcome);
    PROMISE(!strstr(why(), "may have carried"), "its message does not say \"may have carried\": %s", why());
    PROMISE(took > 0.25, "it waits until its time limit: %.2f s", took);
    PROMISE(took < AT_ONCE, "it ends at its time limit: %.2f s", took);
    zelf_call_cancel(waits.call);
    await_all(&waits, 1, 5);
    PROMISE(ended_with(&waits, -ZELF_ERROR_CANCELLED), "a request that waits for a place is cancelled");
    PROMISE(arrived_at("/sandbox/echo?id=place") == 0, "no request that waited for a place was sent");
    fault(NULL);
    zelf_call_cancel(full[0].call);
    zelf_request_set_timeout_ms(request, 20000);
    outcome = outcome_of(zelf_session_send(client, session, request, next_error()));
    PROMISE(outcome == 200, "a request that ends gives its place to the next: %d", outcome);
    for (i = 0; i < 32; i++) zelf_call_cancel(full[i].call);
    await_all(full, 32, 10);
    for (i = 0, outcome = 0; i < 32; i++) outcome += ended_with(&full[i], -ZELF_ERROR_CANCELLED);
    PROMISE(outcome == 32, "the others are cancelled: %d", outcome);
    release_all(full, 32);
    release_all(&waits, 1);
    release_all(&late, 1);
    zelf_request_free(request);
    zelf_session_free(session);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

/* ---- Answers and refusals ---- */

static void an_answer_means_the_same(void)
{
    static const struct {
        const char *faults;
        int get, gets, post, posts;
    } rows[] = {
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"not_active\",\"times\":1}", 200, 2,
         200, 2},
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"not_active\"}",
         -ZELF_ERROR_GHOST_SESSION, 3, -ZELF_ERROR_GHOST_SESSION, 3},
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"protected\"}", 401, 2, 401, 2},
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"invalid_session\"}", 401, 1, 401, 1},
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"starting\",\"times\":1}", 200, 2, 404,
         1},
        {"{\"kind\":\"refusal\",\"path\":\"/sandbox/echo\",\"as\":\"unavailable\",\"times\":2}", 200, 3,
         503, 1},
        {"{\"kind\":\"answer\",\"path\":\"/sandbox/echo\",\"status\":429}", 429, 3, 429, 1},
        {"{\"kind\":\"answer\",\"path\":\"/sandbox/echo\",\"status\":500}", 500, 1, 500, 1},
        {"{\"kind\":\"redirect\",\"path\":\"/sandbox/echo\"}", 301, 1, 301, 1},
        {"{\"kind\":\"reset\",\"path\":\"/sandbox/echo\",\"stage\":\"answer\",\"times\":1}", 200, 2,
         -ZELF_ERROR_CONNECTION_LOST, 1},
        {"{\"kind\":\"close\",\"path\":\"/sandbox/echo\",\"stage\":\"body\",\"times\":1}", 200, 2,
         -ZELF_ERROR_CONNECTION_LOST, 1}};
    unsigned i, k;
    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        for (k = 0; k < 2; k++) {
            zelf_client *client = new_client();
            struct sent sent = {0};
            zelf_session_provider *provider;
            zelf_request *request = request_to("POST", ECHO);
            const char *kind = k ? ", not repeatable" : "";
            int outcome = k ? rows[i].post : rows[i].get, arrived;
            char identifier[64];
            snprintf(identifier, sizeof identifier, "answer-%u-%u-x", i, k);
            provider = warm_provider(client, identifier);
            zelf_request_set_repeatable(request, !k);
            fault(rows[i].faults);
            forget_all();
            begin_sending(provider, request, &sent);
            await_all(&sent, 1, 20);
            fault(NULL);
            arrived = arrived_at(ECHO);
            PROMISE(ended_with(&sent, outcome), "%s is %d%s", rows[i].faults, outcome, kind);
            PROMISE(arrived == (k ? rows[i].posts : rows[i].gets), "%s: %d requests arrive%s",
                    rows[i].faults, arrived, kind);
            PROMISE((strstr(sent.message, "may have carried") != NULL)
                        == (outcome == -ZELF_ERROR_CONNECTION_LOST),
                    "%s: the message says whether it may have been carried out%s: %s",
                    rows[i].faults, kind, sent.message);
            release_all(&sent, 1);
            zelf_request_free(request);
            zelf_session_provider_free(provider);
            zelf_client_free(client);
        }
}

static void a_hundred_refused_calls_cause_one_renewal(void)
{
    static struct sent sent[100];
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "hundred-async-x");
    zelf_request *request = request_to("POST", "/api/zelf-name-service/v2/preview-zelfproof");
    int i, fine = 0;

    sandbox("POST", "/sandbox/use", "");
    forget_all();
    for (i = 0; i < 100; i++) begin_sending(provider, request, &sent[i]);
    await_all(sent, 100, 60);
    for (i = 0; i < 100; i++) fine += ended_with(&sent[i], 200);
    PROMISE(fine == 100, "a hundred calls whose session is used up get their 200: %d", fine);
    PROMISE(kills_arrived() == 1, "the session is renewed once: %d kills", kills_arrived());
    PROMISE(carried_out("POST /api/zelf-name-service/v2/preview-zelfproof") == 100,
            "each request is carried out once");
    release_all(sent, 100);
    zelf_request_free(request);
    zelf_session_provider_free(provider);
    zelf_client_free(client);
}

static void a_request_under_way_outlives_its_provider(void)
{
    zelf_client *client = new_client();
    zelf_session_provider *provider = warm_provider(client, "outlives-x");
    struct sent sent = {0};

    fault("{\"kind\":\"delay\",\"ms\":100,\"path\":\"/sandbox/echo\"}");
    begin_own(provider, &sent, 1);
    zelf_session_provider_free(provider);
    zelf_call_free(sent.call);
    sent.call = NULL;
    await_all(&sent, 1, 10);
    fault(NULL);
    PROMISE(ended_with(&sent, 200) && strcmp(text_of(sent.response), "request 1") == 0,
            "a request goes on after its provider, call and request are freed");
    zelf_client_free(client);
    PROMISE(strcmp(text_of(sent.response), "request 1") == 0, "its response outlives the client");
    release_all(&sent, 1);
}

/* A blocking and an asynchronous request that are out of time say the same. */
static void out_of_time_means_the_same(void)
{
    /* A small request is sent within its time limit, also on a busy machine. */
    static const struct { const char *stage; size_t body; unsigned ms; int may_be_done; } rows[] = {
        {"upload", sizeof bytes, 700, 0}, {"answer", 2, 3000, 1}, {"half_head", 2, 3000, 1}};
    unsigned i;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        zelf_client *client = new_client();
        zelf_session_provider *provider = warm_provider(client, "out-of-time-x");
        zelf_request *request = zelf_request_new("POST", ECHO);
        struct sent sent = {0};
        char stall[128];
        zelf_request_set_body(request, bytes, rows[i].body, "text/plain");
        zelf_request_set_timeout_ms(request, rows[i].ms);
        snprintf(stall, sizeof stall, "{\"kind\":\"stall\",\"stage\":\"%s\",\"path\":\"/sandbox/echo\"}",
                 rows[i].stage);
        fault(stall);
        PROMISE(outcome_of(send_it(provider, request)) == -ZELF_ERROR_TIMEOUT,
                "%s: a stalled request is ZELF_ERROR_TIMEOUT",
                rows[i].stage);
        PROMISE((strstr(why(), "may have carried") != NULL) == rows[i].may_be_done,
                "%s: the error says whether it may have been carried out: %s", rows[i].stage, why());
        begin_sending(provider, request, &sent);
        PROMISE(await_all(&sent, 1, 20) && ended_with(&sent, -ZELF_ERROR_TIMEOUT),
                "%s: a stalled asynchronous request is ZELF_ERROR_TIMEOUT", rows[i].stage);
        PROMISE((strstr(sent.message, "may have carried") != NULL) == rows[i].may_be_done,
                "%s: its error says the same: %s", rows[i].stage, sent.message);
        fault(NULL);
        release_all(&sent, 1);
        zelf_request_free(request);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
    }
}

/* Sends with a session of the caller, or without one. */
static void a_session_of_the_caller_is_not_renewed(void)
{
    static struct sent with, without, refused, stalled;
    zelf_client *client = new_client();
    zelf_session *session = create(client, "own-session-x", NULL);
    zelf_request *token = request_to("GET", "/sandbox/echo?check=token");
    zelf_request *checked = request_to("GET", "/sandbox/echo?check=session");
    double began;

    with.call = zelf_session_send_async(client, session, checked, on_response, &with,
                                        on_sent_destroy, next_error());
    PROMISE(await_all(&with, 1, 10) && ended_with(&with, 200),
            "an asynchronous request has the caller's token");
    without.call = zelf_session_send_async(client, NULL, token, on_response, &without,
                                           on_sent_destroy, next_error());
    PROMISE(await_all(&without, 1, 10) && ended_with(&without, 401), "without a session it has none");

    sandbox("POST", "/sandbox/use", "{\"identifier\":\"own-session-x\"}");
    forget_all();
    refused.call = zelf_session_send_async(client, session, checked, on_response, &refused,
                                           on_sent_destroy, next_error());
    PROMISE(await_all(&refused, 1, 10) && ended_with(&refused, 403),
            "an answer that refuses the session is a response");
    PROMISE(requests_arrived() == 0, "the session is not renewed: %d", requests_arrived());

    fault("{\"kind\":\"stall\",\"stage\":\"request\",\"path\":\"/sandbox/echo\"}");
    began = seconds_now();
    stalled.call = zelf_session_send_async(client, session, checked, on_response, &stalled,
                                           on_sent_destroy, next_error());
    zelf_session_free(session);
    zelf_request_free(checked);
    zelf_request_free(token);
    zelf_call_cancel(stalled.call);
    PROMISE(await_all(&stalled, 1, 10) && ended_with(&stalled, -ZELF_ERROR_CANCELLED),
            "it can be cancelled, after its session and request are freed");
    PROMISE(seconds_now() - began < AT_ONCE, "it ends before its time limit");
    fault(NULL);
    release_all(&with, 1);
    release_all(&without, 1);
    release_all(&refused, 1);
    release_all(&stalled, 1);
    zelf_client_free(client);
}

int main(void)
{
    each_gets_its_own_answer();
    cancelled_at_each_stage();
    shut_down_at_each_stage();
    waiting_for_a_place();
    an_answer_means_the_same();
    a_hundred_refused_calls_cause_one_renewal();
    a_request_under_way_outlives_its_provider();
    out_of_time_means_the_same();
    a_session_of_the_caller_is_not_renewed();
    zelf_error_free(send_error);
    no_thread_is_left();
    return check_failed;
}
