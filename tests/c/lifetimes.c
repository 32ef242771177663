/* Objects that many threads make and free leave no memory or descriptors behind. */
#include "calls.h"
#include "heap.h"

#define THREADS 8
/* The per-thread caches of an allocator may differ by this much. */
#define SLACK (64 * 1024)

static long heap(void) { return (long)heap_in_use(); }

static int lives, failed;

static void *make_and_free(void *unused)
{
    int life;
    (void)unused;
    for (life = 0; life < lives; life++) {
        zelf_config *config = zelf_config_new();
        zelf_session_options *options = options_for("lifetimes-x");
        zelf_client *client;
        zelf_session_provider *provider;
        zelf_config_set_base_url(config, "http://127.0.0.1:1");
        client = zelf_client_new(config, NULL);
        provider = zelf_session_provider_new(client, options, NULL, NULL);
        if (!client || !provider) set_flag(&failed, 1);
        zelf_session_provider_free(provider);
        zelf_client_free(client);
        zelf_session_options_free(options);
        zelf_config_free(config);
    }
    return NULL;
}

static void *call_and_free(void *unused)
{
    int life;
    (void)unused;
    for (life = 0; life < lives; life++) {
        struct record record = {0};
        zelf_client *client = sandbox_client(0, 5000, 1);
        zelf_session *session = create(client, "lifetimes-x", NULL);
        if (!session || !start(client, &record, NULL) || !await(&record, 1, 20)) set_flag(&failed, 1);
        if (zelf_client_shutdown(client, 20000) != ZELF_OK) set_flag(&failed, 1);
        release(&record, 1);
        zelf_session_free(session);
        zelf_client_free(client);
    }
    return NULL;
}

/* Runs several rounds, each with new threads. */
static void repeat(void *(*work)(void *), int rounds)
{
    pthread_t threads[THREADS];
    int round, i;
    for (round = 0; round < rounds; round++) {
        for (i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
        for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    }
}

static void does_not_grow(void *(*work)(void *), int rounds, int lives_a_round, const char *promise)
{
    long before, after;
    lives = lives_a_round;
    repeat(work, rounds / 2);
    before = heap();
    repeat(work, rounds);
    after = heap();
    PROMISE(!get_flag(&failed) && after - before < SLACK, "%s: %ld KiB, %ld KiB after %d rounds",
            promise, before / 1024, after / 1024, rounds);
}

int main(void)
{
    does_not_grow(make_and_free, 100, 200, "the heap does not grow with clients and providers");
    does_not_grow(call_and_free, 20, 5, "nor with clients that have called");
    no_thread_is_left();
    return check_failed;
}
