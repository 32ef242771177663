/* Identifiers that the server handles well, and a single request per identifier. */
#include <pthread.h>

#include "check.h"

#define CALLERS 8

static void identifiers_are_made(void)
{
    char one[ZELF_IDENTIFIER_SIZE], other[ZELF_IDENTIFIER_SIZE], untouched[4] = "abc";

    PROMISE(zelf_identifier_derive("serial-0001", one, sizeof one) == ZELF_OK
                && strcmp(one, "b19869862375fa324ef230d85dc24bf9") == 0,
            "a device id gives the same identifier in every version");
    PROMISE(zelf_identifier_derive("serial-0002", other, sizeof other) == ZELF_OK
                && strcmp(one, other) != 0,
            "another device id gives another identifier");
    PROMISE(zelf_identifier_random(one, sizeof one) == ZELF_OK
                && zelf_identifier_random(other, sizeof other) == ZELF_OK,
            "random identifiers can be made");
    PROMISE(strlen(one) == 32, "a random identifier has 32 digits: %s", one);
    PROMISE(strspn(one, "0123456789abcdef") == 32, "they are lower-case hex digits: %s", one);
    PROMISE(strcmp(one, other) != 0, "two random identifiers differ");
    PROMISE(zelf_identifier_derive(NULL, one, sizeof one) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL device id is refused");
    PROMISE(zelf_identifier_derive("", one, sizeof one) == ZELF_ERROR_INVALID_ARGUMENT,
            "an empty device id is refused");
    PROMISE(zelf_identifier_derive("x", NULL, 99) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL buffer for a derived identifier is refused");
    PROMISE(zelf_identifier_random(NULL, 99) == ZELF_ERROR_INVALID_ARGUMENT,
            "a NULL buffer for a random identifier is refused");
    PROMISE(zelf_identifier_derive("x", untouched, sizeof untouched) == ZELF_ERROR_INVALID_ARGUMENT,
            "a buffer that is too small for a derived identifier is refused");
    PROMISE(zelf_identifier_random(untouched, 0) == ZELF_ERROR_INVALID_ARGUMENT,
            "a buffer that is too small for a random identifier is refused");
    PROMISE(strcmp(untouched, "abc") == 0, "a buffer that is too small is not written to");
}

static void a_derived_identifier_makes_no_ghost(void)
{
    char identifier[ZELF_IDENTIFIER_SIZE];
    zelf_client *client = sandbox_client(1, 20000, 1);
    int i, live = 0;
    bool made = zelf_identifier_derive("my-device-1", identifier, sizeof identifier) == ZELF_OK;

    for (i = 0; made && i < 3; i++) {
        zelf_session *session = create(client, identifier, NULL);
        live += session && route_status(zelf_session_authorization(session)) == 200;
        zelf_session_free(session);
    }
    PROMISE(live == 3, "a derived identifier gets a live session each time");
    zelf_client_free(client);
}

static void *one_call(void *client)
{
    return create(client, "0123456789abcdef0123456789abcdef", NULL);
}

static void equal_calls_are_one_request(void)
{
    zelf_client *client = sandbox_client(1, 10000, 1);
    pthread_t threads[CALLERS];
    zelf_session *sessions[CALLERS];
    int i, live = 0, same = 0;

    fault("{\"kind\":\"delay\",\"ms\":500}");
    forget_requests();
    for (i = 0; i < CALLERS; i++) pthread_create(&threads[i], NULL, one_call, client);
    for (i = 0; i < CALLERS; i++) {
        void *session;
        pthread_join(threads[i], &session);
        sessions[i] = session;
    }
    PROMISE(requests_arrived() == 1, "calls at once with equal options are one request");
    fault(NULL);
    for (i = 0; i < CALLERS; i++) {
        live += sessions[i] && route_status(zelf_session_authorization(sessions[i])) == 200;
        same += sessions[i] && sessions[i] != sessions[0];
    }
    PROMISE(live == CALLERS, "each caller's token is live: %d of %d", live, CALLERS);
    PROMISE(same == CALLERS - 1, "each caller owns a session that it frees");
    for (i = 0; i < CALLERS; i++) zelf_session_free(sessions[i]);
    zelf_client_free(client);
}

int main(void)
{
    identifiers_are_made();
    a_derived_identifier_makes_no_ghost();
    equal_calls_are_one_request();
    return check_failed;
}
