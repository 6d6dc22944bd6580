#include "heap_owner.h"

#include "heap_hold.h"
#include "locker.h"
#include "main_heap.h"
#include "regions.h"
#include "stall.h"

/* The most that an allocator adds to a small request: pages for a mapping of its own. */
enum { ROUNDED_UP = 16 << 10 };

/* After so many tries to place a block of ours in a leaf, it is not an arena's. */
enum { REFUSALS_MAX = 8 };

static char *no_end;

struct al_heap_owner al_heap_owner = {.end_of_main = (char *volatile *)&no_end};

/* The C library's idea of the heap's end; not in every libc. */
extern char *volatile __curbrk __attribute__((weak));

void al_heap_owner_start(const struct al_allocator *allocator, uintptr_t main_start,
                         bool several_threads)
{
    struct al_heap_owner *owner = &al_heap_owner;

    owner->allocator = *allocator;
    owner->least = al_books.policy.min_size ? al_books.policy.min_size : 1;
    owner->span = al_books.policy.max_size - owner->least;
    owner->every_size = owner->least == 1 && al_books.policy.max_size == UINT64_MAX;
    if (al_books.policy.max_size < owner->least) {
        owner->least = UINT64_MAX; /* no block has this size */
        owner->span = 0;
    }
    /* No allocator more than doubles a request, but for what it rounds up to pages. */
    if (owner->least > ROUNDED_UP)
        owner->hopeless = (size_t)(owner->least - ROUNDED_UP) / 2;
    if (&__curbrk) {
        owner->end_of_main = &__curbrk;
        owner->main_start = main_start ? main_start : al_main_heap_find((uintptr_t)__curbrk);
        owner->main_end = __curbrk;
    }
    owner->on = true;
    if (several_threads)
        al_heap_owner_threads();
}

/* -- other heaps ---------------------------------------------------------------------------- */

/*
 * Tries to place a small block of ours into the leaf, which then stays mapped for ever. What is
 * remembered of its pages from before is not to be believed once more.
 */
static void plant(struct al_leaf *leaf, al_page page)
{
    void *block;

    if (!al_heap_owner.allocator.keeps_used_heaps ||
        __atomic_load_n(&leaf->anchored, __ATOMIC_ACQUIRE) ||
        __atomic_load_n(&leaf->refusals, __ATOMIC_RELAXED) >= REFUSALS_MAX || al_gate_inside())
        return;
    block = al_heap_owner.allocator.malloc(1);
    if (!block)
        return;
    if (al_page_of(block) / AL_LEAF_PAGES != page / AL_LEAF_PAGES) {
        __atomic_fetch_add(&leaf->refusals, 1, __ATOMIC_RELAXED);
        al_heap_owner.allocator.free(block);
        return;
    }
    if (!al_locker_enter())
        return;
    for (size_t i = 0; i < AL_LEAF_PAGES; i++)
        if (al_word_unowned(__atomic_load_n(&leaf->word[i], __ATOMIC_RELAXED)))
            __atomic_fetch_or(&leaf->word[i], AL_PAGE_UNSURE, __ATOMIC_RELAXED);
    __atomic_store_n(&leaf->anchored, true, __ATOMIC_RELEASE);
    al_locker_leave();
}

/* -- owning --------------------------------------------------------------------------------- */

/*
 * Counts owners up or down in a page's word and returns what it was before. With one thread a plain
 * addition does, in one instruction where the processor has one: a signal handler cannot split it.
 */
static uint32_t al_word_add(uint32_t *word, uint32_t change)
{
    uint32_t before;

    if (__builtin_expect(al_books.several_threads, 0))
        return __atomic_fetch_add(word, change, __ATOMIC_ACQ_REL);
    before = __atomic_load_n(word, __ATOMIC_RELAXED);
    al_word_add_alone(word, change);
    return before;
}

/* Whether the budget is used up and none of the pages is locked: nothing is worth a try. */
static bool is_full(al_page first, al_page end)
{
    return !al_books_left() && end - first <= 2 && !(al_pagemap_get(first) & AL_PAGE_LOCKED) &&
           !(al_pagemap_get(end - 1) & AL_PAGE_LOCKED);
}

static void lock_in_main(al_page first, al_page end)
{
    if (al_main_heap_keeps(first, end))
        return;
    (void)al_locker_lock(first, al_main_heap_growth(end));
    al_main_heap_reaches(first, end);
}

static void lock_elsewhere(al_page first, al_page end)
{
    struct al_leaf *leaf = al_pagemap_leaf(first);

    if (leaf)
        plant(leaf, first);
    (void)al_locker_lock(first, end);
}

