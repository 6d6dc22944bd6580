#include "lock_run.h"

#include "bring_in.h"
#include "counters.h"
#include "downgrades.h"
#include "headroom.h"
#include "kernel.h"
#include "locker.h"
#include "resident.h"

#include <errno.h>

static size_t length_of(al_page first, al_page end)
{
    return (size_t)(end - first) << al_page_shift;
}

/* -- asking and booking -------------------------------------------------------------------- */

/* Whether the page is of the heap, or of a private mapping without a file. */
static bool is_program_memory(al_page page)
{
    uint32_t word = al_pagemap_get(page);
    unsigned kind = al_word_kind(word);

    return word & AL_PAGE_MAPPED ? kind == AL_KIND_HEAP || kind == AL_KIND_ANON
                                 : word & AL_PAGE_OWNERS;
}

/* Pages of files that the kernel can drop as long as nobody has locked them; not those of programs,
 * which are needed anyway. */
static bool can_be_dropped(al_page page)
{
    uint32_t word = al_pagemap_get(page);
    uint32_t kind = al_word_kind(word);

    return word & AL_PAGE_MAPPED && (kind == AL_KIND_FILE || kind == AL_KIND_SHARED);
}

/*
 * Of what belongs to a device or to the kernel itself (rings of io_uring and perf, MAP_DROPPABLE)
 * the kernel says that it has locked it, and has not. Such memory is never private.
 */
static bool is_passed_over(al_page first)
{
    return can_be_dropped(first) && !al_books.observe &&
           al_kernel_ask(al_page_address(first), length_of(first, first + 1)) == 0;
}

/* mlock2 as asked; without it, or where not all pages can be had now, the next best thing. */
static int ask_kernel(al_page first, al_page end, unsigned flags)
{
    const void *start = al_page_address(first);
    size_t length = length_of(first, end);
    int result;

    if (al_books.observe)
        return 0;
    if (al_bring_in_is_worth(length) && is_program_memory(first))
        al_bring_in(start, length, flags & AL_MLOCK_ONFAULT);
    result = al_kernel_mlock2(start, length, flags);
    if (result == -ENOSYS && flags && flags == al_books.lock_flags) {
        al_books.lock_flags = 0;
        al_downgrade_add("onfault not had: the kernel has no mlock2, all pages are brought in");
        result = al_kernel_mlock2(start, length, 0);
    }
    /* A file mapping beyond the end of its file: the pages that exist can be locked on fault, if
     * the kernel can do that. If not, the first answer is what is known of these pages. */
    if ((result == -ENOMEM || result == -EAGAIN) && !flags && al_books.unlimited &&
        al_kernel_try_mlock2(start, length, AL_MLOCK_ONFAULT) == 0)
        return 0;
    return result;
}

/*
 * Pages that were locked without an owner are doubted: of a gap nobody knows how long it stays
 * mapped, nor of pages that lost their owners while they were being locked. One thread locks ahead
 * where its heap grows, and sees when it shrinks. With the gate.
 */
static void book(al_page begin, al_page first, al_page end)
{
    if (al_books.several_threads)
        first = end;
    if (begin < first)
        (void)al_books_change(begin, first, AL_PAGE_UNSURE, AL_PAGE_LOCKED, AL_DOUBTING);
    if (first < end)
        (void)al_books_change(first, end, AL_PAGE_UNSURE, AL_PAGE_LOCKED, AL_SHARED);
}

/*
 * What is refused again and again is not asked for any more: by who may not lock at all at once,
 * else after a number of refusals without a lock between them. Then what is locked is the most that
 * can be had: the program may use the limit as well, and what other threads are about to unmap is
 * in the kernel's count a little longer than in ours. `pages` are those that were refused.
 */
static void learn_from(int result, uint64_t pages)
{
    enum { IN_VAIN_MAX = 64 };
    const bool never = result == -EPERM || result == -ENOSYS;
    uint64_t locked = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    uint64_t most = never || locked < pages ? 0 : locked - pages;

    if (!result) {
        if (__atomic_load_n(&al_books.in_vain, __ATOMIC_RELAXED))
            __atomic_store_n(&al_books.in_vain, 0, __ATOMIC_RELAXED);
        return;
    }
    if (!never && __atomic_add_fetch(&al_books.in_vain, 1, __ATOMIC_RELAXED) != IN_VAIN_MAX)
        return;
    __atomic_store_n(&al_books.in_vain, 0, __ATOMIC_RELAXED);
    if (!most && al_books.budget_pages)
        al_downgrade_add("locking given up: the kernel refuses every lock");
    al_books_lower_budget(most ? most + al_pagemap_locked_pages() : 0);
}

/*
 * Asks for [begin, end) and books the answer. What was unlocked in between, by the program or after
 * a refusal, has lost a lock that is not booked yet: then it is asked for again.
 */
static int lock_and_book(al_page begin, al_page first, al_page end, uint64_t pages,
                         const struct al_lock_way *way)
{
    for (;;) {
        unsigned refusals = __atomic_load_n(&al_books.refusals, __ATOMIC_ACQUIRE);
        int result = ask_kernel(begin, end, way->flags);
        bool valid;

        if (way->flags == al_books.lock_flags)
            learn_from(result, pages);
        if (!result && is_passed_over(first)) {
            al_count(AL_COUNT_skipped_kind);
            result = -EOPNOTSUPP;
        }
        if (!way->enter())
            return result;
        valid = refusals == __atomic_load_n(&al_books.refusals, __ATOMIC_RELAXED);
        if (result)
            al_locker_undo(begin, end);
        else if (valid)
            book(begin, first, end);
        al_locker_leave();
        if (result || valid)
            return result;
    }
}

/* -- where a run begins --------------------------------------------------------------------- */

