/*
 * Heap blocks as owners of pages.
 *
 * A block owns every page that it has a byte on. Each page counts its owners; blocks are told only
 * by where they begin and how large they are, at both ends of their life, so that nothing is kept
 * of them. Owning a page that is locked and owned already costs one addition.
 *
 * What a page without owners is remembered by need not be true any more: the allocator may have
 * unmapped it and mapped it again, unseen. It is believed only where that cannot have happened:
 *
 *   the main heap, one thread     the heap's end (__curbrk) is looked at before each allocation,
 *                                 of whatever size, and pages above it are forgotten
 *   the main heap, more threads   only pages below its highest owned page, the anchor: the heap
 *                                 gives memory back from its end alone
 *   elsewhere                     only in 64 MiB leaves that hold a block of ours: glibc unmaps a
 *                                 thread arena's heap as a whole, or not at all
 *
 * Everywhere else such a page is marked UNSURE, and asked for again when it is owned again.
 *
 * All functions may be called from any thread; none touches errno.
 */
#ifndef AL_HEAP_OWNER_H
#define AL_HEAP_OWNER_H

#include "books.h"
#include "counters.h"

#include <assert.h>

/* What heap_owner.c needs of the allocator behind the hooks. */
struct al_allocator {
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    /* Whether the block is a mapping of its own, which free() unmaps unseen; NULL if unknown. */
    bool (*is_mapping)(const void *block);
    /* It unmaps unseen only 64 MiB aligned heaps, each as a whole and only when all of it is free.
     */
    bool keeps_used_heaps;
    /* A page that its last block leaves is held for a while (heap_hold.h). */
    bool holds;
};

struct al_heap_owner {
    bool on;
    uint64_t least; /* usable sizes that qualify: least + [0, span] */
    uint64_t span;
    bool every_size; /* every block qualifies */
    size_t hopeless; /* requests below cannot qualify, however much they are rounded up */
    char *volatile *end_of_main; /* &__curbrk, or a NULL pointer's address */
    uintptr_t main_start;        /* first byte of the main heap */
    char *main_end;              /* the heap's end when last looked at */
    al_page anchor_end;          /* several threads: the page after the highest owned one */
    al_page hole_first;          /* pages of the main heap that are known to have no owner */
    al_page hole_end;
    struct al_allocator allocator;
};

extern struct al_heap_owner al_heap_owner AL_HIDDEN;

/* Starts counting; the policy is in al_books. `several_threads`: more than one ran already. */
void al_heap_owner_start(const struct al_allocator *allocator, uintptr_t main_start,
                         bool several_threads);

/* A second thread is about to be made. */
void al_heap_owner_threads(void);

/*
 * The main heap's pages were locked as a whole, or another thread was changing them when this
 * process was forked: looks for the anchor anew, and doubts what is above it. With the gate.
 */
void al_heap_owner_anew(void);

void al_heap_shrunk(char *end);

/* The main heap's end, which another thread may be moving. */
static inline char *al_heap_end(void)
{
    return __atomic_load_n(al_heap_owner.end_of_main, __ATOMIC_RELAXED);
}

static inline bool al_heap_as_large(void)
{
    return al_heap_end() >= al_heap_owner.main_end;
}

/* Before an allocation: has the heap shrunk? (One thread only; more have the anchor.) */
static inline void al_heap_look(void)
{
    if (__builtin_expect(!al_heap_as_large(), 0))
        al_heap_shrunk(al_heap_end());
}

static inline bool al_heap_qualifies(size_t usable)
{
    return usable - al_heap_owner.least <= al_heap_owner.span;
}

/* Books a qualifying block that comes (blocks = 1) or goes (-1). */
static inline void al_heap_book(struct al_counts *counts, uint64_t blocks, uint64_t bytes)
{
    al_count_in(counts, AL_COUNT_by_kind_heap_regions, blocks);
    al_count_in(counts, AL_COUNT_by_kind_heap_requested_bytes, bytes);
}

/*
 * `block`, of `usable` bytes, has been allocated, or is about to be freed. Every case is right
 * here; the common ones have a shorter way for each allocator (lib/preload/heap_tracked_glibc.c).
 */
void al_heap_own(const void *block, size_t usable);
void al_heap_disown(const void *block, size_t usable);