/* The pages have just been counted as owned: make the locks follow. */
static void lock_owned(al_page first, al_page end)
{
    bool main = al_main_heap_has(first);
    uint64_t began;

    if (is_full(first, end)) {
        al_count(AL_COUNT_skipped_budget);
        if (main)
            al_main_heap_reaches(first, end);
        return;
    }
    began = al_stall_begin();
    if (main)
        lock_in_main(first, end);
    else
        lock_elsewhere(first, end);
    al_stall_end(began);
}

/* Until whoever unlocks the page has finished. */
static void wait_for_leaving(void)
{
    uint64_t began = al_stall_begin();

    if (al_locker_enter())
        al_locker_leave();
    al_stall_end(began);
}

/*
 * On a page that blocks from before us may share, freed ones are subtracted that were never added:
 * its number of owners is at most the true one. The first block seen there owns it for ever, unless
 * it is owned as a whole: musl has its first blocks where the segments of libraries end.
 */
static const uint32_t lasting_owner = AL_PAGE_MAPPED | AL_KIND_HEAP << AL_PAGE_KIND_SHIFT;

/* One more owner of a page that blocks may share. Returns the page's word before. */
static uint32_t own_edge(struct al_leaf *leaf, al_page page)
{
    uint32_t *word = al_leaf_word(leaf, page);
    uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);

    if ((before & (AL_PAGE_EARLIER | AL_PAGE_MAPPED)) == AL_PAGE_EARLIER) {
        before = __atomic_fetch_or(word, lasting_owner, __ATOMIC_ACQ_REL);
        (void)al_word_add(word, AL_PAGE_OWNER);
    } else {
        before = al_word_add(word, AL_PAGE_OWNER);
    }
    if (al_word_unowned(before))
        al_books_unowned(leaf, -1);
    return before;
}

static bool is_missing(uint32_t word)
{
    return (word & (AL_PAGE_LOCKED | AL_PAGE_UNSURE)) != AL_PAGE_LOCKED;
}

/* One page or two: edges only, which need no gate. */
static void own_edges(struct al_leaf *leaf, struct al_leaf *next, al_page first, al_page end)
{
    uint32_t before = own_edge(leaf, first);
    uint32_t next_before = end - first > 1 ? own_edge(next, first + 1) : AL_PAGE_LOCKED;

    if ((before | next_before) & AL_PAGE_LEAVING)
        wait_for_leaving();
    if (is_missing(before) || is_missing(next_before))
        lock_owned(first, end);
}

/* More pages, or the first ones of a leaf. */
static void own_run(al_page first, al_page end)
{
    struct al_leaf *leaf;
    struct al_leaf *last;
    bool missing;

    if (!al_locker_enter())
        return; /* in a signal handler: not counted, and what is not counted is not locked */
    leaf = al_pagemap_make_leaf(first);
    last = al_pagemap_make_leaf(end - 1);
    missing = !leaf || is_missing(own_edge(leaf, first));
    if (end - first > 1)
        missing |= !last || is_missing(own_edge(last, end - 1));
    if (end - first > 2) {
        missing |=
            !al_pagemap_all(first + 1, end - 1, AL_PAGE_LOCKED | AL_PAGE_UNSURE, AL_PAGE_LOCKED);
        (void)al_books_change(first + 1, end - 1, AL_PAGE_OWNERS, AL_PAGE_OWNER, AL_EXCLUSIVE);
    }
    al_locker_leave();
    if (missing)
        lock_owned(first, end);
}

void al_heap_own_pages(const void *block, size_t usable)
{
    al_page first = al_page_of(block);
    al_page end = al_page_of((const char *)block + usable - 1) + 1;
    struct al_leaf *leaf = al_pagemap_leaf_quick(first);
    struct al_leaf *next = al_pagemap_leaf(end - 1);

    if (leaf && next && end - first <= 2)
        own_edges(leaf, next, first, end);
    else
        own_run(first, end);
}

/*
 * A mapping of its own that realloc has changed brings the lock along; where it does not qualify
 * any more, or cannot be had, it goes.
 */
static void unlock_moved(const void *block, size_t usable)
{
    const struct al_allocator *allocator = &al_heap_owner.allocator;
    al_page first = al_page_of(block);

    if (__atomic_load_n(&al_books.moving, __ATOMIC_RELAXED) && allocator->is_mapping &&
        allocator->is_mapping(block))
        al_locker_unlock_rest(first, al_page_of((const char *)block + usable - 1) + 1);
}

void al_heap_own(const void *block, size_t usable)
{
    struct al_counts *counts = al_thread_counts;

    if (al_heap_qualifies(usable)) {
        al_heap_book(counts, 1, usable);
        al_heap_own_pages(block, usable);
    } else {
        al_count_in(counts, AL_COUNT_skipped_size, 1);
    }
    unlock_moved(block, usable);
}

