/* Loads and unloads the library a thousand times, with calls and thread exits in between, together
   with OpenSSL and another library in Rust. Arguments: libzelf.so, the other library. */
#include <dlfcn.h>
#include <pthread.h>

#include "check.h"
#include "loaded.h"

/* ISO C has no conversion from an object pointer to a function pointer. */
#define LOOK_UP(library, function) (*(void **)&(function) = dlsym((library), #function))

static struct loaded lib;

static int load(void *library)
{
#define LOAD(function) \
    if (!library || !(*(void **)&lib.function = dlsym(library, #function))) return 0;
    EACH_LOADED(LOAD)
    return 1;
}

static zelf_client *make_client(void)
{
    zelf_config *config = lib.zelf_config_new();
    zelf_client *client;
    lib.zelf_config_set_base_url(config, need_env("ZELF_HTTP"));
    client = lib.zelf_client_new(config, NULL);
    lib.zelf_config_free(config);
    return client;
}

static pthread_barrier_t has_called, is_unloaded;

/* Runs longer than the library is loaded. The library's data in this thread is destroyed after the
   library. */
static void *call_and_outlive(void *client)
{
    zelf_session *session = lib.zelf_session_create(client, NULL, NULL);
    int fine = session != NULL;
    lib.zelf_session_free(session);
    pthread_barrier_wait(&has_called);
    pthread_barrier_wait(&is_unloaded);
    return fine ? client : NULL;
}

static int callbacks;

static void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    (void)user_data;
    __sync_fetch_and_add(&callbacks, 1);
    lib.zelf_session_free(session);
    lib.zelf_error_free(error);
}

int main(int argc, char **argv)
{
    bool (*second_library_works)(void);
    const void *(*TLS_client_method)(void);
    void *(*SSL_CTX_new)(const void *);
    void (*SSL_CTX_free)(void *);
    const char *path = argc > 1 ? argv[1] : "";
    const char *other = argc > 2 ? argv[2] : NULL;
    int rounds = argc > 3 ? atoi(argv[3]) : 1000, round, fine = 0, neighbours = 1, started = 0;
    int has_openssl = 0;

    pthread_barrier_init(&has_called, NULL, 2);
    pthread_barrier_init(&is_unloaded, NULL, 2);
    for (round = 0; round < rounds; round++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *result = NULL;
        void *second = other ? dlopen(other, RTLD_NOW | RTLD_LOCAL) : NULL;
        void *openssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
        zelf_client *client;
        pthread_t thread;

        if (!load(library)) break;
        neighbours &= !other || second;
        has_openssl |= openssl != NULL;
        if (second && LOOK_UP(second, second_library_works)) neighbours &= second_library_works();
        if (openssl && LOOK_UP(openssl, TLS_client_method) && LOOK_UP(openssl, SSL_CTX_new)
            && LOOK_UP(openssl, SSL_CTX_free)) {
            void *context = SSL_CTX_new(TLS_client_method());
            neighbours &= context != NULL;
            SSL_CTX_free(context);
        }
        client = make_client();
        pthread_create(&thread, NULL, call_and_outlive, client);
        if (round % 10 == 0) {
            zelf_call *call = lib.zelf_session_create_async(client, NULL, on_session, NULL, NULL, NULL);
            started += call != NULL;
            lib.zelf_call_free(call);
        }
        pthread_barrier_wait(&has_called);
        if (round % 20 == 0) lib.zelf_client_shutdown(client, 1000);
        lib.zelf_client_free(client);
        dlclose(library);
        if (second) dlclose(second);
        if (openssl) dlclose(openssl);
        pthread_barrier_wait(&is_unloaded);
        pthread_join(thread, &result);
        fine += result != NULL;
    }
    for (round = 0; round < 200 && (callbacks < started || threads_alive() > 1); round++) usleep(10000);
    PROMISE(fine == rounds,
            "%d times the library is loaded, used by a thread that outlives it, and unloaded", fine);
    PROMISE(started > 0 && callbacks == started, "each of %d asynchronous calls called back", started);
    PROMISE(threads_alive() == 1, "no thread is left behind");
    if (other || has_openssl)
        PROMISE(neighbours, "%s%s%s works beside it", other ? "another library in Rust" : "",
                other && has_openssl ? " and " : "", has_openssl ? "OpenSSL" : "");
    return check_failed;
}
