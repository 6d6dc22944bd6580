/*
 * malloc and free of mode alloc with glibc's allocator behind them: the same as in heap_tracked.c,
 * for the case that nearly every call is of, a small block on pages that have other owners. All
 * else goes on, as a jump, to where every case is right.
 *
 * Blocks of the boot heap are not told apart: where there are any, the table has al_tracked_free.
 *
 * Several each:
 *   alone    one thread, blocks of every size: owners are counted by plain additions
 *   threads  several threads, blocks of every size: atomically
 *   sized    not every size qualifies: most blocks are let through after one comparison, with one
 *            thread after a look at the heap's end
 * The table is changed before the second thread is made.
 */
#include "allocator.h"
#include "counters.h"
#include "heap_owner.h"
#include "heap_table.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE      static __attribute__((noinline))
#define LIKELY(x)     __builtin_expect(!!(x), 1)

/* Chunks below have their block on one page or two, and are no mappings of their own. */
#define SMALL_CHUNK   ((size_t)4096)

/* -- the pages of a small block ------------------------------------------------------------- */

/* A block's words: of its first page, and of its last, which is the same or the next. */
struct words {
    uint32_t *first;
    uint32_t next; /* 0 or 1 */
    size_t usable; /* bytes of the block */
};

/*
 * The block's leaf, and how far into it the block begins; NULL if nothing is known of its page yet,
 * or there is no block: none is in the leaf that was found last. That one is remembered by one
 * thread only (`alone`): several would take the memory away from each other.
 */
ALWAYS_INLINE struct al_leaf *find_leaf(const char *block, bool alone, uintptr_t *ret_offset)
{
    struct al_leaf *leaf;

    if (alone) {
        leaf = al_leaf_recent;
        *ret_offset = al_leaf_offset(leaf, block);
        if (LIKELY(al_leaf_covers(*ret_offset)))
            return leaf;
    }
    if (!block)
        return NULL;
    leaf = alone ? al_pagemap_leaf_found(al_page_of(block)) : al_pagemap_leaf(al_page_of(block));
    if (leaf)
        *ret_offset = al_leaf_offset(leaf, block);
    return leaf;
}

/*
 * False if the block is not small, or nothing is known of its page yet. The last word of a leaf has
 * one more behind it.
 */
ALWAYS_INLINE bool find_words(const char *block, bool alone, struct words *ret_words)
{
    uintptr_t offset;
    struct al_leaf *leaf = find_leaf(block, alone, &offset);
    size_t word;

    if (!LIKELY(leaf))
        return false;
    word = al_chunk_word(block);
    if (!LIKELY(word < SMALL_CHUNK))
        return false;
    ret_words->usable = (word & ~AL_CHUNK_FLAGS) - sizeof(size_t);
    ret_words->first = &leaf->word[offset >> al_page_shift];
    ret_words->next =
        (uint32_t)(((offset + ret_words->usable - 1) >> al_page_shift) - (offset >> al_page_shift));
    return true;
}

/* A block came or went; its pages' words have been changed. */
ALWAYS_INLINE void count_owned(struct al_counts *counts, size_t usable)
{
    al_count_up(&counts->part[AL_PART_OWNED_MALLOC], 1);
    al_count_up(&counts->part[AL_PART_OWNED_BYTES], usable);
}

ALWAYS_INLINE void count_disowned(struct al_counts *counts, size_t usable)
{
    al_count_up(&counts->part[AL_PART_OWNED_FREE], 1);
    al_count_down(&counts->part[AL_PART_OWNED_BYTES], usable);
}

