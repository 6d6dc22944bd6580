#include "locker.h"

#include "counters.h"
#include "downgrades.h"
#include "kernel.h"
#include "sys.h"

/* What a signal handler asked for while its thread was inside the gate. */
enum { LATE_MAX = 8 };

static __thread struct {
    unsigned count;
    al_page first[LATE_MAX];
    al_page end[LATE_MAX];
} late __attribute__((tls_model("initial-exec")));

bool al_locker_enter(void)
{
    return al_gate_enter(&al_books.gate);
}

static void leave_for_later(al_page first, al_page end)
{
    unsigned at = late.count;

    if (at == LATE_MAX) {
        al_count(AL_COUNT_failures_other);
        return;
    }
    late.first[at] = first;
    late.end[at] = end;
    late.count = at + 1;
}

void al_locker_leave(void)
{
    al_gate_leave(&al_books.gate);
    while (__builtin_expect(late.count != 0, 0)) {
        unsigned at = --late.count;

        (void)al_locker_lock(late.first[at], late.end[at]);
    }
}

static size_t length_of(al_page first, al_page end)
{
    return (size_t)(end - first) << al_page_shift;
}

/* mlock2 as asked; without it, or where not all pages can be had now, the next best thing. */
static int ask_kernel(al_page first, al_page end)
{
    const void *start = al_page_address(first);
    size_t length = length_of(first, end);
    int result;

    if (al_books.observe)
        return 0;
    result = al_kernel_mlock2(start, length, al_books.lock_flags);
    if (result == -ENOSYS && al_books.lock_flags) {
        al_books.lock_flags = 0;
        al_downgrade_add("onfault not had: the kernel has no mlock2, all pages are brought in");
        result = al_kernel_mlock2(start, length, 0);
    }
    /* A file mapping beyond the end of its file: the pages that exist can be locked on fault. */
    if ((result == -ENOMEM || result == -EAGAIN) && !al_books.lock_flags && al_books.unlimited)
        result = al_kernel_mlock2(start, length, AL_MLOCK_ONFAULT);
    return result;
}

static bool locked_at(al_page page)
{
    return al_pagemap_get(page) & AL_PAGE_LOCKED;
}

/*
 * Every run of its own costs the kernel up to two mappings, and the program may run out of them.
 * Where there are too many, a run must begin at another one: the gap before it, if it is small and
 * the slack has room, is locked with it. Returns where to begin; `end` if there is no way.
 */
static al_page begin_of_run(al_page first, al_page end)
{
    enum { GAP_MAX = 64 };

    if (__atomic_load_n(&al_books.runs, __ATOMIC_RELAXED) < (int64_t)al_books.runs_max)
        return first;
    if (locked_at(end))
        return first;
    for (al_page gap = 0; gap <= GAP_MAX && gap < first; gap++)
        if (locked_at(first - gap - 1))
            return gap + al_books.unowned_pages <= al_books_slack() ? first - gap : end;
    return end;
}

/* Books the kernel's answer. */
static void mark(al_page first, al_page end, bool locked)
{
    if (!al_locker_enter())
        return;
    if (locked)
        (void)al_books_change(first, end, AL_PAGE_UNSURE, AL_PAGE_LOCKED, AL_SHARED);
    else
        al_locker_forget(first, end);
    al_locker_leave();
}

/*
 * munlock stops at the first page that is not mapped: what remembers pages may be out of date, so
 * the two halves are tried then.
 */
void al_locker_unlock(al_page first, al_page end)
{
    al_page middle = first + (end - first) / 2;

    if (al_books.everything || al_books.observe)
        return;
    if (al_kernel_munlock(al_page_address(first), length_of(first, end)) != -ENOMEM ||
        middle == first)
        return;
    al_locker_unlock(first, middle);
    al_locker_unlock(middle, end);
}

int al_locker_lock(al_page first, al_page end)
{
    uint64_t pages;
    int result;

    if (al_gate_inside()) {
        leave_for_later(first, end);
        return 0;
    }
    first = begin_of_run(first, end);
    pages = end - first;
    if (!pages || !al_books_take(pages)) {
        al_count(AL_COUNT_skipped_budget);
        return -ENOMEM;
    }
    result = ask_kernel(first, end);
    /* A refusal may come late, with a part of the run locked: what is not booked must not stay. */
    if (result)
        al_locker_unlock(first, end);
    else
        __atomic_fetch_add(&al_books.total_pages, pages, __ATOMIC_RELAXED);
    mark(first, end, result == 0);
    al_books_give_back(pages); /* marking has booked those that are new */
    return result;
}

void al_locker_forget(al_page first, al_page end)
{
    (void)al_books_change(first, end, AL_PAGE_LOCKED | AL_PAGE_UNSURE, 0, AL_SHARED);
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
    for (al_page page = first; page < end; page++)
        __atomic_fetch_and(al_leaf_word(leaf, page), ~(uint32_t)(AL_PAGE_LEAVING | AL_PAGE_UNSURE),
                           __ATOMIC_RELEASE);
}

static void trim_leaf(struct al_leaf *leaf, al_page first)
{
    al_page end = first + AL_LEAF_PAGES;
    al_page page = first;
    int64_t pages = 0;
    int64_t runs = 0;

    while (page < end) {
        bool program_locks = *al_leaf_word(leaf, page) & AL_PAGE_PROGRAM;
        bool before = page && al_pagemap_get(page - 1) & AL_PAGE_LOCKED;
        al_page begin = page;

        while (page < end && program_locks == !!(*al_leaf_word(leaf, page) & AL_PAGE_PROGRAM) &&
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
}

/* A span of whole leaves without words of their own. */
static void trim_span(al_page first)
{
    al_page end = first + AL_LEAF_PAGES;
    uint32_t word = al_pagemap_get(first);

    if (!al_word_unowned(word))
        return;
    unlock_run(first, end, word & AL_PAGE_PROGRAM);
    (void)al_books_change(first, end, AL_PAGE_LOCKED | AL_PAGE_UNSURE, 0, AL_EXCLUSIVE);
}

static void trim_to(uint64_t most)
{
    if (__atomic_load_n(&al_books.moving, __ATOMIC_ACQUIRE) || !al_locker_enter())
        return;
    for (al_page page = al_pagemap_skip(0, AL_PAGE_END);
         page < AL_PAGE_END && __atomic_load_n(&al_books.unowned_pages, __ATOMIC_RELAXED) > most;
         page = al_pagemap_skip(page + AL_LEAF_PAGES, AL_PAGE_END)) {
        struct al_leaf *leaf = al_pagemap_leaf(page);

        page = page / AL_LEAF_PAGES * AL_LEAF_PAGES;
        if (!leaf)
            trim_span(page);
        else if (__atomic_load_n(&leaf->unowned, __ATOMIC_RELAXED))
            trim_leaf(leaf, page);
    }
    al_locker_leave();
}

void al_locker_trim(void)
{
    uint64_t slack = al_books_slack();

    if (__atomic_load_n(&al_books.unowned_pages, __ATOMIC_RELAXED) > slack)
        trim_to(slack / 2);
}

void al_locker_trim_all(void)
{
    trim_to(0);
}
