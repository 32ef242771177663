/* A token behind a mutex, as the C++ SDKs of the clouds keep theirs. */
#ifndef TOKEN_CACHE_H
#define TOKEN_CACHE_H

#include <pthread.h>
#include <stddef.h>
#include <time.h>

/* A text that is copied once and counted after that. */
struct shared_token {
    int count;
    char text[];
};

struct token_cache {
    pthread_mutex_t mutex;
    struct timespec expires_at;
    struct shared_token *token;
    size_t length;
};

void token_cache_start(struct token_cache *cache, const char *token);

/* A copy, as google-cloud-cpp returns it. NULL: expired. For free(). */
char *token_cache_copy(struct token_cache *cache);

/* A counted reference, which is what a cache of shared_ptr returns. */
struct shared_token *token_cache_share(struct token_cache *cache);
void token_cache_give_back(struct shared_token *token);

#endif
