/* The C library's allocator, for a program that replaces malloc, calloc, realloc or free. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <malloc.h>
#include <stddef.h>

#ifdef __GLIBC__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static inline void *real_malloc(size_t size) { return __libc_malloc(size); }
static inline void *real_calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
static inline void *real_realloc(void *block, size_t size) { return __libc_realloc(block, size); }
static inline void real_free(void *block) { __libc_free(block); }
#else
/* musl has no other names for them. Its dlsym allocates nothing while it finds the name. */
#include <dlfcn.h>
#include <string.h>

static inline void *real_malloc(size_t size)
{
    static void *(*real)(size_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "malloc");
    return real(size);
}

/* musl's calloc calls the program's malloc, which would count the block twice. */
static inline void *real_calloc(size_t count, size_t size)
{
    void *block;
    if (size && count > (size_t)-1 / size) return NULL;
    block = real_malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

static inline void *real_realloc(void *block, size_t size)
{
    static void *(*real)(void *, size_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "realloc");
    return real(block, size);
}

static inline void real_free(void *block)
{
    static void (*real)(void *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "free");
    real(block);
}

static inline void *real_aligned_alloc(size_t alignment, size_t size)
{
    static void *(*real)(size_t, size_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "aligned_alloc");
    return real(alignment, size);
}

/* musl's aligned_alloc fails if malloc is replaced and aligned_alloc is not. posix_memalign calls
   it too. */
#ifdef ALIGNED_BLOCK
void *aligned_alloc(size_t alignment, size_t size)
{
    return ALIGNED_BLOCK(real_aligned_alloc(alignment, size));
}
#else
void *aligned_alloc(size_t alignment, size_t size) { return real_aligned_alloc(alignment, size); }
#endif
#endif

#endif
