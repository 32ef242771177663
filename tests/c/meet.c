/* What concurrent calls of one client share, and what they do not share. */
#include "calls.h"

enum { MANY = 200, NAMES = 24 };

static struct record records[MANY];

static int starts(zelf_client *client, struct record *record, const zelf_session_options *options)
{
    pthread_mutex_lock(&calls_lock);
    record->call = zelf_session_create_async(client, options, on_session, record, on_destroy, NULL);
    pthread_mutex_unlock(&calls_lock);
    return record->call != NULL;
}

/* Injects another fault in addition to the existing ones. */
static void fault_too(const char *json) { sandbox("POST", "/sandbox/faults", json); }

static int is_live(const struct record *record)
{
    return record->session && route_status(zelf_session_authorization(record->session)) == 200;
}

static zelf_client *begins(uint32_t timeout_ms, uint32_t attempts)
{
    memset(records, 0, sizeof records);
    forget_requests();
    return sandbox_client(1, timeout_ms, attempts);
}

static void ends(zelf_client *client, int count)
{
    fault(NULL);
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);
    release(records, count);
}

static void await_requests(int count)
{
    int i;
    for (i = 0; i < 10000 && requests_arrived() < count; i++) usleep(1000);
}

/* 'k': kills; 'p': plain. All calls have started before the first gets its answer. */
static void start_in_order(zelf_client *client, const char *kinds)
{
    zelf_session_options *plain = options_for("meet-kills-x"), *kill = options_for("meet-kills-x");
    int i;
    zelf_session_options_set_kill_session(kill, true);
    fault("{\"kind\":\"delay\",\"ms\":400}");
    for (i = 0; kinds[i]; i++) starts(client, &records[i], kinds[i] == 'k' ? kill : plain);
    await(records, i, 15);
    zelf_session_options_free(plain);
    zelf_session_options_free(kill);
}

static void equal_kills_share_one_request(void)
{
    zelf_client *client = begins(15000, 1);
    int live;
    start_in_order(client, "kpk");
    fault(NULL);
    PROMISE(requests_arrived() == 2, "kill, plain, kill at once are two requests: %d",
            requests_arrived());
    live = is_live(&records[0]) + is_live(&records[1]) + is_live(&records[2]);
    PROMISE(live == 3, "the tokens of all three are live: %d", live);
    ends(client, 3);

    client = begins(15000, 1);
    start_in_order(client, "pkpkpp");
    fault(NULL);
    live = is_live(&records[1]) + is_live(&records[2]) + is_live(&records[3]) + is_live(&records[4])
           + is_live(&records[5]);
    PROMISE(requests_arrived() == 2 && live == 5,
            "a call behind a kill does not get the session that it ends: %d requests, %d of 5",
            requests_arrived(), live);
    ends(client, 6);
}

static void calls_that_alternate_are_two_requests(void)
{
    zelf_client *client = begins(15000, 1);
    zelf_session_options *one = options_for("meet-turns-x"), *other = options_for("meet-turns-x");
    int i;
    zelf_session_options_set_type(other, ZELF_SESSION_TYPE_DECRYPT_WALLET);
    fault("{\"kind\":\"delay\",\"ms\":500}");
    for (i = 0; i < MANY; i++) starts(client, &records[i], i % 2 ? other : one);
    PROMISE(await(records, MANY, 20) && exactly_once(records, MANY, ZELF_OK) == MANY
                && requests_arrived() == 2,
            "%d calls with options that alternate are two requests: %d", MANY, requests_arrived());
    zelf_session_options_free(one);
    zelf_session_options_free(other);
    ends(client, MANY);
}

static void names_do_not_wait_for_each_other(void)
{
    zelf_client *client = begins(15000, 1);
    double began = seconds_now(), took;
    int i;
    fault("{\"kind\":\"delay\",\"ms\":500}");
    for (i = 0; i < NAMES; i++) {
        char name[32];
        zelf_session_options *options = zelf_session_options_new();
        snprintf(name, sizeof name, "meet-%d.zelf", i);
        zelf_session_options_set_tag_name(options, name);
        starts(client, &records[i], options);
        zelf_session_options_free(options);
    }
    await(records, NAMES, 20);
    took = seconds_now() - began;
    PROMISE(exactly_once(records, NAMES, ZELF_OK) == NAMES && took < 0.5 * NAMES / 2,
            "calls without an identifier for %d tag names do not take turns: %.1f s", NAMES, took);
    ends(client, NAMES);
}

/* The first call has 8 s, of which the answer takes 6. The second one starts later. An emulator has
   a multiple of each time. */
