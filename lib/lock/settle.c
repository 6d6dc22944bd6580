/*
 * What is remembered as locked, and may have been unmapped unseen: the kernel is asked.
 */
#include "heap_owner.h"
#include "kernel.h"
#include "locker.h"

#include <errno.h>

/*
 * What is locked still stays in doubt, as it may go at any time. Whoever owns a page meanwhile
 * locks it, and books that when we have left the gate.
 */
static void correct(al_page first, al_page end, bool earlier)
{
    int answer = al_kernel_ask(al_page_address(first), (size_t)(end - first) << al_page_shift);
    uint32_t gone = AL_PAGE_LOCKED | AL_PAGE_UNSURE;

    if (answer == -EBUSY && end - first == 1)
        return;
    /* Of those from before us it is of weight whether they are there at all. */
    if (answer == -EBUSY || (answer == -ENOMEM && earlier && end - first > 1)) {
        al_page middle = first + (end - first) / 2;

        correct(first, middle, earlier);
        correct(middle, end, earlier);
        return;
    }
    if (answer == -ENOMEM && earlier)
        gone |= AL_PAGE_MAPPED | AL_PAGE_EARLIER | AL_PAGE_KIND_MASK;
    (void)al_books_change(first, end, gone, 0, AL_SHARED);
}

void al_locker_settle(void)
{
    const uint32_t mask = AL_PAGE_OWNERS | AL_PAGE_HELD | AL_PAGE_LOCKED | AL_PAGE_UNSURE |
                          AL_PAGE_MAPPED | AL_PAGE_EARLIER | AL_PAGE_PROGRAM;
    const uint32_t doubted = AL_PAGE_LOCKED | AL_PAGE_UNSURE;
    const uint32_t earlier = AL_PAGE_MAPPED | AL_PAGE_EARLIER;
    al_page page = 0;

    if (al_books.observe || !al_locker_enter_mapping())
        return;
    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_stretch stretch = al_pagemap_next(page, AL_PAGE_END, mask);
        uint32_t state = stretch.value & mask;

        if (state == doubted || state == (doubted | AL_PAGE_EARLIER))
            correct(page, stretch.end, false);
        else if (state == (doubted | earlier))
            correct(page, stretch.end, true);
        page = stretch.end;
    }
    al_locker_leave();
}
