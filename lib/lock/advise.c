#include "advise.h"

#include "hold.h"
#include "kernel.h"
#include "sys.h"

/* The kernel's own values, for headers that are older. */
enum {
    DONTNEED = 4,
    FREE = 8,
    REMOVE = 9,
    COLD = 20,
    PAGEOUT = 21,
    DONTNEED_LOCKED = 24, /* Linux 5.18 */
    GUARD_INSTALL = 102   /* Linux 6.13 */
};

bool al_advise_is_refused(int advice)
{
    switch (advice) {
    case DONTNEED:
    case FREE:
    case REMOVE:
    case COLD:
    case PAGEOUT:
    case GUARD_INSTALL:
        return true;
    default:
        return false;
    }
}

/* For what the kernel does only to unlocked memory. */
static int advise_unlocked(void *start, size_t length, int advice)
{
    int result;

    (void)al_kernel_munlock(start, length); /* -ENOMEM: up to a hole, which the advice meets too */
    result = al_kernel_madvise(start, length, advice);
    /* On fault: the pages are gone, and must not come back before they are used. */
    al_hold_begin(); /* who is left in it would be waited for (flight.h) */
    (void)al_kernel_mlock2(start, length, AL_MLOCK_ONFAULT);
    al_hold_end();
    return result;
}

/* Whether the kernel would refuse the range with any advice. */
static bool is_bad_range(const void *start, size_t length)
{
    const size_t page = al_page_size();
    size_t whole = (length + page - 1) & ~(page - 1);

    return (size_t)start % page || whole < length || (size_t)start + whole < (size_t)start;
}

int al_advise_locked(void *start, size_t length, int advice)
{
    int result;

    /* Of memory that is not locked the kernel takes COLD, and what else it refuses is wrong. */
    if (is_bad_range(start, length) || al_kernel_madvise(start, length, COLD) == 0)
        return -EINVAL;
    switch (advice) {
    case DONTNEED:
        result = al_kernel_madvise(start, length, DONTNEED_LOCKED);
        /* -ENOMEM: it has been done, up to and behind a hole, as the other way would do it. */
        return result && result != -ENOMEM ? advise_unlocked(start, length, advice) : result;
    case REMOVE:
    case GUARD_INSTALL:
        return advise_unlocked(start, length, advice);
    case FREE:
    case COLD:
    case PAGEOUT:
        /* Advice that the kernel may take or leave; locked memory stays as it is. */
        return 0;
    default:
        return -EINVAL;
    }
}
