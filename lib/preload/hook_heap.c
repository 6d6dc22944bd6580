/*
 * The malloc family as the program calls it: one jump each, through the table. Where nothing is to
 * be done but to count, malloc and free save themselves that jump, which would cost as much as all
 * the rest.
 */
#include "export.h"
#include "heap_table.h"
#include "room.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline struct al_counts *direct_counts(void)
{
    return al_thread_slot[__atomic_load_n(&al_heap_slot, __ATOMIC_RELAXED)];
}

AL_EXPORT void *malloc(size_t size)
{
    struct al_counts *counts = direct_counts();
    size_t kept;
    void *block;

    if (UNLIKELY(!counts || !al_room_spend(counts, size)))
        return al_heap.malloc(size);
    al_count_up(&counts->value[AL_COUNT_calls_malloc], 1);
    /* A copy: a register is saved for it here, and not on the way to the table. */
    __asm__("" : "=r"(kept) : "0"(size));
    block = al_real.malloc(size);
    return UNLIKELY(!block) ? al_watched_malloc_failed(kept) : block;
}

AL_EXPORT void *calloc(size_t count, size_t size)
{
    return al_heap.calloc(count, size);
}

AL_EXPORT void *realloc(void *block, size_t size)
{
    return al_heap.realloc(block, size);
}

/*
 * As libc has it: by way of the realloc() that the program calls. Where a library in front of us
 * replaces realloc() and not this function, as jemalloc and tcmalloc do, `block` is its own.
 */
AL_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

AL_EXPORT void free(void *block)
{
    struct al_counts *counts = direct_counts();

    if (UNLIKELY(!counts)) {
        al_heap.free(block);
        return;
    }
    al_count_up(&counts->value[AL_COUNT_calls_free], 1);
    al_real.free(block);
}

/* C23: the size is a hint that must be right; free() finds it out by itself. */
AL_EXPORT void free_sized(void *block, size_t size);
AL_EXPORT void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

AL_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
AL_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    free(block);
}

AL_EXPORT void *memalign(size_t alignment, size_t size)
{
    return al_heap.memalign(alignment, size);
}

AL_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return al_heap.aligned_alloc(alignment, size);
}

AL_EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    return al_heap.posix_memalign(ret_block, alignment, size);
}

AL_EXPORT void *valloc(size_t size)
{
    return al_heap.valloc(size);
}

AL_EXPORT void *pvalloc(size_t size)
{
    return al_heap.pvalloc(size);
}

AL_EXPORT size_t malloc_usable_size(void *block)
{
    return al_heap.malloc_usable_size(block);
}
