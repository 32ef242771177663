/* What the tests of asynchronous calls share: a record of each call. */
#ifndef CALLS_H
#define CALLS_H

#include <pthread.h>

#include "check.h"

struct record {
    zelf_call *call;
    zelf_session *session;
    zelf_status status;
    pthread_t ran_on;
    int called, destroyed, called_after_destroy;
    double ended;
    /* What else the callback does. */
    void (*then)(struct record *record);
    void *with;
};

/* The header's advice: hold a lock around the start, so that a callback finds
   the call stored. */
static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t calls_changed = PTHREAD_COND_INITIALIZER;

static inline void on_session(zelf_session *session, zelf_error *error, void *user_data)
{
    struct record *record = user_data;
    pthread_mutex_lock(&calls_lock);
    record->session = session;
    record->status = zelf_error_status(error);
    record->ran_on = pthread_self();
    record->ended = seconds_now();
    record->called_after_destroy |= record->destroyed;
    record->called++;
    pthread_mutex_unlock(&calls_lock);
    zelf_error_free(error);
    if (record->then) record->then(record);
}

static inline void on_destroy(void *user_data)
{
    struct record *record = user_data;
    pthread_mutex_lock(&calls_lock);
    record->destroyed++;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
}

/* How often it has called back by now. */
static inline int times_called(const struct record *record)
{
    int called;
    pthread_mutex_lock(&calls_lock);
    called = record->called;
    pthread_mutex_unlock(&calls_lock);
    return called;
}

/* Starts a call for an identifier; NULL lets the server choose. */
static inline int start(zelf_client *client, struct record *record, const char *identifier)
{
    zelf_session_options *options = identifier ? options_for(identifier) : NULL;
    pthread_mutex_lock(&calls_lock);
    record->call = zelf_session_create_async(client, options, on_session, record, on_destroy, NULL);
    pthread_mutex_unlock(&calls_lock);
    zelf_session_options_free(options);
    return record->call != NULL;
}

/* Whether every one of the calls ends within the time. */
static inline int await(const struct record *records, int count, double seconds)
{
    struct timespec until;
    int i, all = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds + 1;
    pthread_mutex_lock(&calls_lock);
    for (;;) {
        for (i = 0, all = 1; i < count && all; i++) all = records[i].destroyed > 0;
        if (all || pthread_cond_timedwait(&calls_changed, &calls_lock, &until) != 0) break;
    }
    pthread_mutex_unlock(&calls_lock);
    return all;
}

static inline void release(struct record *records, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        zelf_call_free(records[i].call);
        zelf_session_free(records[i].session);
    }
}

/* How many ended in this way, with one callback and one destroy each. */
static inline int exactly_once(const struct record *records, int count, zelf_status status)
{
    int i, exact = 0;
    for (i = 0; i < count; i++)
        exact += records[i].called == 1 && records[i].destroyed == 1
                 && !records[i].called_after_destroy && records[i].status == status
                 && (records[i].session != NULL) == (status == ZELF_OK);
    return exact;
}

/* The last promise of a program: valgrind would count what a thread that is
   still ending holds as lost. */
static inline void no_thread_is_left(void)
{
    int i;
    /* Clients that were freed and not shut down end by themselves. */
    for (i = 0; i < 1000 && threads_alive() > 1; i++) usleep(10000);
    PROMISE(threads_alive() == 1, "with the clients, their threads end: %d", threads_alive() - 1);
}

#endif
