/* The bytes of the heap in use. */
#ifndef HEAP_H
#define HEAP_H

#include <malloc.h>
#include <stddef.h>

/* A sanitizer replaces the heap. */
#if defined(__SANITIZE_ADDRESS__) || defined(ZELF_RACES)
static inline size_t heap_in_use(void) { return 0; }

#elif defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
static inline size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#else
/* This C library does not tell, so the program's allocations are counted. */
static size_t heap_size;

static inline void *heap_block(void *block)
{
    if (block) __atomic_add_fetch(&heap_size, malloc_usable_size(block), __ATOMIC_SEQ_CST);
    return block;
}

#define ALIGNED_BLOCK heap_block
#include "allocator.h"

void *malloc(size_t size) { return heap_block(real_malloc(size)); }
void *calloc(size_t count, size_t size) { return heap_block(real_calloc(count, size)); }

void free(void *block)
{
    if (block) __atomic_sub_fetch(&heap_size, malloc_usable_size(block), __ATOMIC_SEQ_CST);
    real_free(block);
}

void *realloc(void *block, size_t size)
{
    size_t old = block ? malloc_usable_size(block) : 0;
    void *moved = real_realloc(block, size);
    if (!moved) return NULL;
    __atomic_sub_fetch(&heap_size, old, __ATOMIC_SEQ_CST);
    return heap_block(moved);
}

static inline size_t heap_in_use(void) { return __atomic_load_n(&heap_size, __ATOMIC_SEQ_CST); }
#endif

#endif