static bool locked_at(al_page page)
{
    return al_pagemap_get(page) & AL_PAGE_LOCKED;
}

uint64_t al_lock_run_locked(al_page first, al_page end)
{
    uint64_t pages = 0;

    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, AL_PAGE_LOCKED);

        if (stretch.value & AL_PAGE_LOCKED)
            pages += stretch.end - first;
        first = stretch.end;
    }
    return pages;
}

/*
 * Every run of its own costs the kernel up to two mappings, and the program may run out of them.
 * Where there are too many, a run must touch another one, or the gap before it, if it is small and
 * the slack has room, is locked with it. Returns where to begin; `end` if there is no way.
 */
static al_page begin_of_run(al_page first, al_page end)
{
    enum { GAP_MAX = 64 };

    if (__atomic_load_n(&al_books.runs, __ATOMIC_RELAXED) < (int64_t)al_books.runs_max)
        return first;
    if (al_lock_run_locked(first, end) || locked_at(end))
        return first;
    for (al_page gap = 0; gap <= GAP_MAX && gap < first; gap++) {
        uint32_t word = al_pagemap_get(first - gap - 1);

        if (word & AL_PAGE_LOCKED)
            return (int64_t)gap + al_books_spare() <= (int64_t)al_books_slack() ? first - gap : end;
        if (word & AL_PAGE_CLOSED)
            break;
    }
    return end;
}

/* -- whether there is room ------------------------------------------------------------------ */

/* Whether the cgroup has room for what a lock brings in: other pages that are there are in its
 * count already. */
static bool cgroup_has_room(al_page begin, al_page end, uint64_t pages,
                            const struct al_lock_way *way)
{
    bool droppable = can_be_dropped(begin);
    uint64_t bytes = pages << al_page_shift;
    uint64_t there;

    if (al_books.observe ||
        (droppable && way->flags ? al_headroom_has_later(bytes) : al_headroom_has(bytes)))
        return true;
    if (droppable)
        return false;
    there = al_resident_pages(al_page_address(begin), length_of(begin, end));
    there = there < pages ? there : pages;
    return there && al_headroom_has((pages - there) << al_page_shift);
}

/* -- runs ----------------------------------------------------------------------------------- */

void al_lock_run_again(al_page first, al_page end, const struct al_lock_way *way)
{
    const uint32_t doubted = AL_PAGE_LOCKED | AL_PAGE_UNSURE;

    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, doubted);

        if ((stretch.value & doubted) == doubted)
            (void)lock_and_book(first, first, stretch.end, 0, way);
        first = stretch.end;
    }
}

/* `pages` of it are new, and taken from the budget. */
static int lock_taken(al_page begin, al_page first, al_page end, uint64_t pages,
                      const struct al_lock_way *way)
{
    int result = lock_and_book(begin, first, end, pages, way);

    if (!result)
        __atomic_fetch_add(&al_books.total_pages, pages, __ATOMIC_RELAXED);
    al_books_give_back(pages); /* those that are new have been booked */
    al_books_show();
    return result;
}

void al_lock_run_there(al_page first, al_page end, const struct al_lock_way *way)
{
    const struct al_lock_way on_fault = {way->enter, AL_MLOCK_ONFAULT};

    while (first < end) {
        bool there;
        size_t bytes = al_resident_stretch(al_page_address(first), length_of(first, end), &there);
        al_page part = first + (bytes >> al_page_shift);
        al_page begin = there ? begin_of_run(first, part) : part;
        uint64_t pages = part - begin - al_lock_run_locked(begin, part);

        if (begin < part && al_books_take(pages))
            (void)lock_taken(begin, first, part, pages, &on_fault);
        first = part;
    }
}

/* `there`: those pages that are in memory can be had. */
static int leave(al_page first, al_page end, const struct al_lock_way *way, bool there)
{
    al_count(AL_COUNT_skipped_budget);
    if (there && !can_be_dropped(first))
        al_lock_run_there(first, end, way);
    al_lock_run_again(first, end, way);
    return -ENOMEM;
}

static int lock_one(al_page first, al_page end, const struct al_lock_way *way)
{
    al_page begin = begin_of_run(first, end);
    uint64_t pages = end - begin - al_lock_run_locked(begin, end);
    bool room = begin < end && cgroup_has_room(begin, end, pages, way);

    if (room && al_books_take(pages))
        return lock_taken(begin, first, end, pages, way);
    return leave(first, end, way, !room && begin < end);
}

/* What is large is brought in by parts: others in the cgroup may take the room meanwhile. What the
 * program may never touch is not brought in at all where that would be too much. */
int al_lock_run(al_page first, al_page end, const struct al_lock_way *way)
{
    const struct al_lock_way on_fault = {way->enter, AL_MLOCK_ONFAULT};
    const uint64_t length = length_of(first, end);
    uint64_t pages = al_headroom_share(SIZE_MAX) >> al_page_shift;
    bool parts = end - first > pages;
    int result = 0;

    if (way->flags || al_books.observe)
        return lock_one(first, end, way);
    if ((parts || length >= AL_HEADROOM_LARGE) && !al_headroom_spares(length, AL_HEADROOM_REGION))
        return can_be_dropped(first) ? leave(first, end, way, false)
                                     : lock_one(first, end, &on_fault);
    if (!parts)
        return lock_one(first, end, way);
    /* Asked again, it may have some: but not for all of it at once. */
    if (!cgroup_has_room(first, end, end - first - al_lock_run_locked(first, end), way))
        return leave(first, end, way, true);
    while (first < end && !result) {
        al_page part = end - first > pages ? first + pages : end;

        result = lock_one(first, part, way);
        first = part;
        pages = al_headroom_share(SIZE_MAX) >> al_page_shift;
    }
    return result;
}
