#include "main_heap.h"

#include "heap_hold.h"
#include "heap_owner.h"
#include "kernel.h"
#include "locker.h"
#include "sys.h"

#include <sys/mman.h>

/* How far ahead of the heap's growth to lock, as far as the slack allows. */
enum { AHEAD_PAGES = 256 };

static bool is_mapped(uintptr_t start, uintptr_t end)
{
    return al_sys3(SYS_msync, start, end - start, MS_ASYNC) == 0;
}

uintptr_t al_main_heap_find(uintptr_t end)
{
    const size_t page = al_page_size();
    uintptr_t start = end ? end : (uintptr_t)al_sys1(SYS_brk, 0);
    size_t step = page;

    start &= ~(page - 1);
    for (; start > step && is_mapped(start - step, start); step *= 2)
        start -= step;
    for (; step >= page; step /= 2)
        if (start > step && is_mapped(start - step, start))
            start -= step;
    return start;
}

bool al_main_heap_has(al_page page)
{
    uintptr_t address = (uintptr_t)al_page_address(page);

    return al_heap_owner.main_start && address >= al_heap_owner.main_start &&
           address < (uintptr_t)al_heap_end();
}

void al_heap_shrunk(char *end)
{
    size_t mask = ((size_t)1 << al_page_shift) - 1;
    al_page from = al_page_of(end + mask);
    al_page to = al_page_of(al_heap_owner.main_end + mask);

    if (!al_locker_enter())
        return;
    al_heap_owner.main_end = end;
    (void)al_books_change(from, to, ~0U, 0, AL_SHARED);
    al_locker_leave();
}

static bool is_owned(al_page page)
{
    return al_pagemap_get(page) & AL_PAGE_OWNERS;
}

/* Whether a page of the main heap without owners must be doubted once the anchor is below it. */
static bool may_be_trimmed(uint32_t word)
{
    return al_word_unowned(word) || (word & AL_PAGE_LOCKED && word & AL_PAGE_EARLIER);
}

static al_page anchor_end(void)
{
    return __atomic_load_n(&al_heap_owner.anchor_end, __ATOMIC_SEQ_CST);
}

bool al_main_heap_is_below(al_page page)
{
    return page + 1 < anchor_end();
}

/*
 * Pages without an owner that lower_anchor() has been through. Each is unsure or not locked, so
 * that whoever owns one comes by al_main_heap_reaches(), which takes it out of the hole. With the
 * gate.
 */
static void leave_hole(al_page first, al_page end)
{
    struct al_heap_owner *owner = &al_heap_owner;

    if (first >= owner->hole_end || end <= owner->hole_first)
        return;
    if (first > owner->hole_first && first - owner->hole_first >= owner->hole_end - first)
        owner->hole_end = first;
    else
        owner->hole_first = end;
    if (owner->hole_first > owner->hole_end)
        owner->hole_first = owner->hole_end;
}

/* The page before `page` that may have an owner: what is known to have none is passed over. */
static al_page before_hole(al_page page)
{
    if (page > al_heap_owner.hole_first && page <= al_heap_owner.hole_end)
        return al_heap_owner.hole_first;
    return page;
}

/* The pages below `page` that have one word for all of a leaf, and no owner. */
static al_page pass_span(al_page start, al_page page)
{
    al_page first = (page - 1) / AL_LEAF_PAGES * AL_LEAF_PAGES;

    if (first < start)
        first = start;
    if (may_be_trimmed(al_pagemap_get(page - 1)))
        (void)al_books_change(first, page, 0, AL_PAGE_UNSURE, AL_SHARED);
    return first;
}

/* Marks what is between `page` and the next owned page below as unsure, and holds nothing of it any
 * more; returns that one's end. */
static al_page pass_unowned(al_page start, al_page page)
{
    while ((page = before_hole(page)) > start && !is_owned(page - 1)) {
        struct al_leaf *leaf = al_pagemap_any_leaf(page - 1);

        if (!leaf) {
            page = pass_span(start, page);
            continue;
        }
        al_heap_let_go(leaf, page - 1);
        if (may_be_trimmed(al_pagemap_get(page - 1)))
            __atomic_fetch_or(al_leaf_word(leaf, page - 1), AL_PAGE_UNSURE, __ATOMIC_RELAXED);
        page--;
    }
    return page;
}

