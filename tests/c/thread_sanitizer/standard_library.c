/* ThreadSanitizer sees what is compiled with it. The standard library is not: where
   a lock is contended, or a condition waited for, code of its own does the work, and
   each handing over of a lock there would look like none. These stand in its way
   and say what it does. The names are the standard library's, one a line. */
typedef unsigned long word;

void __tsan_acquire(void *at);
void __tsan_release(void *at);

/* Takes a lock, which who had it has released in sight. */
#define LOCK(name)                                                                     \
    word __real_##name(void *lock, word more);                                         \
    word __wrap_##name(void *lock, word more);                                         \
    word __wrap_##name(void *lock, word more)                                          \
    {                                                                                  \
        word result = __real_##name(lock, more);                                       \
        __tsan_acquire(lock);                                                          \
        return result;                                                                 \
    }

/* Releases a lock, and takes it again. */
#define WAIT(name)                                                                     \
    word __real_##name(void *condition, void *lock, word seconds, word nanoseconds);   \
    word __wrap_##name(void *condition, void *lock, word seconds, word nanoseconds);   \
    word __wrap_##name(void *condition, void *lock, word seconds, word nanoseconds)    \
    {                                                                                  \
        word result;                                                                   \
        __tsan_release(lock);                                                          \
        result = __real_##name(condition, lock, seconds, nanoseconds);                 \
        __tsan_acquire(lock);                                                          \
        return result;                                                                 \
    }

/* Stands in for the closure that makes the value of a Once. It releases the Once before the
   standard library marks it as made: a thread that finds the mark needs no other. Its layout
   is that of a Rust trait object's table: drop, size, alignment, call_once, call_mut. */
struct making {
    void *closure;
    void *const *table;
    void *once;
};
static void make(struct making *making, void *state)
{
    ((void (*)(void *, void *))making->table[4])(making->closure, state);
    __tsan_release(making->once);
}
static void *const making_table[] = {
    0, (void *)sizeof(struct making), (void *)sizeof(void *), 0, (void *)make};

/* Makes a value once, or waits for the thread that makes it. The library's own code looks
   first whether the value is made. */
#define ONCE(name)                                                                     \
    void __real_##name(void *once, word poisoned, void *closure, void *const *table,   \
                       void *caller);                                                  \
    void __wrap_##name(void *once, word poisoned, void *closure, void *const *table,   \
                       void *caller);                                                  \
    void __wrap_##name(void *once, word poisoned, void *closure, void *const *table,   \
                       void *caller)                                                   \
    {                                                                                  \
        struct making making = {closure, table, once};                                 \
        __real_##name(once, poisoned, &making, making_table, caller);                  \
        __tsan_acquire(once);                                                          \
    }

#include "standard_library_names.h"
