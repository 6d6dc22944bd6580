#include "locker.h"

#include "counters.h"
#include "hold.h"
#include "kernel.h"
#include "lock_run.h"

#include <errno.h>

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

static int lock(al_page first, al_page end, const struct al_lock_way *way)
{
    uint64_t left = al_books_left();
    al_page part = first;

    if (al_gate_is_foreign(&al_books.gate))
        return 0; /* it has no locks, and gets none; whoever enters next makes that known */
    if (al_gate_inside()) {
        leave_for_later(first, end);
        return 0;
    }
    if (end - first <= left || end - first - al_lock_run_locked(first, end) <= left)
        return al_lock_run(first, end, way);
    if (al_books.by_parts)
        part = end_of_part(first, end, left);
    if (part > first)
        (void)al_lock_run(first, part, way);
    al_lock_run_again(part, end, way);
    al_count(AL_COUNT_skipped_budget);
    return -ENOMEM;
}

int al_locker_lock(al_page first, al_page end)
{
    const struct al_lock_way way = {al_locker_enter, al_books.lock_flags};

    return lock(first, end, &way);
}

void al_locker_lock_there(al_page first, al_page end)
{
    const struct al_lock_way way = {al_locker_enter, al_books.lock_flags};

    if (!al_gate_is_foreign(&al_books.gate) && !al_gate_inside() && !al_books.observe)
        al_lock_run_there(first, end, &way);
}

/* Who is torn out between taking from the budget and booking would have taken it for ever. The
 * kernel lets no handler in either while it locks. */
static int lock_undisturbed(al_page first, al_page end, const struct al_lock_way *way)
{
    int result;

    al_hold_begin();
    result = lock(first, end, way);
    al_hold_end();
    return result;
}

int al_locker_lock_mapping(al_page first, al_page end)
{
    const struct al_lock_way way = {al_locker_enter_mapping, al_books.lock_flags};

    return lock_undisturbed(first, end, &way);
}

int al_locker_lock_sparse(al_page first, al_page end)
{
    const struct al_lock_way way = {al_locker_enter_mapping, AL_MLOCK_ONFAULT};

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

void al_locker_unlocked(al_page first, al_page end)
{
    const uint32_t state = AL_PAGE_PROGRAM | AL_PAGE_LOCKED | AL_PAGE_UNSURE;

    if (!al_locker_enter_mapping())
        return;
    (void)al_books_change(first, end, state, 0, AL_SHARED);
    /* What another thread has locked since is not in the books any more. */
    if (al_books.several_threads)
        al_locker_unlock(first, end);
    __atomic_fetch_add(&al_books.refusals, 1, __ATOMIC_RELEASE);
    al_locker_leave();
}
