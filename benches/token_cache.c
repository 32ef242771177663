#include "token_cache.h"

#include <stdlib.h>
#include <string.h>

static const time_t MIN_VALID_S = 5;

static struct shared_token *share(const char *text, size_t length)
{
    struct shared_token *token = malloc(sizeof *token + length + 1);
    if (!token) abort();
    token->count = 1;
    memcpy(token->text, text, length + 1);
    return token;
}

void token_cache_start(struct token_cache *cache, const char *token)
{
    pthread_mutex_init(&cache->mutex, NULL);
    cache->length = strlen(token);
    cache->token = share(token, cache->length);
    clock_gettime(CLOCK_REALTIME, &cache->expires_at);
    cache->expires_at.tv_sec += 3600;
}

static int is_valid(const struct token_cache *cache)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec + MIN_VALID_S < cache->expires_at.tv_sec;
}

char *token_cache_copy(struct token_cache *cache)
{
    char *copy = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (is_valid(cache) && (copy = malloc(cache->length + 1)))
        memcpy(copy, cache->token->text, cache->length + 1);
    pthread_mutex_unlock(&cache->mutex);
    return copy;
}

struct shared_token *token_cache_share(struct token_cache *cache)
{
    struct shared_token *token = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (is_valid(cache)) {
        token = cache->token;
        __atomic_fetch_add(&token->count, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&cache->mutex);
    return token;
}

void token_cache_give_back(struct shared_token *token)
{
    if (token && __atomic_sub_fetch(&token->count, 1, __ATOMIC_ACQ_REL) == 0) free(token);
}