static void a_wait_too_long_for_one_is_not_for_another(void)
{
    zelf_client *client = begins(8000, 3);
    int times = slowness();
    char delay[100], answer[200];
    snprintf(delay, sizeof delay, "{\"kind\":\"delay\",\"ms\":%d,\"times\":1}", 6000 * times);
    snprintf(answer, sizeof answer,
             "{\"kind\":\"answer\",\"status\":429,\"text\":\"slow down\","
             "\"headers\":{\"Retry-After\":\"%d\"},\"times\":1}", 3 * times);
    fault(delay);
    fault_too(answer);
    start(client, &records[0], "meet-wait-x");
    await_requests(1);
    usleep(4000000 * (useconds_t)times);
    start(client, &records[1], "meet-wait-x");
    start(client, &records[2], "meet-wait-x");
    await(records, 3, 20 * times);
    PROMISE(records[0].status == ZELF_ERROR_RATE_LIMITED && records[1].status == ZELF_OK
                && records[2].status == ZELF_OK && requests_arrived() == 2,
            "a call with more time left waits as the server asks, and goes on: %s, %s, %d requests",
            zelf_status_name(records[0].status), zelf_status_name(records[1].status),
            requests_arrived());
    PROMISE(records[1].ended - records[0].ended > 2.5, "not earlier than it asks: %.1f s",
            records[1].ended - records[0].ended);
    ends(client, 3);
}

static void attempts_are_each_calls_own(void)
{
    zelf_client *client = begins(15000, 1);
    fault("{\"kind\":\"delay\",\"ms\":500,\"times\":1}");
    fault_too("{\"kind\":\"answer\",\"status\":503,\"text\":\"busy\",\"times\":1}");
    start(client, &records[0], "meet-attempts-x");
    start(client, &records[1], "meet-attempts-x");
    start(client, &records[2], "meet-attempts-x");
    await(records, 3, 15);
    PROMISE(records[0].status == ZELF_ERROR_SERVER && records[1].status == ZELF_OK
                && records[2].status == ZELF_OK && requests_arrived() == 2,
            "a call that waits keeps its attempts when another has used up its own: %d requests",
            requests_arrived());
    ends(client, 3);
}

static void an_outage_is_not_asked_for_each_call(void)
{
    enum { CALLS = 24 };
    zelf_client *client = begins(30000, 1);
    int i;
    fault("{\"kind\":\"delay\",\"ms\":300}");
    fault_too("{\"kind\":\"answer\",\"status\":503,\"text\":\"busy\"}");
    for (i = 0; i < CALLS; i++) start(client, &records[i], "meet-outage-x");
    await(records, CALLS, 30);
    PROMISE(exactly_once(records, CALLS, ZELF_ERROR_SERVER) == CALLS && requests_arrived() <= 5,
            "%d calls of one attempt each make at most five requests in an outage: %d", CALLS,
            requests_arrived());
    ends(client, CALLS);
}

static void an_answer_that_forbids_is_shared(void)
{
    zelf_client *client = begins(15000, 3);
    int i;
    fault("{\"kind\":\"delay\",\"ms\":500}");
    fault_too("{\"kind\":\"answer\",\"status\":409,\"validation_error\":\"no\"}");
    for (i = 0; i < 8; i++) start(client, &records[i], "meet-no-x");
    await(records, 8, 15);
    PROMISE(exactly_once(records, 8, ZELF_ERROR_VALIDATION) == 8 && requests_arrived() == 1,
            "calls that would get the same error make one request: %d", requests_arrived());
    ends(client, 8);
}

/* The first attempt is refused, and its connection is kept. */
static void a_dead_kept_connection_costs_no_attempt(void)
{
    zelf_client *client = begins(15000, 2);
    zelf_error *error = NULL;
    zelf_session *session;
    int i;
    for (i = 0; i < 2; i++) {
        fault("{\"kind\":\"answer\",\"status\":503,\"text\":\"busy\",\"times\":1}");
        fault_too("{\"kind\":\"reset\",\"stage\":\"request\",\"times\":1}");
        forget_requests();
        if (i == 0) {
            session = create(client, "meet-dead-x", &error);
            PROMISE(session && requests_arrived() == 3,
                    "a call whose second attempt meets a dead connection succeeds: %s",
                    session ? "a session" : zelf_error_message(error));
            zelf_session_free(session);
            zelf_error_free(error);
        } else {
            start(client, &records[0], "meet-dead-y");
            await(records, 1, 15);
            PROMISE(records[0].status == ZELF_OK && requests_arrived() == 3,
                    "an asynchronous call of this kind succeeds, too: %s",
                    zelf_status_name(records[0].status));
        }
        fault(NULL);
    }
    ends(client, 1);
}

int main(void)
{
    equal_kills_share_one_request();
    calls_that_alternate_are_two_requests();
    names_do_not_wait_for_each_other();
    a_wait_too_long_for_one_is_not_for_another();
    attempts_are_each_calls_own();
    an_outage_is_not_asked_for_each_call();
    an_answer_that_forbids_is_shared();
    a_dead_kept_connection_costs_no_attempt();
    no_thread_is_left();
    return check_failed;
}
