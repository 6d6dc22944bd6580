/*
 * The program's own mlock and munlock (regions.h): what it has locked is never unlocked by us, and
 * what it unlocks is locked again where it has owners.
 */
#include "locker.h"
#include "regions.h"

static const uint32_t owned = AL_PAGE_OWNERS | AL_PAGE_MAPPED;

static al_page end_of_owned(al_page first, al_page end)
{
    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, ~0U);

        if (!(stretch.value & owned))
            break;
        first = stretch.end;
    }
    return first;
}

/*
 * Locks again what has owners in [first, end). Each page is looked at once: one that got its owner
 * between two looks would be taken for the beginning of pages that have none.
 */
static void lock_owned_again(al_page first, al_page end)
{
    while ((first = al_pagemap_skip(first, end)) < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, ~0U);
        al_page next = stretch.end;

        if (stretch.value & owned) {
            next = end_of_owned(next, end);
            (void)al_locker_lock_mapping(first, next);
        }
        first = next;
    }
}

void al_region_program_locked(const void *start, size_t length)
{
    if (!(al_books.tracking || al_books.by_kernel) || !length)
        return;
    al_books.program_ranges = true;
    al_locker_note(al_page_of(start), al_page_end_of(start, length), 0, AL_PAGE_PROGRAM);
}

bool al_region_program_has(const void *start, size_t length)
{
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);

    if (al_books.everything)
        return true;
    return al_books.program_ranges && end <= AL_PAGE_END &&
           !al_pagemap_all(first, end, AL_PAGE_PROGRAM, 0);
}

void al_region_program_unlocked(const void *start, size_t length)
{
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);

    if (!(al_books.tracking || al_books.program_ranges) || !length)
        return;
    al_locker_unlocked(first, end);
    lock_owned_again(first, end);
}

void al_region_program_locked_all(void)
{
    al_books.everything = true;
}

void al_region_program_unlocked_all(void)
{
    al_page page;

    al_books.everything = false;
    if (!al_books.tracking && !al_books.program_ranges)
        return;
    for (page = al_pagemap_skip(0, AL_PAGE_END); page < AL_PAGE_END;
         page = al_pagemap_skip(page, AL_PAGE_END)) {
        al_page end = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;

        al_locker_unlocked(page, end);
        lock_owned_again(page, end);
        page = end;
    }
}
