#include "stepped.h"

#include "step.h"

struct stepped_wish stepped_wish;

void stepped_wish_begin(void)
{
    const char *mode = getenv("AUTOLOCK_MODE");

    expect(mode);
    stepped_wish.all = strcmp(mode, "all") == 0;
    stepped_wish.nothing = strcmp(mode, "off") == 0 || strcmp(mode, "observe") == 0;
    stepped_wish.policy = policy_read();
}

/* The kernel refuses to invalidate what is locked. */
static bool page_is_locked(const char *page)
{
    return step_system_call(SYS_msync, (long)page, PAGE, MS_ASYNC | MS_INVALIDATE, 0, 0, 0) ==
           -EBUSY;
}

static bool page_is_resident(const char *page)
{
    unsigned char state = 0;

    expect(step_system_call(SYS_mincore, (long)page, PAGE, (long)&state, 0, 0, 0) == 0);
    return state & 1;
}

void stepped_expect_locked(const void *start, size_t length, enum kind kind)
{
    const char *page = (const char *)((uintptr_t)start & ~(uintptr_t)(PAGE - 1));
    const bool wanted =
        stepped_wish.all || (!stepped_wish.nothing && policy_has(&stepped_wish.policy, kind));

    for (; page < (const char *)start + length; page += PAGE) {
        if (page_is_locked(page) == wanted &&
            (!wanted || stepped_wish.policy.onfault || page_is_resident(page)))
            continue;
        /* Others' blocks may be on the pages of the heap. */
        if (!wanted && kind == KIND_HEAP && !stepped_wish.nothing)
            continue;
        end_with_1("page %p of %p + %zu: locked %d, resident %d, wanted %d\n", (const void *)page,
                   start, length, page_is_locked(page), page_is_resident(page), wanted);
    }
}