/* The parts of these after the block has been found to qualify, and booked. */
void al_heap_own_pages(const void *block, size_t usable);
void al_heap_disown_pages(const void *block, size_t usable);

/* The same for one page of a block that is no mapping of its own. */
void al_heap_disown_page(al_page page);

/* A page's word and the one behind it, for the processor alone. */
typedef uint64_t al_two_words __attribute__((may_alias, aligned(4)));

/*
 * Whether one more owner changes nothing of a page but the number of owners: it is locked, that is
 * certain, and not because nobody has taken it away yet. Locked, some owner below, and not unsure,
 * which is the sign: one comparison, as the bits stand in this order.
 */
static inline bool al_word_settled(uint32_t word)
{
    static_assert(AL_PAGE_HELD == AL_PAGE_OWNERS + AL_PAGE_OWNER &&
                      AL_PAGE_MAPPED == 2 * AL_PAGE_HELD && AL_PAGE_LOCKED == 2 * AL_PAGE_MAPPED &&
                      AL_PAGE_UNSURE == 2U * AL_PAGE_LOCKED,
                  "owners, held, mapped, locked and unsure follow each other");
    return (int32_t)word >= (int32_t)(AL_PAGE_LOCKED + AL_PAGE_OWNER);
}

/* Whether the same holds for one owner less. */
static inline bool al_word_shared(uint32_t word)
{
    return word & (AL_PAGE_OWNERS - AL_PAGE_OWNER); /* two at least */
}

/* The last one of a page that is held may go as well. */
static inline bool al_word_kept(uint32_t word)
{
    return __builtin_expect(al_word_shared(word), 1) ||
           (word & AL_PAGE_OWNERS && word & AL_PAGE_HELD);
}

/* And that of a page that is owned as a whole, where no page is the anchor. */
static inline bool al_word_kept_alone(uint32_t word)
{
    return __builtin_expect(al_word_shared(word), 1) ||
           (word & AL_PAGE_OWNERS && word & (AL_PAGE_HELD | AL_PAGE_MAPPED));
}

/*
 * Counts owners up or down while there is one thread: in one instruction where the processor has
 * one, so that a signal handler cannot split it.
 */
static inline void al_word_add_alone(uint32_t *word, uint32_t change)
{
#if defined(__x86_64__)
    __asm__ volatile("addl %1, %0" : "+m"(*word) : "er"(change) : "cc");
#else
    __atomic_fetch_add(word, change, __ATOMIC_RELAXED);
#endif
}

/*
 * One owner more of a block's first page, and of the page behind it too, if the block has `next`
 * (0 or 1) more pages. One block in eight has, which no processor foresees: where words that follow
 * each other can be added to in one piece, there is no branch. The same for one less; neither
 * addition is carried into the other word, as the numbers of owners stay in range.
 */
static inline void al_words_own_alone(uint32_t *first, uint64_t next)
{
#if defined(__x86_64__)
    __asm__ volatile("addq %1, %0"
                     : "+m"(*(al_two_words *)(void *)first)
                     : "r"((next << 32) * AL_PAGE_OWNER + AL_PAGE_OWNER)
                     : "cc");
#else
    al_word_add_alone(first, AL_PAGE_OWNER);
    if (next)
        al_word_add_alone(first + 1, AL_PAGE_OWNER);
#endif
}

static inline void al_words_disown_alone(uint32_t *first, uint64_t next)
{
#if defined(__x86_64__)
    __asm__ volatile("subq %1, %0"
                     : "+m"(*(al_two_words *)(void *)first)
                     : "r"((next << 32) * AL_PAGE_OWNER + AL_PAGE_OWNER)
                     : "cc");
#else
    al_word_add_alone(first, -(uint32_t)AL_PAGE_OWNER);
    if (next)
        al_word_add_alone(first + 1, -(uint32_t)AL_PAGE_OWNER);
#endif
}

/*
 * Around realloc, which may free the block and allocate another: the block is disowned before, the
 * new or the old one owned after, and until al_heap_moved() no page is given back, so that the
 * bytes on their way stay locked.
 */
static inline void al_heap_moving(void)
{
    __atomic_fetch_add(&al_books.moving, 1, __ATOMIC_SEQ_CST);
}

void al_heap_moved(void);

#endif