/* The same where the page would be held if its last owner left it: of the anchor that must be
 * known.
 */
static bool is_owned_alone(al_page page)
{
    struct al_leaf *leaf = al_pagemap_leaf(page);

    if (leaf)
        al_heap_let_go(leaf, page);
    return is_owned(page);
}

/*
 * Moves the anchor down to the highest owned page below `end`. What is above it and has no owner
 * can be trimmed from now on. Whoever disowns that page meanwhile either sees the new anchor or is
 * seen here. With the gate.
 */
static void lower_anchor(al_page end)
{
    al_page start = al_page_of((void *)al_heap_owner.main_start);
    al_page page = end;

    do {
        page = pass_unowned(start, page);
        (void)__atomic_exchange_n(&al_heap_owner.anchor_end, page, __ATOMIC_SEQ_CST);
    } while (page > start && !is_owned_alone(page - 1));
    if (end - page >= al_heap_owner.hole_end - al_heap_owner.hole_first) {
        al_heap_owner.hole_first = page;
        al_heap_owner.hole_end = end;
    }
}

/* [first, end) is in use. */
void al_main_heap_reaches(al_page first, al_page end)
{
    if (!al_books.several_threads) {
        al_heap_look(); /* a realloc may have freed the highest block */
        al_heap_owner.main_end = al_heap_end();
        return;
    }
    if (!al_locker_enter())
        return;
    leave_hole(first, end);
    if (end > anchor_end())
        __atomic_store_n(&al_heap_owner.anchor_end, end, __ATOMIC_SEQ_CST);
    al_locker_leave();
}

void al_heap_owner_threads(void)
{
    if (!al_heap_owner.on || al_books.several_threads)
        return;
    al_heap_look();
    if (!al_locker_enter())
        return;
    al_books.several_threads = true;
    if (al_heap_owner.main_start)
        lower_anchor(al_page_of(al_heap_end()) + 1);
    /* The end is not looked at any more: it could shrink and grow between two looks. */
    al_heap_owner.main_end = NULL;
    al_locker_leave();
}

void al_heap_owner_anew(void)
{
    al_page top = al_page_of(al_heap_end()) + 1;

    if (!al_heap_owner.on || !al_books.several_threads || !al_heap_owner.main_start)
        return;
    /* What is in the hole may have been locked since, by none of its owners. */
    al_heap_owner.hole_first = 0;
    al_heap_owner.hole_end = 0;
    lower_anchor(top > anchor_end() ? top : anchor_end());
}

/*
 * Of more pages than one each may have been trimmed with the heap's end, and locked anew since by
 * itself: they are asked for.
 */
bool al_main_heap_keeps(al_page first, al_page end)
{
    bool keeps;

    if (al_books.observe || end - first > 1 || !(al_pagemap_get(first) & AL_PAGE_LOCKED))
        return false;
    al_main_heap_reaches(first, end);
    if (!al_locker_enter())
        return false;
    /* Behind the gate, as nobody unlocks anything else meanwhile. */
    keeps = al_pagemap_get(first) & AL_PAGE_LOCKED &&
            al_kernel_is_locked(al_page_address(first), (size_t)1 << al_page_shift);
    if (keeps)
        (void)al_books_change(first, end, AL_PAGE_UNSURE, 0, AL_SHARED);
    al_locker_leave();
    return keeps;
}

void al_main_heap_leaves(al_page first, al_page end)
{
    if (!al_books.several_threads || end < anchor_end() || !al_main_heap_has(first))
        return;
    if (!al_locker_enter())
        return;
    leave_hole(first, end); /* owned in a signal handler, it may be in there still */
    if (end >= anchor_end())
        lower_anchor(end);
    al_locker_leave();
}

al_page al_main_heap_growth(al_page end)
{
    int64_t slack = (int64_t)al_books_slack();
    int64_t spare = al_books_spare();
    al_page top = al_page_of(al_heap_end());
    al_page most;

    if (al_books.observe || al_books.several_threads || spare >= slack)
        return end;
    most = end + (al_page)(slack - spare) / 2;
    if (most > end + AHEAD_PAGES)
        most = end + AHEAD_PAGES;
    if (most > top)
        most = top;
    while (end < most && !(al_pagemap_get(end) & ~(uint32_t)AL_PAGE_OWNERS))
        end++;
    return end;
}
