/* libzelf's asynchronous calls through its C ABI. DISPATCH 0: callbacks run on
   the library's thread. DISPATCH 1: a loop of ours runs them. */
#include "async_client.h"
#include "identifier.h"

#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <zelf.h>

struct slot {
    struct state *state;
    char identifier[IDENTIFIER_SIZE];
};

/* Callbacks run one at a time, and the first calls start after these are set, so
   no lock is needed. */
struct state {
    zelf_client *client;
    struct slot *slots;
    int in_flight;
    long to_start, under_way;
    int fine;
    sem_t ended;
};

static void *start(const char *base_url, const char *ca_file, int in_flight)
{
    struct state *state = calloc(1, sizeof *state);
    zelf_config *config = zelf_config_new();
    int i;

    zelf_config_set_base_url(config, base_url);
    zelf_config_set_origin(config, "https://app.example");
    zelf_config_set_ca_file(config, ca_file);
    zelf_config_set_dispatch(config, DISPATCH);
    state->client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    state->in_flight = in_flight;
    state->slots = calloc((size_t)in_flight, sizeof *state->slots);
    for (i = 0; i < in_flight; i++) {
        state->slots[i].state = state;
        name_identifier(state->slots[i].identifier, i);
    }
    sem_init(&state->ended, 0, 0);
    return state;
}

static void call(struct slot *slot);

static void called_back(zelf_session *session, zelf_error *error, void *user_data)
{
    struct slot *slot = user_data;
    struct state *state = slot->state;

    if (!zelf_session_token(session)) state->fine = 0;
    zelf_session_free(session);
    zelf_error_free(error);
    if (state->to_start > 0) {
        state->to_start--;
        call(slot);
    } else if (--state->under_way == 0) {
        sem_post(&state->ended);
    }
}

static void call(struct slot *slot)
{
    zelf_session_options *options = zelf_session_options_new();
    zelf_call *made;

    zelf_session_options_set_identifier(options, slot->identifier);
    made = zelf_session_create_async(slot->state->client, options, called_back, slot, NULL, NULL);
    if (!made) {
        fprintf(stderr, "%s: a call did not start\n", async_client.name);
        exit(1);
    }
    zelf_call_free(made);
    zelf_session_options_free(options);
}

static int run(void *of, long calls)
{
    struct state *state = of;
    int first = calls < state->in_flight ? (int)calls : state->in_flight, i;

    state->fine = 1;
    state->under_way = first;
    state->to_start = calls - first;
    for (i = 0; i < first; i++) call(&state->slots[i]);
    if (DISPATCH) {
        struct pollfd due = {zelf_client_descriptor(state->client), POLLIN, 0};
        while (state->under_way > 0) {
            poll(&due, 1, -1);
            zelf_client_dispatch(state->client);
        }
    }
    sem_wait(&state->ended);
    return state->fine;
}

static void stop(void *of)
{
    struct state *state = of;
    zelf_client_shutdown(state->client, 5000);
    zelf_client_free(state->client);
    sem_destroy(&state->ended);
    free(state->slots);
    free(state);
}

const struct async_client async_client = {DISPATCH ? "libzelf, dispatched" : "libzelf", start, run,
                                          stop};
