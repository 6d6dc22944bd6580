#include "resident.h"

#include "sys.h"

/* One byte a page: what is on the stack of whoever locks. */
enum { PAGES_AT_ONCE = 1024 };

uint64_t al_resident_pages(const void *start, size_t length)
{
    const size_t page = al_page_size();
    const char *at = start;
    unsigned char state[PAGES_AT_ONCE] = {0};
    uint64_t there = 0;

    while (length) {
        size_t part = length < PAGES_AT_ONCE * page ? length : PAGES_AT_ONCE * page;

        if (al_sys3(SYS_mincore, at, part, state) == 0)
            for (size_t i = 0; i < part / page; i++)
                there += state[i] & 1;
        at += part;
        length -= part;
    }
    return there;
}

size_t al_resident_stretch(const void *start, size_t length, bool *ret_there)
{
    const size_t page = al_page_size();
    size_t pages = length / page < PAGES_AT_ONCE ? length / page : PAGES_AT_ONCE;
    unsigned char state[PAGES_AT_ONCE] = {0};
    size_t alike = 1;

    if (al_sys3(SYS_mincore, start, pages * page, state) != 0) {
        *ret_there = false;
        return pages * page;
    }
    while (alike < pages && (state[alike] & 1) == (state[0] & 1))
        alike++;
    *ret_there = state[0] & 1;
    return alike * page;
}
