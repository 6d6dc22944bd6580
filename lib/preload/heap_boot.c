/*
 * The time before the real functions are known: finds them, or serves from the boot heap while they
 * are being looked for.
 */
#include "boot_heap.h"
#include "counters.h"
#include "heap_table.h"
#include "sys.h"

#include <errno.h>
#include <string.h>

static bool power_of_two(size_t value)
{
    return value && (value & (value - 1)) == 0;
}

static void *boot_aligned(size_t alignment, size_t size)
{
    if (!power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    al_count(AL_COUNT_calls_memalign);
    return al_boot_alloc(size, alignment);
}

void *al_boot_malloc(size_t size)
{
    if (al_real_resolve())
        return al_heap.malloc(size);
    al_count(AL_COUNT_calls_malloc);
    return al_boot_alloc(size, 0);
}

void *al_boot_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (al_real_resolve())
        return al_heap.calloc(count, size);
    al_count(AL_COUNT_calls_calloc);
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return al_boot_alloc(bytes, 0);
}

void *al_boot_realloc(void *block, size_t size)
{
    void *moved;

    if (al_real_resolve())
        return al_heap.realloc(block, size);
    al_count(AL_COUNT_calls_realloc);
    moved = al_boot_alloc(size, 0);
    /* Whoever got a block before the real functions are known, got it from the boot al_heap. */
    if (moved && block && al_boot_owns(block))
        memcpy(moved, block, al_boot_size(block) < size ? al_boot_size(block) : size);
    return moved;
}

void al_boot_free(void *block)
{
    /* free(NULL) is common in start-up code and needs nothing resolved. */
    if (block && !al_boot_owns(block) && al_real_resolve())
        al_heap.free(block);
    else
        al_count(AL_COUNT_calls_free);
}

void *al_boot_memalign(size_t alignment, size_t size)
{
    return al_real_resolve() ? al_heap.memalign(alignment, size) : boot_aligned(alignment, size);
}

void *al_boot_aligned_alloc(size_t alignment, size_t size)
{
    return al_real_resolve() ? al_heap.aligned_alloc(alignment, size)
                             : boot_aligned(alignment, size);
}

int al_boot_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    int saved = errno;
    void *block;

    if (al_real_resolve())
        return al_heap.posix_memalign(ret_block, alignment, size);
    if (!power_of_two(alignment) || alignment % sizeof(void *))
        return EINVAL;
    block = boot_aligned(alignment, size);
    errno = saved;
    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

void *al_boot_valloc(size_t size)
{
    return al_real_resolve() ? al_heap.valloc(size) : boot_aligned(al_page_size(), size);
}

void *al_boot_pvalloc(size_t size)
{
    return al_real_resolve() ? al_heap.pvalloc(size) : boot_aligned(al_page_size(), size);
}

size_t al_boot_malloc_usable_size(void *block)
{
    if (al_boot_owns(block))
        return al_boot_size(block);
    return al_real_resolve() ? al_heap.malloc_usable_size(block) : 0;
}
