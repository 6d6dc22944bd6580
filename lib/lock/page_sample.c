#include "page_sample.h"

#include "io.h"
#include "sys.h"

/* What the kernel says of a page; 0 if it cannot be asked. */
static uint64_t page_state(int pagemap, size_t page_number)
{
    uint64_t state = 0;

    al_sys3(SYS_lseek, pagemap, page_number * sizeof(state), SEEK_SET);
    al_sys3(SYS_read, pagemap, &state, sizeof(state));
    return state;
}

static bool is_mapped(int pagemap, size_t page_number)
{
    const uint64_t present = (uint64_t)1 << 63;

    return page_state(pagemap, page_number) & present;
}

/* `pagemap` cannot be had: whatever is in memory is taken for its own. */
static bool is_own(int pagemap, size_t page_number)
{
    const uint64_t shared = (uint64_t)1 << 61;
    const uint64_t exclusive = (uint64_t)1 << 56;
    const size_t page = al_page_size();
    unsigned char there = 0;
    uint64_t state;

    if (pagemap < 0)
        return al_sys3(SYS_mincore, page_number * page, page, &there) == 0 && there & 1;
    state = page_state(pagemap, page_number);
    return state & exclusive && !(state & shared);
}

/* Whether it holds for most of the range. */
static bool most(bool (*is)(int pagemap, size_t page_number), void *start, size_t length)
{
    enum { LOOKS = 16 };
    const size_t first = (size_t)start / al_page_size();
    const size_t pages = length / al_page_size();
    const size_t looks = pages < LOOKS ? pages : LOOKS;
    int pagemap = al_io_open_read("/proc/self/pagemap");
    size_t found = 0;

    for (size_t i = 0; i < looks; i++)
        found += is(pagemap, first + pages * i / looks);
    if (pagemap >= 0)
        al_io_close(pagemap);
    return found > looks / 2;
}

bool al_page_sample_own(void *start, size_t length)
{
    return most(is_own, start, length);
}

bool al_page_sample_mapped(void *start, size_t length)
{
    return most(is_mapped, start, length);
}
