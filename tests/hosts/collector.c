/* A host with a garbage collector (bdwgc) that uses signals to stop all threads it knows. */
#define GC_THREADS
#include <gc.h>

#include "calls.h"

static int is_inside, is_collected, destroyed, told;

static void know_this_thread(void)
{
    struct GC_stack_base base;
    GC_get_stack_base(&base);
    GC_register_my_thread(&base);
}

/* Stays in a callback with an object until the other thread has run a collection. */
static int keeps_an_object(void)
{
    char *object = GC_MALLOC(100000);
    strcpy(object, "kept");
    set_flag(&is_inside, 1);
    while (!get_flag(&is_collected)) usleep(1000);
    return strcmp(object, "kept") == 0;
}

static void forgets(struct record *record)
{
    know_this_thread();
    *(int *)record->with = keeps_an_object();
    GC_unregister_my_thread();
}

/* Leaves the thread registered, like a runtime that unregisters it in a destructor at the end of
   the thread. */
static pthread_key_t at_end;

static void forget(void *unused) { (void)unused, GC_unregister_my_thread(); }

static void leaves_known(struct record *record)
{
    know_this_thread();
    pthread_setspecific(at_end, &at_end);
    *(int *)record->with = 1;
}

static void collect(void)
{
    int i;
    for (i = 0; i < 20; i++) {
        GC_MALLOC(100000);
        GC_gcollect();
    }
}

static void collect_during(zelf_client *client, void (*then)(struct record *), const char *what)
{
    struct record record = {0};
    int kept = 0;
    is_inside = is_collected = 0;
    record.then = then;
    record.with = &kept;
    start(client, &record, "collected-x");
    while (!get_flag(&is_inside)) usleep(1000);
    collect();
    set_flag(&is_collected, 1);
    PROMISE(await(&record, 1, 10) && (kept || !then), "a collection ends that comes during %s", what);
    release(&record, 1);
}

static void destroy_keeps(void *unused)
{
    (void)unused;
    know_this_thread();
    destroyed = keeps_an_object();
    GC_unregister_my_thread();
}

static void log_keeps(zelf_log_level level, const char *message, void *unused)
{
    (void)level, (void)message, (void)unused;
    if (__sync_fetch_and_add(&told, 1) > 0) return;
    know_this_thread();
    keeps_an_object();
    GC_unregister_my_thread();
}

int main(void)
{
    zelf_client *client;
    zelf_config *config;
    zelf_call *call;
    struct record record = {0};
    int is_known = 0, i;

    GC_INIT();
    GC_allow_register_threads();
    pthread_key_create(&at_end, forget);
    /* A collection that does not end counts as a broken promise. */
    alarm(60);

    client = sandbox_client(1, 5000, 1);
    collect_during(client, forgets, "a callback");

    is_inside = is_collected = 0;
    call = zelf_session_create_async(client, NULL, on_session, &record, destroy_keeps, NULL);
    while (!get_flag(&is_inside)) usleep(1000);
    collect();
    set_flag(&is_collected, 1);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK && destroyed, "or during a destroy");
    zelf_call_free(call);
    zelf_session_free(record.session);
    zelf_client_free(client);

    config = tls_config();
    zelf_config_set_log_callback(config, log_keeps, NULL, NULL, ZELF_LOG_DEBUG);
    client = zelf_client_new(config, NULL);
    zelf_config_free(config);
    collect_during(client, NULL, "a log callback");
    zelf_client_shutdown(client, 5000);
    zelf_client_free(client);

    client = sandbox_client(1, 5000, 1);
    memset(&record, 0, sizeof record);
    record.then = leaves_known;
    record.with = &is_known;
    start(client, &record, "collected-x");
    await(&record, 1, 10);
    for (i = 0; i < 5; i++) collect();
    PROMISE(is_known, "or after a callback that leaves the client's thread known");
    release(&record, 1);
    PROMISE(zelf_client_shutdown(client, 5000) == ZELF_OK, "and that thread ends");
    zelf_client_free(client);
    return check_failed;
}
