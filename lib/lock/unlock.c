/*
 * Unlocks runs of pages that the books do not know as locked.
 */
#include "kernel.h"
#include "locker.h"

#include <errno.h>

/*
 * munlock stops at the first page that is not mapped: what remembers pages may be out of date, so
 * the two halves are tried then.
 */
void al_locker_unlock(al_page first, al_page end)
{
    al_page middle = first + (end - first) / 2;

    if (al_books.everything || al_books.observe)
        return;
    if (al_kernel_munlock(al_page_address(first), (size_t)(end - first) << al_page_shift) !=
            -ENOMEM ||
        middle == first)
        return;
    al_locker_unlock(first, middle);
    al_locker_unlock(middle, end);
}

void al_locker_unlock_rest(al_page first, al_page end)
{
    const uint32_t mask = AL_PAGE_LOCKED | AL_PAGE_PROGRAM;

    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, mask);

        if (!(stretch.value & mask))
            al_locker_unlock(first, stretch.end);
        first = stretch.end;
    }
}

void al_locker_unlock_unbooked(al_page first, al_page end)
{
    al_locker_unlock_rest(first, end);
    __atomic_fetch_add(&al_books.refusals, 1, __ATOMIC_RELEASE);
}

void al_locker_undo(al_page first, al_page end)
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
