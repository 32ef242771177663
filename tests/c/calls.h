/* Code shared by the tests of asynchronous calls: a record of each call. */
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
    /* A further action of the callback. */
    void (*then)(struct record *record);
    void *with;
};

/* The header's advice: hold a lock around the start, so that a callback finds the stored call. */
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

/* Returns how many times it has called back so far. */
static inline int times_called(const struct record *record)
{
    int called;
    pthread_mutex_lock(&calls_lock);
    called = record->called;
    pthread_mutex_unlock(&calls_lock);
    return called;
}

/* Starts a call for an identifier. NULL lets the server choose. */
static inline int start(zelf_client *client, struct record *record, const char *identifier)
{
    zelf_session_options *options = identifier ? options_for(identifier) : NULL;
    pthread_mutex_lock(&calls_lock);
    record->call = zelf_session_create_async(client, options, on_session, record, on_destroy, NULL);
    pthread_mutex_unlock(&calls_lock);
    zelf_session_options_free(options);
    return record->call != NULL;
}

/* Returns whether all calls end within the time. */
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

/* Cancels a call. Returns the seconds until its callback. */
static inline double cancelled_after(struct record *record)
{
    double began = seconds_now();
    zelf_call_cancel(record->call);
    await(record, 1, AT_ONCE);
    return record->ended - began;
}

/* Returns how many calls ended like this, with one callback and one destroy each. */
static inline int exactly_once(const struct record *records, int count, zelf_status status)
{
    int i, exact = 0;
    for (i = 0; i < count; i++)
        exact += records[i].called == 1 && records[i].destroyed == 1
                 && !records[i].called_after_destroy && records[i].status == status
                 && (records[i].session != NULL) == (status == ZELF_OK);
    return exact;
}

/* Waits for the end of the library's threads, and returns how many are left. The threads of a
   client that was freed and not shut down end by themselves. */
static inline int threads_left(void)
{
    double until = seconds_now() + AT_ONCE;
    while (threads_alive() > 1 && seconds_now() < until) usleep(1000);
    return threads_alive() - 1;
}

/* The last promise of a program. valgrind would report the memory of a thread that is still ending
   as lost. */
static inline void no_thread_is_left(void)
{
    int left = threads_left();
    PROMISE(left == 0, "with the clients, their threads end: %d", left);
}

#endif
