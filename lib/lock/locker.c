#include "locker.h"

#include "bring_in.h"
#include "counters.h"
#include "downgrades.h"
#include "headroom.h"
#include "hold.h"
#include "kernel.h"
#include "resident.h"
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

bool al_locker_enter_mapping(void)
{
    return al_gate_enter_undisturbed(&al_books.gate);
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

/* How to lock. */
struct way {
    bool (*enter)(void); /* the gate */
    unsigned flags;      /* for mlock2 */
};

/* Whether the page is of the heap, or of a private mapping without a file. */
static bool is_program_memory(al_page page)
{
    uint32_t word = al_pagemap_get(page);
    unsigned kind = al_word_kind(word);

    return word & AL_PAGE_MAPPED ? kind == AL_KIND_HEAP || kind == AL_KIND_ANON
                                 : word & AL_PAGE_OWNERS;
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
    /* A file mapping beyond the end of its file: the pages that exist can be locked on fault. */
    if ((result == -ENOMEM || result == -EAGAIN) && !flags && al_books.unlimited)
        result = al_kernel_mlock2(start, length, AL_MLOCK_ONFAULT);
    return result;
}

static bool locked_at(al_page page)
{
    return al_pagemap_get(page) & AL_PAGE_LOCKED;
}

/* How many pages of [first, end) are locked. */
static uint64_t locked_in(al_page first, al_page end)
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
    if (locked_in(first, end) || locked_at(end))
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

void al_locker_unlock_rest(al_page first, al_page end)
{
    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, AL_PAGE_LOCKED);

        if (!(stretch.value & AL_PAGE_LOCKED))
            al_locker_unlock(first, stretch.end);
        first = stretch.end;
    }
}

/*
 * Unlocks what a refused call may have locked all the same, because what is not booked must not
 * stay; but not what was locked before it, for others. With the gate.
 */
static void undo(al_page first, al_page end)
{
    const uint32_t mask = AL_PAGE_LOCKED | AL_PAGE_UNSURE | AL_PAGE_PROGRAM;

    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, mask);
        uint32_t state = stretch.value & (AL_PAGE_LOCKED | AL_PAGE_UNSURE);

        if (state != AL_PAGE_LOCKED) {
            if (!(stretch.value & AL_PAGE_PROGRAM))
                al_locker_unlock(first, stretch.end);
            al_locker_forget(first, stretch.end);
        }
        first = stretch.end;
    }
    __atomic_fetch_add(&al_books.refusals, 1, __ATOMIC_RELEASE);
}

/*
 * Pages that were locked without an owner: of a gap nobody knows how long it stays mapped, nor of
 * pages that lost their owners while they were being locked. With the gate.
 */
static void doubt_unowned(al_page first, al_page end)
{
    const uint32_t mask = AL_PAGE_LOCKED | AL_PAGE_OWNERS | AL_PAGE_HELD | AL_PAGE_MAPPED;

    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, mask);
        struct al_leaf *leaf = al_pagemap_leaf(first);

        for (; leaf && first < stretch.end && al_word_unowned(stretch.value); first++)
            __atomic_fetch_or(al_leaf_word(leaf, first), AL_PAGE_UNSURE, __ATOMIC_RELAXED);
        first = stretch.end;
    }
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
 * Asks for [begin, end) and books the answer. Whose unlocking after a refusal came in between has
 * undone a lock that is not booked yet: then it is asked for again.
 */
static int lock_and_book(al_page begin, al_page first, al_page end, uint64_t pages,
                         const struct way *way)
{
    for (;;) {
        unsigned refusals = __atomic_load_n(&al_books.refusals, __ATOMIC_ACQUIRE);
        int result = ask_kernel(begin, end, way->flags);
        bool valid;

        if (way->flags == al_books.lock_flags)
            learn_from(result, pages);
        if (!way->enter())
            return result;
        valid = refusals == __atomic_load_n(&al_books.refusals, __ATOMIC_RELAXED);
        if (result) {
            undo(begin, end);
        } else if (valid) {
            (void)al_books_change(begin, end, AL_PAGE_UNSURE, AL_PAGE_LOCKED, AL_SHARED);
            /* One thread locks ahead where its heap grows, and sees when it shrinks. */
            doubt_unowned(begin, al_books.several_threads ? end : first);
        }
        al_locker_leave();
        if (result || valid)
            return result;
    }
}

/* Where to end so that at most `pages` of [begin, end) are not locked yet. */
static al_page end_of_part(al_page begin, al_page end, uint64_t pages)
{
    while (begin < end) {
        struct al_stretch stretch = al_pagemap_next(begin, end, AL_PAGE_LOCKED);
        uint64_t fresh = stretch.value & AL_PAGE_LOCKED ? 0 : stretch.end - begin;

        if (fresh > pages)
            return begin + pages;
        pages -= fresh;
        begin = stretch.end;
    }
    return end;
}

/* Pages of files that the kernel can drop as long as nobody has locked them; not those of programs,
 * which are needed anyway. */
static bool can_be_dropped(al_page page)
{
    uint32_t word = al_pagemap_get(page);
    uint32_t kind = al_word_kind(word);

    return word & AL_PAGE_MAPPED && (kind == AL_KIND_FILE || kind == AL_KIND_SHARED);
}

