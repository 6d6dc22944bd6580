/*
 * The books of mode `alloc`: how many pages are locked, how many of these have an owner, and the
 * gate behind which they change. What is known of a single page is in the page map.
 */
#ifndef AL_BOOKS_H
#define AL_BOOKS_H

#include "gate.h"
#include "pagemap.h"
#include "policy.h"

/*
 * Pages without an owner stay locked for a while, since they are likely to be used again, and go
 * back in batches once there are more of them, held ones (heap_hold.h) included, than
 *
 *   1/8 of what is locked, at least 1.25 MiB, at most 64 MiB.
 *
 * The least is what lets a program that has little locked allocate and free a block of 1 MiB again
 * and again without a system call.
 */
#define AL_SLACK_SHARE     8
#define AL_SLACK_MIN_BYTES ((size_t)1280 << 10)
#define AL_SLACK_MAX_BYTES ((size_t)64 << 20)

struct al_books {
    struct al_gate gate;
    struct al_policy policy;
    bool tracking;  /* regions that appear are judged */
    bool observe;   /* decide, but ask nothing of the kernel */
    bool by_kernel; /* not tracking, as the kernel locks all: the program's own locks are noted */
    bool program_ranges;   /* it has noted some */
    bool everything;       /* the program itself locked everything: nothing is unlocked any more */
    bool several_threads;  /* there is, or was, more than one */
    bool unlimited;        /* no memlock limit holds */
    bool by_parts;         /* of a region that does not fit into the budget, lock what does */
    unsigned lock_flags;   /* for mlock2 */
    uint64_t budget_pages; /* what may be locked at all */
    uint64_t runs_max;     /* how many separate runs of pages may be locked */

    /* Changed atomically. */
    unsigned moving; /* blocks on their way, between disowning and owning: give nothing back */
    uint64_t locked_pages;
    uint64_t unowned_pages; /* of these, without an owner */
    uint64_t held_pages;    /* so many more, at most, have none and are held (heap_hold.h) */
    uint64_t peak_pages;
    uint64_t total_pages; /* locked over time */
    int64_t runs;         /* separate runs of locked pages; approximate while threads run */
    unsigned refusals; /* how often pages were unlocked behind the backs of those who lock them */
    unsigned in_vain;  /* locks that the kernel refused in a row */
};

extern struct al_books al_books AL_HIDDEN;

/* How many pages may be locked without an owner: now, and where `pages` are locked. */
uint64_t al_books_slack(void);
uint64_t al_books_slack_of(uint64_t pages);

/* What there is that the slack is for: for a moment fewer than none, where a page was owned again
 * before its loss was booked. */
static inline int64_t al_books_spare(void)
{
    return (int64_t)(__atomic_load_n(&al_books.unowned_pages, __ATOMIC_RELAXED) +
                     __atomic_load_n(&al_books.held_pages, __ATOMIC_RELAXED));
}

/* Takes `pages` from the budget; false, and the caller locks nothing, if they are not there. */
bool al_books_take(uint64_t pages);
void al_books_give_back(uint64_t pages);

/* The budget for the program's pages: our own tables are locked too, and held against it. */
static inline uint64_t al_books_budget(void)
{
    uint64_t budget = __atomic_load_n(&al_books.budget_pages, __ATOMIC_RELAXED);
    uint64_t tables = al_pagemap_locked_pages();

    return budget > tables ? budget - tables : 0;
}

/* Pages that it has left. */
static inline uint64_t al_books_left(void)
{
    uint64_t locked = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    uint64_t budget = al_books_budget();

    return locked < budget ? budget - locked : 0;
}

/* Lets others see how much is locked (live.h), once a change of it is booked. */
void al_books_show(void);

/* From now on at most `pages`, for what the kernel or the program itself needs of the limit. */
void al_books_lower_budget(uint64_t pages);

/* Books a page that became unowned, or is no longer. `leaf` may be NULL: it is in a span. */
void al_books_unowned(struct al_leaf *leaf, int64_t pages);

/*
 * Who else may change the words meanwhile: heap blocks are counted without the gate. Doubting, what
 * is locked and has no owner becomes unsure in the same moment: whoever came to own it between two
 * would believe it.
 */
enum al_access { AL_SHARED, AL_EXCLUSIVE, AL_DOUBTING };

/*
 * Changes the words of [first, end) to (word & ~clear) | set, and books what follows from it: pages
 * that become locked or stop to be, pages with and without an owner. With the gate. Returns false
 * without memory; then some pages are unchanged.
 */
bool al_books_change(al_page first, al_page end, uint32_t clear, uint32_t set,
                     enum al_access access);

#endif
