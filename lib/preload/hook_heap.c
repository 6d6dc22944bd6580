/*
 * The malloc family as the program calls it: one jump each, through the table.
 */
#include "export.h"
#include "heap_table.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

AL_EXPORT void *malloc(size_t size)
{
    return al_heap.malloc(size);
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
    al_heap.free(block);
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
