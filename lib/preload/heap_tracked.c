/*
 * Mode alloc: the owners of pages are told of each block, after it has been allocated and before it
 * is freed.
 */
#include "allocator.h"
#include "boot_heap.h"
#include "counters.h"
#include "headroom.h"
#include "heap_owner.h"
#include "heap_table.h"
#include "inside.h"
#include "regions.h"

#include <errno.h>

/* A new block. */
static void *own(void *block)
{
    if (block)
        al_heap_own(block, al_usable_size(block));
    return block;
}

/* They differ in what they take, not in what follows. */
#define AL_TRACK(name, counter, parameters, arguments)                                             \
    void *al_tracked_##name parameters                                                             \
    {                                                                                              \
        void *block;                                                                               \
                                                                                                   \
        al_count(AL_COUNT_calls_##counter);                                                        \
        al_heap_look();                                                                            \
        al_inside_begin();                                                                         \
        block = al_real.name arguments;                                                            \
        al_inside_end();                                                                           \
        return own(block);                                                                         \
    }

AL_TRACK(malloc, malloc, (size_t size), (size))
AL_TRACK(calloc, calloc, (size_t count, size_t size), (count, size))
AL_TRACK(memalign, memalign, (size_t alignment, size_t size), (alignment, size))
AL_TRACK(aligned_alloc, memalign, (size_t alignment, size_t size), (alignment, size))
AL_TRACK(valloc, memalign, (size_t size), (size))
AL_TRACK(pvalloc, memalign, (size_t size), (size))

int al_tracked_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    int error;

    al_count(AL_COUNT_calls_memalign);
    al_heap_look();
    al_inside_begin();
    error = al_real.posix_memalign(ret_block, alignment, size);
    al_inside_end();
    if (!error)
        (void)own(*ret_block);
    return error;
}

static void *move(void *block, size_t size)
{
    size_t old_size = al_usable_size(block);
    size_t held = 0;
    void *moved;

    /* It may be grown by the kernel where it lies. */
    if (al_heap_owner.allocator.is_mapping && al_heap_owner.allocator.is_mapping(block))
        held = al_region_growing(block, old_size, size);
    al_heap_moving();
    al_heap_disown(block, old_size);
    al_inside_begin();
    moved = al_real.realloc(block, size);
    al_inside_end();
    if (held)
        al_headroom_taken(held);
    /* With size 0 a NULL says that the block was freed, else that it is still there. */
    if (moved)
        (void)own(moved);
    else if (size)
        al_heap_own(block, old_size);
    al_heap_moved();
    return moved;
}

void *al_tracked_realloc(void *block, size_t size)
{
    al_count(AL_COUNT_calls_realloc);
    al_heap_look();
    if (al_boot_owns(block))
        return own(al_boot_leave(block, size));
    if (block)
        return move(block, size);
    al_inside_begin();
    block = al_real.realloc(NULL, size);
    al_inside_end();
    return own(block);
}

void al_tracked_free(void *block)
{
    al_count(AL_COUNT_calls_free);
    if (!block || al_boot_owns(block))
        return;
    al_heap_disown(block, al_usable_size(block));
    al_inside_begin();
    al_real.free(block);
    al_inside_end();
}

size_t al_tracked_malloc_usable_size(void *block)
{
    return al_counted_malloc_usable_size(block);
}
