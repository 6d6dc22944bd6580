/* The model's pages, held against the kernel's and the library's. */
#include "ownership_parts.h"

#include "heap_owner.h"
#include "regions.h"

struct page pages[MODEL_PAGES];
bool everything;
uint64_t complaints;

static bool is_owned(al_page page)
{
    return page_of(page)->owners || page_of(page)->taken;
}

uint64_t complaints_now(void)
{
    return kernel_model.refusals + counted(AL_COUNT_skipped_budget);
}

static void complain(al_page page, const char *what)
{
    ck_abort_msg("page %#zx, %u blocks%s, word %#x: %s", (size_t)(page - MODEL_FIRST),
                 page_of(page)->owners, page_of(page)->taken ? " and a mapping" : "",
                 al_pagemap_get(page), what);
}

void compare(al_page first, al_page end)
{
    bool refused = complaints_now() != complaints;

    for (al_page at = first; at < end; at++) {
        struct page *page = page_of(at);
        bool locked = kernel_model_is_locked(at);

        if (is_owned(at) && !locked && !page->tolerated) {
            if (!refused)
                complain(at, "is not locked");
            if (page->right)
                complain(at, "has lost its lock to another's refusal");
            page->tolerated = true;
        }
        if (page->program && !locked)
            complain(at, "is not locked for the program any more");
        if (locked || !is_owned(at))
            page->tolerated = false;
        page->right = is_owned(at) && locked;
    }
}

static void check_page(al_page at)
{
    const uint32_t region = AL_PAGE_MAPPED | AL_PAGE_CLOSED | AL_PAGE_KIND_MASK;
    const struct page *page = page_of(at);
    uint32_t word = al_pagemap_get(at);
    bool locked = kernel_model_is_locked(at);
    uint32_t expected = 0;

    if (is_owned(at) && !locked && !page->tolerated)
        complain(at, "is not locked");
    if (locked && !(word & AL_PAGE_LOCKED) && !page->program && !everything && !kernel_model.stuck)
        complain(at, "is locked, and nobody knows");
    if (word & AL_PAGE_EARLIER)
        return;
    if ((word & AL_PAGE_OWNERS) / AL_PAGE_OWNER != page->owners)
        complain(at, "is not owned by so many");
    if (page->taken || page->closed)
        expected = page->taken ? AL_PAGE_MAPPED : AL_PAGE_CLOSED;
    expected |= (uint32_t)page->kind << AL_PAGE_KIND_SHIFT;
    if ((word & region) != expected)
        complain(at, "belongs to another mapping");
}

void ownership_check_all(void)
{
    al_heap_look();
    for (al_page page = MODEL_FIRST; page < MODEL_END; page++)
        check_page(page);
    check_books();
}

void check_slack(void)
{
    if (complaints_now() == complaints && al_books_spare() > (int64_t)al_books_slack())
        ck_abort_msg("%zu pages have no owner, more than %zu", (size_t)al_books_spare(),
                     (size_t)al_books_slack());
}

void program_unlocks(al_page first, al_page end)
{
    kernel_model_unlock(first, end);
    for (al_page page = first; page < end; page++) {
        page_of(page)->program = false;
        page_of(page)->right = false;
    }
    al_region_program_unlocked(al_page_address(first), (end - first) << al_page_shift);
    compare(first, end);
}

void program_locks(al_page first, al_page end)
{
    kernel_model_lock(first, end);
    for (al_page page = first; page < end; page++)
        page_of(page)->program = true;
    al_region_program_locked(al_page_address(first), (end - first) << al_page_shift);
    compare(first, end);
}
