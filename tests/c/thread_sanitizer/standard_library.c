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

/* Makes something, or waits for who does; the quick look at whether it is made
   happens in sight. */
#define ONCE(name)                                                                     \
    word __real_##name(void *once, word poisoned, void *made, void *by, void *caller); \
    word __wrap_##name(void *once, word poisoned, void *made, void *by, void *caller); \
    word __wrap_##name(void *once, word poisoned, void *made, void *by, void *caller)  \
    {                                                                                  \
        word result = __real_##name(once, poisoned, made, by, caller);                 \
        __tsan_acquire(once);                                                          \
        __tsan_release(once);                                                          \
        return result;                                                                 \
    }

#include "standard_library_names.h"
