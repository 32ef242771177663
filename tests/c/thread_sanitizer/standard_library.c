/* ThreadSanitizer only sees code that is compiled with it, which the standard library is not. When
   a lock is contended or a condition is waited for, the standard library's own code does the work,
   and each transfer of a lock there would look like a race. These functions replace it, and tell
   ThreadSanitizer what it does. The names are those of the standard library, one per line. */
typedef unsigned long word;

void __tsan_acquire(void *at);
void __tsan_release(void *at);

/* Takes a lock whose release ThreadSanitizer has seen. */
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

/* Replaces the closure that makes the value of a Once. It releases the Once before the standard
   library marks the value as made, because a thread that finds the mark does nothing else. Its
   layout is that of a Rust trait object's table: drop, size, alignment, call_once, call_mut. */
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

/* Makes a value once, or waits for the thread that makes it. The library's own code first checks
   whether the value is made. */
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
