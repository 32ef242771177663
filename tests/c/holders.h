/* Clients with a provider each. Some threads use them while others replace them. */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <pthread.h>
#include <stdlib.h>

#include "check.h"

#ifndef PLACES
#error "define PLACES before this file is included"
#endif

struct holder {
    int users, by_host;
    uint32_t timeout_ms;
    zelf_client *client;
    zelf_session_provider *provider;
};

static struct holder *places[PLACES];
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

/* Returns NULL if there is none. */
static inline struct holder *enter(int place)
{
    struct holder *holder;
    pthread_mutex_lock(&places_lock);
    holder = places[place];
    if (holder) holder->users++;
    pthread_mutex_unlock(&places_lock);
    return holder;
}

/* The last thread frees both, because no thread may be inside a provider that is freed. */
static inline void leave(struct holder *holder, int provider_goes_first)
{
    int is_last;
    pthread_mutex_lock(&places_lock);
    is_last = --holder->users == 0;
    pthread_mutex_unlock(&places_lock);
    if (!is_last) return;
    if (!provider_goes_first) zelf_client_free(holder->client);
    zelf_session_provider_free(holder->provider);
    if (provider_goes_first) zelf_client_free(holder->client);
    free(holder);
}

#endif
