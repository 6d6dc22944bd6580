/*
 * Pages that are unlocked without their memory going away: those without an owner, once there are
 * more of them than the slack, and any, where the program needs its limit for itself.
 */
#include "heap_hold.h"
#include "locker.h"
#include "stall.h"

/* -- making room ---------------------------------------------------------------------------- */

/* Unlocks our locks in [page, end of its leaf) until `*pages` are. With the gate. */
static void release_in(al_page page, uint64_t *pages)
{
    const uint32_t mask = AL_PAGE_LOCKED | AL_PAGE_PROGRAM;
    al_page end = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;

    while (page < end && *pages) {
        struct al_stretch stretch = al_pagemap_next(page, end, mask);

        page = stretch.end;
        if ((stretch.value & mask) != AL_PAGE_LOCKED)
            continue;
        if (stretch.end - stretch.first > *pages)
            stretch.first = stretch.end - *pages;
        al_locker_unlock(stretch.first, stretch.end);
        al_locker_forget(stretch.first, stretch.end);
        *pages -= stretch.end - stretch.first;
    }
}

bool al_locker_release(uint64_t pages)
{
    uint64_t missing = pages;

    if (al_books.observe || !al_locker_enter())
        return false;
    for (al_page page = al_pagemap_skip(0, AL_PAGE_END); page < AL_PAGE_END && missing;
         page = al_pagemap_skip(page + AL_LEAF_PAGES, AL_PAGE_END)) {
        page = page / AL_LEAF_PAGES * AL_LEAF_PAGES;
        release_in(page, &missing);
    }
    al_locker_leave();
    if (missing == pages)
        return false;
    pages = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    al_books_lower_budget(pages + al_pagemap_locked_pages());
    return true;
}

/* -- giving back ---------------------------------------------------------------------------- */

/* Turns a page without an owner into one that is being unlocked; false if it must stay. */
static bool begin_leaving(struct al_leaf *leaf, al_page page)
{
    uint32_t *word = al_leaf_word(leaf, page);
    uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
    uint32_t after;

    do {
        if (!al_word_unowned(before))
            return false;
        after = (before & ~(uint32_t)AL_PAGE_LOCKED) | AL_PAGE_LEAVING;
    } while (!__atomic_compare_exchange_n(word, &before, after, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    /* A block on its way was disowned after its owner said so: it is seen here at the latest. */
    if (__atomic_load_n(&al_books.moving, __ATOMIC_SEQ_CST)) {
        after = __atomic_xor_fetch(word, AL_PAGE_LOCKED | AL_PAGE_LEAVING, __ATOMIC_ACQ_REL);
        if (after & AL_PAGE_OWNERS)
            al_books_unowned(leaf, -1); /* it came meanwhile, and did not see the lock */
        return false;
    }
    return true;
}

/* Unlocks [first, end), whose words are marked as leaving. */
static void unlock_run(al_page first, al_page end, bool program_locks)
{
    if (!program_locks)
        al_locker_unlock(first, end);
}

/* The words of a whole run are in one leaf. */
static void finish_leaving(struct al_leaf *leaf, al_page first, al_page end)
{
    const uint32_t over = AL_PAGE_LEAVING | AL_PAGE_UNSURE;

    for (al_page page = first; page < end; page++) {
        uint32_t before = __atomic_fetch_and(al_leaf_word(leaf, page), ~over, __ATOMIC_RELEASE);

        al_leaf_note(leaf, before, before & ~over);
    }
}

/* The first page from `page` on without an owner: most words are looked at for no more than that.
 */
static al_page next_unowned(struct al_leaf *leaf, al_page page, al_page end)
{
    while (page < end &&
           !al_word_unowned(__atomic_load_n(al_leaf_word(leaf, page), __ATOMIC_RELAXED)))
        page++;
    return page;
}

static void trim_leaf(struct al_leaf *leaf, al_page first)
{
    int64_t unowned = (int32_t)__atomic_load_n(&leaf->unowned, __ATOMIC_RELAXED);
    al_page end = first + AL_LEAF_PAGES;
    al_page page = first;
    int64_t pages = 0;
    int64_t runs = 0;

    /* What has lost its owner behind us stays for the next time. */
    while (pages < unowned && (page = next_unowned(leaf, page, end)) < end) {
        bool program_locks = al_pagemap_get(page) & AL_PAGE_PROGRAM;
        bool before = page && al_pagemap_get(page - 1) & AL_PAGE_LOCKED;
        al_page begin = page;

        while (page < end && program_locks == !!(al_pagemap_get(page) & AL_PAGE_PROGRAM) &&
               begin_leaving(leaf, page))
            page++;
        if (page == begin) {
            page++;
            continue;
        }
        runs += before + !!(al_pagemap_get(page) & AL_PAGE_LOCKED) - 1;
        pages += (int64_t)(page - begin);
        unlock_run(begin, page, program_locks);
        finish_leaving(leaf, begin, page);
    }
    al_books_unowned(leaf, -pages);
    al_books_give_back((uint64_t)pages);
    __atomic_fetch_add(&al_books.runs, runs, __ATOMIC_RELAXED);
    al_books_show();
}

/* A span of whole leaves without words of their own. */
static void trim_span(al_page first)
{
    al_page end = first + AL_LEAF_PAGES;
    uint32_t word = al_pagemap_get(first);

    /* A block on its way was disowned behind the gate, after its owner said so. */
    if (!al_word_unowned(word) || __atomic_load_n(&al_books.moving, __ATOMIC_SEQ_CST))
        return;
    unlock_run(first, end, word & AL_PAGE_PROGRAM);
    (void)al_books_change(first, end, AL_PAGE_LOCKED | AL_PAGE_UNSURE, 0, AL_EXCLUSIVE);
}

/* For a moment fewer than none, where a page was owned again before its loss was booked. */
static int64_t unowned_pages(void)
{
    return (int64_t)__atomic_load_n(&al_books.unowned_pages, __ATOMIC_RELAXED);
}

static void trim_to(int64_t most)
{
    /* For blocks or mappings; it is rare, and much work either way. */
    if (__atomic_load_n(&al_books.moving, __ATOMIC_ACQUIRE) || !al_locker_enter_mapping())
        return;
    for (al_page page = al_pagemap_skip(0, AL_PAGE_END);
         page < AL_PAGE_END && unowned_pages() > most;
         page = al_pagemap_skip(page + AL_LEAF_PAGES, AL_PAGE_END)) {
        struct al_leaf *leaf = al_pagemap_any_leaf(page);

        page = page / AL_LEAF_PAGES * AL_LEAF_PAGES;
        if (!leaf)
            trim_span(page);
        else if (__atomic_load_n(&leaf->unowned, __ATOMIC_RELAXED))
            trim_leaf(leaf, page);
        al_pagemap_drop_empty(page);
    }
    al_locker_leave();
}

void al_locker_trim(void)
{
    int64_t spare = al_books_spare();
    int64_t locked = (int64_t)__atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    uint64_t began;

    if (spare <= (int64_t)al_books_slack() || __atomic_load_n(&al_books.moving, __ATOMIC_RELAXED))
        return;
    began = al_stall_begin();
    /* What goes is not locked any more, and lessens the slack. */
    trim_to((int64_t)al_books_slack_of(locked > spare ? (uint64_t)(locked - spare) : 0) / 2);
    al_stall_end(began);
}

void al_locker_trim_all(void)
{
    al_heap_let_go_all();
    trim_to(0);
}
