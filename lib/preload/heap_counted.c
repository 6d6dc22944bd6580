/*
 * Counting, and a look at whether the thread has room for what it asks for (lock/room.h). What
 * takes longer is in heap_watched.c, and so is what to do about a call that fails: a memlock limit
 * may have come that nobody told us of.
 */
#include "boot_heap.h"
#include "counters.h"
#include "heap_table.h"
#include "room.h"

#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)

void *al_counted_malloc(size_t size)
{
    struct al_counts *counts = al_thread_counts;
    void *block;

    if (!LIKELY(counts && al_room_spend(counts, size)))
        return al_watched_malloc(size);
    al_count_up(&counts->value[AL_COUNT_calls_malloc], 1);
    block = al_real.malloc(size);
    return LIKELY(block) ? block : al_watched_malloc_failed(size);
}

void *al_counted_calloc(size_t count, size_t size)
{
    struct al_counts *counts = al_thread_counts;
    size_t bytes;
    void *block;

    if (!LIKELY(!__builtin_mul_overflow(count, size, &bytes) && counts &&
                al_room_spend(counts, bytes)))
        return al_watched_calloc(count, size);
    al_count_up(&counts->value[AL_COUNT_calls_calloc], 1);
    block = al_real.calloc(count, size);
    return LIKELY(block) ? block : al_watched_calloc_failed(count, size);
}

/* Moves a block of the boot heap to the real one. */
void *al_boot_leave(void *block, size_t size)
{
    size_t old_size = al_boot_size(block);
    void *moved;

    /* What size 0 means differs from allocator to allocator. */
    if (!size)
        return al_real.realloc(al_real.malloc(1), 0);
    moved = al_real.malloc(size);

    if (moved)
        memcpy(moved, block, old_size < size ? old_size : size);
    return moved;
}

void *al_counted_realloc(void *block, size_t size)
{
    struct al_counts *counts = al_thread_counts;
    void *moved;

    if (!LIKELY(counts && al_room_spend(counts, size)))
        return al_watched_realloc(block, size);
    al_count_up(&counts->value[AL_COUNT_calls_realloc], 1);
    if (al_boot_owns(block))
        return al_boot_leave(block, size);
    moved = al_real.realloc(block, size);
    return LIKELY(moved || !size) ? moved : al_watched_realloc_failed(block, size);
}

/* A thread's first call, or the boot heap has been used. */
static void __attribute__((noinline)) free_otherwise(void *block)
{
    al_count(AL_COUNT_calls_free);
    if (!al_boot_owns(block))
        al_real.free(block);
}

/* Where the boot heap has not been used, and will not be. */
void al_counted_quick_free(void *block)
{
    struct al_counts *counts = al_thread_counts;

    if (!LIKELY(counts)) {
        free_otherwise(block);
        return;
    }
    al_count_up(&counts->value[AL_COUNT_calls_free], 1);
    al_real.free(block);
}

/* Nothing is to be done after a call that is a jump: no register has to be kept for it. */
void al_counted_free(void *block)
{
    struct al_counts *counts = al_thread_counts;

    if (!LIKELY(counts && !__atomic_load_n(&al_boot_used, __ATOMIC_RELAXED))) {
        free_otherwise(block);
        return;
    }
    al_count_up(&counts->value[AL_COUNT_calls_free], 1);
    al_real.free(block);
}

size_t al_counted_malloc_usable_size(void *block)
{
    al_count(AL_COUNT_calls_malloc_usable_size);
    if (al_boot_owns(block))
        return al_boot_size(block);
    return al_real.malloc_usable_size(block);
}