/* Where other threads may change it meanwhile. */
ALWAYS_INLINE uint32_t look_at(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Between the look at a word and the addition the page may have lost its owners and its lock. */
ALWAYS_INLINE bool add_if_settled(uint32_t *word)
{
    uint32_t before = look_at(word);

    while (LIKELY(al_word_settled(before)))
        if (LIKELY(__atomic_compare_exchange_n(word, &before, before + AL_PAGE_OWNER, false,
                                               __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
            return true;
    return false;
}

ALWAYS_INLINE bool subtract_if_kept(uint32_t *word)
{
    uint32_t before = look_at(word);

    while (LIKELY(al_word_kept(before)))
        if (LIKELY(__atomic_compare_exchange_n(word, &before, before - AL_PAGE_OWNER, false,
                                               __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
            return true;
    return false;
}

/* -- what is not quick ---------------------------------------------------------------------- */

NOINLINE void *own_otherwise(void *block)
{
    al_count(AL_COUNT_calls_malloc);
    if (block)
        al_heap_own(block, al_glibc_usable_size(block));
    return block;
}

/* The second page of a block, whose first one is owned. */
NOINLINE void *own_second(void *block)
{
    al_heap_own_pages(al_page_address(al_page_of(block) + 1), 1);
    return block;
}

NOINLINE void disown_otherwise(void *block)
{
    al_count(AL_COUNT_calls_free);
    if (!block)
        return;
    al_heap_disown(block, al_glibc_usable_size(block));
    al_real.free(block);
}

NOINLINE void disown_second(void *block)
{
    al_heap_disown_page(al_page_of(block) + 1);
    al_real.free(block);
}

/* -- alone ---------------------------------------------------------------------------------- */

NOINLINE void *malloc_shrunk(size_t size)
{
    al_heap_look();
    return own_otherwise(al_real.malloc(size));
}

void *al_tracked_alone_malloc(size_t size)
{
    struct al_counts *counts;
    struct words words;
    void *block;

    /* Before every allocation, as any may let the heap grow again. */
    if (!LIKELY(al_heap_as_large()))
        return malloc_shrunk(size);
    block = al_real.malloc(size);
    counts = al_thread_counts;
    if (!LIKELY(counts) || !LIKELY(find_words(block, true, &words)))
        return own_otherwise(block);
    if (!LIKELY(al_word_settled(*words.first)) || !LIKELY(al_word_settled(words.first[words.next])))
        return own_otherwise(block);
    al_words_own_alone(words.first, words.next);
    count_owned(counts, words.usable);
    return block;
}

void al_tracked_alone_free(void *block)
{
    struct al_counts *counts = al_thread_counts;
    struct words words;

    if (!LIKELY(counts) || !LIKELY(find_words(block, true, &words))) {
        disown_otherwise(block);
        return;
    }
    if (!LIKELY(al_word_kept_alone(*words.first)) ||
        !LIKELY(al_word_kept_alone(words.first[words.next]))) {
        disown_otherwise(block);
        return;
    }
    al_words_disown_alone(words.first, words.next);
    count_disowned(counts, words.usable);
    al_real.free(block);
}

/* -- threads -------------------------------------------------------------------------------- */

void *al_tracked_threads_malloc(size_t size)
{
    struct al_counts *counts = al_thread_counts;
    void *block = al_real.malloc(size);
    struct words words;

    if (!LIKELY(counts) || !LIKELY(find_words(block, false, &words)))
        return own_otherwise(block);
    if (!LIKELY(add_if_settled(words.first)))
        return own_otherwise(block);
    count_owned(counts, words.usable);
    if (words.next && !LIKELY(add_if_settled(words.first + 1)))
        return own_second(block);
    return block;
}

void al_tracked_threads_free(void *block)
{
    struct al_counts *counts = al_thread_counts;
    struct words words;

    if (!LIKELY(counts) || !LIKELY(find_words(block, false, &words))) {
        disown_otherwise(block);
        return;
    }
    if (!LIKELY(subtract_if_kept(words.first))) {
        disown_otherwise(block);
        return;
    }
    count_disowned(counts, words.usable);
    if (words.next && !LIKELY(subtract_if_kept(words.first + 1))) {
        disown_second(block);
        return;
    }
    al_real.free(block);
}

/* -- sized ---------------------------------------------------------------------------------- */

NOINLINE void *own_sized(size_t size)
{
    al_heap_look();
    return own_otherwise(al_real.malloc(size));
}

ALWAYS_INLINE void *malloc_sized(size_t size)
{
    struct al_counts *counts = al_thread_counts;

    if (!LIKELY(counts) || size >= al_heap_owner.hopeless)
        return own_sized(size);
    al_count_up(&counts->part[AL_PART_SMALL_MALLOC], 1);
    return al_real.malloc(size);
}

void *al_tracked_sized_malloc(size_t size)
{
    return malloc_sized(size);
}

/* The heap may shrink and grow again by small blocks alone, so that its end is looked at here too.
 */
void *al_tracked_sized_alone_malloc(size_t size)
{
    if (!LIKELY(al_heap_as_large()))
        return own_sized(size);
    return malloc_sized(size);
}

void al_tracked_sized_free(void *block)
{
    struct al_counts *counts = al_thread_counts;

    /* What is usable is less than the chunk: the common refusal needs no more than this. */
    if (!LIKELY(counts && block) || al_chunk_word(block) >= al_heap_owner.least) {
        disown_otherwise(block);
        return;
    }
    al_count_up(&counts->value[AL_COUNT_calls_free], 1);
    al_real.free(block);
}