/* Whether the cgroup has room for what a lock brings in: other pages that are there are in its
 * count already. */
static bool cgroup_has_room(al_page begin, al_page end, uint64_t pages, const struct way *way)
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

/*
 * Of [first, end), which is not had as a whole, what was locked before: it has its place in the
 * budget, but where it is in doubt it is locked only if it is asked for.
 */
static void ask_again(al_page first, al_page end, const struct way *way)
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
                      const struct way *way)
{
    int result = lock_and_book(begin, first, end, pages, way);

    if (!result)
        __atomic_fetch_add(&al_books.total_pages, pages, __ATOMIC_RELAXED);
    al_books_give_back(pages); /* those that are new have been booked */
    al_books_show();
    return result;
}

/*
 * Where there is no room to bring all of it in: what is in memory already is in the cgroup's count
 * too, and only its lock keeps it there. Nothing else is brought in.
 */
static void lock_what_is_there(al_page first, al_page end, const struct way *way)
{
    const struct way on_fault = {way->enter, AL_MLOCK_ONFAULT};

    while (first < end) {
        bool there;
        size_t bytes = al_resident_stretch(al_page_address(first), length_of(first, end), &there);
        al_page part = first + (bytes >> al_page_shift);
        al_page begin = there ? begin_of_run(first, part) : part;
        uint64_t pages = part - begin - locked_in(begin, part);

        if (begin < part && al_books_take(pages))
            (void)lock_taken(begin, first, part, pages, &on_fault);
        first = part;
    }
}

static int lock_run(al_page first, al_page end, const struct way *way)
{
    al_page begin = begin_of_run(first, end);
    uint64_t pages = end - begin - locked_in(begin, end);
    bool room = begin < end && cgroup_has_room(begin, end, pages, way);

    if (room && al_books_take(pages))
        return lock_taken(begin, first, end, pages, way);
    al_count(AL_COUNT_skipped_budget);
    if (!room && begin < end && !can_be_dropped(begin))
        lock_what_is_there(first, end, way);
    ask_again(first, end, way);
    return -ENOMEM;
}

/* What is large is brought in by parts: others in the cgroup may take the room meanwhile. */
static int lock_runs(al_page first, al_page end, const struct way *way)
{
    uint64_t pages = al_headroom_share(SIZE_MAX) >> al_page_shift;
    int result = 0;

    if (end - first <= pages || way->flags || al_books.observe ||
        !cgroup_has_room(first, end, end - first - locked_in(first, end), way))
        return lock_run(first, end, way);
    while (first < end && !result) {
        al_page part = end - first > pages ? first + pages : end;

        result = lock_run(first, part, way);
        first = part;
        pages = al_headroom_share(SIZE_MAX) >> al_page_shift;
    }
    return result;
}

static int lock(al_page first, al_page end, const struct way *way)
{
    uint64_t left = al_books_left();
    al_page part = first;

    if (al_gate_is_foreign(&al_books.gate))
        return 0; /* it has no locks, and gets none; whoever enters next makes that known */
    if (al_gate_inside()) {
        leave_for_later(first, end);
        return 0;
    }
    if (end - first <= left || end - first - locked_in(first, end) <= left)
        return lock_runs(first, end, way);
    if (al_books.by_parts)
        part = end_of_part(first, end, left);
    if (part > first)
        (void)lock_runs(first, part, way);
    ask_again(part, end, way);
    al_count(AL_COUNT_skipped_budget);
    return -ENOMEM;
}

int al_locker_lock(al_page first, al_page end)
{
    const struct way way = {al_locker_enter, al_books.lock_flags};

    return lock(first, end, &way);
}

void al_locker_lock_there(al_page first, al_page end)
{
    const struct way way = {al_locker_enter, al_books.lock_flags};

    if (!al_gate_is_foreign(&al_books.gate) && !al_gate_inside() && !al_books.observe)
        lock_what_is_there(first, end, &way);
}

/* Who is torn out between taking from the budget and booking would have taken it for ever. The
 * kernel lets no handler in either while it locks. */
static int lock_undisturbed(al_page first, al_page end, const struct way *way)
{
    int result;

    al_hold_begin();
    result = lock(first, end, way);
    al_hold_end();
    return result;
}

int al_locker_lock_mapping(al_page first, al_page end)
{
    const struct way way = {al_locker_enter_mapping, al_books.lock_flags};

    return lock_undisturbed(first, end, &way);
}

int al_locker_lock_sparse(al_page first, al_page end)
{
    const struct way way = {al_locker_enter_mapping, AL_MLOCK_ONFAULT};

    return lock_undisturbed(first, end, &way);
}

void al_locker_forget(al_page first, al_page end)
{
    (void)al_books_change(first, end, AL_PAGE_LOCKED | AL_PAGE_UNSURE, 0, AL_SHARED);
}

void al_locker_note(al_page first, al_page end, uint32_t clear, uint32_t set)
{
    if (!al_locker_enter_mapping())
        return;
    (void)al_books_change(first, end, clear, set, AL_SHARED);
    al_locker_leave();
}