/* -- disowning ------------------------------------------------------------------------------ */

/* Pages that lost their last owner: can they be believed later? With the gate where `end` of the
 * main heap's owned part may move. */
static uint32_t doubt(const struct al_leaf *leaf, al_page page)
{
    if (al_main_heap_has(page) || (leaf && __atomic_load_n(&leaf->anchored, __ATOMIC_ACQUIRE)))
        return 0;
    return AL_PAGE_UNSURE;
}

/*
 * A page from before us, owned as a whole, of which no block of ours is left: the allocator may
 * have got it as we get ours, and give it back.
 */
static void doubt_earlier(struct al_leaf *leaf, al_page page, uint32_t before)
{
    const uint32_t earlier = AL_PAGE_LOCKED | AL_PAGE_MAPPED | AL_PAGE_EARLIER;
    uint32_t doubts;

    if ((before & (earlier | AL_PAGE_SEGMENT)) != earlier)
        return;
    doubts = doubt(leaf, page);
    if (doubts)
        __atomic_fetch_or(al_leaf_word(leaf, page), doubts, __ATOMIC_RELAXED);
}

static void lost_last_owner(struct al_leaf *leaf, al_page page, uint32_t before)
{
    uint32_t doubts;

    doubt_earlier(leaf, page, before);
    if (!al_word_unowned(before - AL_PAGE_OWNER))
        return;
    al_books_unowned(leaf, 1);
    doubts = doubt(leaf, page);
    if (doubts)
        __atomic_fetch_or(al_leaf_word(leaf, page), doubts, __ATOMIC_RELAXED);
}

/* One owner less. Returns whether the page has lost its last one. */
static bool disown_edge(struct al_leaf *leaf, al_page page)
{
    uint32_t *word = al_leaf_word(leaf, page);
    uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);

    if (!(before & AL_PAGE_OWNERS)) {
        doubt_earlier(leaf, page, before);
        return false;
    }
    before = al_word_add(word, -(uint32_t)AL_PAGE_OWNER);
    if ((before & AL_PAGE_OWNERS) != AL_PAGE_OWNER)
        return false;
    lost_last_owner(leaf, page, before);
    return !(before & AL_PAGE_HELD);
}

/* The same of a page that need not lose it for good. */
static bool disown_or_hold(struct al_leaf *leaf, al_page page)
{
    uint32_t before = __atomic_load_n(al_leaf_word(leaf, page), __ATOMIC_RELAXED);

    return !al_heap_hold(leaf, page, before) && disown_edge(leaf, page);
}

/* Interior pages have no other owner. */
static bool disown_all(al_page first, al_page end)
{
    struct al_leaf *first_leaf;
    struct al_leaf *last_leaf;

    if (!al_locker_enter())
        return false;
    first_leaf = al_pagemap_any_leaf(first);
    last_leaf = al_pagemap_any_leaf(end - 1);
    if (first_leaf)
        (void)disown_edge(first_leaf, first);
    if (last_leaf && end - first > 1)
        (void)disown_edge(last_leaf, end - 1);
    if (end - first > 2)
        (void)al_books_change(first + 1, end - 1, AL_PAGE_OWNERS,
                              doubt(al_pagemap_leaf(first + 1), first + 1), AL_EXCLUSIVE);
    al_locker_leave();
    return true;
}

static void disown_run(al_page first, al_page end)
{
    struct al_leaf *leaf = al_pagemap_leaf_quick(first);
    struct al_leaf *next = al_pagemap_leaf(end - 1);
    bool unowned;

    if (leaf && next && end - first <= 2) {
        unowned = disown_or_hold(leaf, first);
        if (end - first > 1)
            unowned |= disown_or_hold(next, first + 1);
    } else {
        unowned = disown_all(first, end);
    }
    if (unowned) {
        al_main_heap_leaves(first, end);
        al_locker_trim();
    }
}

void al_heap_disown_pages(const void *block, size_t usable)
{
    al_page first = al_page_of(block);
    al_page end = al_page_of((const char *)block + usable - 1) + 1;

    if (al_heap_owner.allocator.is_mapping && al_heap_owner.allocator.is_mapping(block))
        al_region_backing(al_page_address(first), (size_t)(end - first) << al_page_shift);
    else
        disown_run(first, end);
}

void al_heap_disown_page(al_page page)
{
    disown_run(page, page + 1);
}

void al_heap_moved(void)
{
    __atomic_fetch_sub(&al_books.moving, 1, __ATOMIC_RELEASE);
    al_locker_trim();
}

void al_heap_disown(const void *block, size_t usable)
{
    if (!al_heap_qualifies(usable))
        return;
    al_heap_book(al_thread_counts, (uint64_t)-1, -(uint64_t)usable);
    al_heap_disown_pages(block, usable);
}
