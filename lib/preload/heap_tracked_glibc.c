/*
 * malloc and free of mode alloc with glibc's allocator behind them: the same as in heap_tracked.c,
 * for the case that nearly every call is of, a small block on a page that has other owners. All
 * else goes on, as a jump, to where every case is right.
 *
 * Blocks of the boot heap are not told apart: where there are any, the table has al_tracked_free.
 *
 * Twice each: with one thread owners are counted by plain additions, with several atomically. The
 * table is changed before the second thread is made.
 */
#include "allocator.h"
#include "counters.h"
#include "heap_owner.h"
#include "heap_table.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LIKELY(x)     __builtin_expect(!!(x), 1)

enum threads { ONE, SEVERAL };

/* One instruction where the processor has one, so that a signal handler cannot split it. */
ALWAYS_INLINE void add_alone(uint32_t *word, uint32_t change)
{
#if defined(__x86_64__)
    __asm__ volatile("addl %1, %0" : "+m"(*word) : "er"(change) : "cc");
#else
    __atomic_fetch_add(word, change, __ATOMIC_RELAXED);
#endif
}

/*
 * The page's leaf. One thread remembers the one that it found last; several would take that memory
 * away from each other.
 */
ALWAYS_INLINE struct al_leaf *leaf_of(al_page page, enum threads threads)
{
    return threads == ONE ? al_pagemap_leaf_quick(page) : al_pagemap_leaf(page);
}

/* The word of the block's page, if it lies on one page, of which something is known; else NULL. */
ALWAYS_INLINE uint32_t *word_of(const char *block, size_t usable, enum threads threads)
{
    const uintptr_t first = (uintptr_t)block;
    struct al_leaf *leaf;

    if (!LIKELY((first ^ (first + usable - 1)) >> al_page_shift == 0))
        return NULL;
    leaf = leaf_of(al_page_of(block), threads);
    return LIKELY(leaf) ? al_leaf_word(leaf, al_page_of(block)) : NULL;
}

static __attribute__((noinline)) void *own_otherwise(void *block, size_t usable)
{
    al_heap_own_pages(block, usable);
    return block;
}

ALWAYS_INLINE void *track_malloc(size_t size, enum threads threads)
{
    struct al_counts *counts = al_thread_counts;
    size_t usable;
    uint32_t *word;
    uint32_t before;
    void *block;

    if (!LIKELY(counts))
        return al_tracked_malloc(size);
    al_count_up(&counts->value[AL_COUNT_calls_malloc], 1);
    if (threads == ONE)
        al_heap_look(); /* before every allocation, as any may let the heap grow again */
    if (size < al_heap_owner.hopeless) {
        al_count_up(&counts->value[AL_COUNT_skipped_size], 1);
        return al_real.malloc(size);
    }
    block = al_real.malloc(size);
    if (!LIKELY(block))
        return block;
    usable = al_glibc_usable_size(block);
    if (!al_heap_qualifies(usable)) {
        al_count_up(&counts->value[AL_COUNT_skipped_size], 1);
        return block;
    }
    al_heap_book(counts, 1, usable);
    word = word_of(block, usable, threads);
    if (!word)
        return own_otherwise(block, usable);
    before = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (!LIKELY(al_word_settled(before)))
        return own_otherwise(block, usable);
    if (threads == ONE) {
        add_alone(word, 1);
        return block;
    }
    /* Between the look and the addition the page may have lost its owners and its lock. */
    if (LIKELY(__atomic_compare_exchange_n(word, &before, before + 1, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED)))
        return block;
    return own_otherwise(block, usable);
}

static __attribute__((noinline)) void disown_otherwise(void *block, size_t usable)
{
    al_heap_disown_pages(block, usable);
    al_real.free(block);
}

ALWAYS_INLINE void track_free(void *block, enum threads threads)
{
    struct al_counts *counts = al_thread_counts;
    size_t usable;
    uint32_t *word;
    uint32_t before;

    if (!LIKELY(counts)) {
        al_tracked_free(block);
        return;
    }
    al_count_up(&counts->value[AL_COUNT_calls_free], 1);
    if (!LIKELY(block))
        return;
    /* What is usable is less than the chunk: the common refusal needs no more than this. */
    if (al_chunk_word(block) < al_heap_owner.least) {
        al_real.free(block);
        return;
    }
    usable = al_glibc_usable_size(block);
    if (!al_heap_qualifies(usable)) {
        al_real.free(block);
        return;
    }
    al_heap_book(counts, (uint64_t)-1, -(uint64_t)usable);
    word = word_of(block, usable, threads);
    if (!word) {
        disown_otherwise(block, usable);
        return;
    }
    before = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (!LIKELY(al_word_shared(before, threads == SEVERAL))) {
        disown_otherwise(block, usable);
        return;
    }
    if (threads == ONE) {
        add_alone(word, (uint32_t)-1);
    } else if (!LIKELY(__atomic_compare_exchange_n(word, &before, before - 1, false,
                                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))) {
        disown_otherwise(block, usable);
        return;
    }
    al_real.free(block);
}

void *al_tracked_glibc_malloc(size_t size)
{
    return track_malloc(size, ONE);
}

void *al_tracked_threads_malloc(size_t size)
{
    return track_malloc(size, SEVERAL);
}

void al_tracked_glibc_free(void *block)
{
    track_free(block, ONE);
}

void al_tracked_threads_free(void *block)
{
    track_free(block, SEVERAL);
}
