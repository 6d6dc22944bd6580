#include "kernel_double.h"

#include "kernel.h"

#include <errno.h>

struct kernel_double kernel_double;

int al_kernel_mlockall(unsigned flags)
{
    const unsigned when = AL_MCL_CURRENT | AL_MCL_FUTURE;
    unsigned known = when | (kernel_double.knows_onfault ? AL_MCL_ONFAULT : 0);

    kernel_double.mlockall_calls++;
    /* As the kernel does: it must know every flag, and onfault alone says nothing. */
    if (flags & ~known || !(flags & when))
        return -EINVAL;
    if (kernel_double.mlockall_error)
        return kernel_double.mlockall_error;
    kernel_double.in_force = flags;
    return 0;
}

int al_kernel_munlockall(void)
{
    kernel_double.other_calls++;
    kernel_double.in_force = 0;
    return 0;
}

int al_kernel_mlock2(const void *start, size_t length, unsigned flags)
{
    (void)start;
    kernel_double.mlock2_calls++;
    kernel_double.mlock2_length = length;
    kernel_double.mlock2_flags = flags;
    kernel_double.locked = !kernel_double.mlock2_error;
    return kernel_double.mlock2_error;
}

int al_kernel_try_mlock2(const void *start, size_t length, unsigned flags)
{
    if (length)
        return al_kernel_mlock2(start, length, flags);
    kernel_double.nothing_calls++;
    return flags ? kernel_double.nothing_error : kernel_double.nothing_old_error;
}

int al_kernel_try_locked(size_t length)
{
    kernel_double.try_length = length;
    kernel_double.try_calls++;
    return kernel_double.try_error;
}

int al_kernel_ask(const void *start, size_t length)
{
    return al_kernel_is_locked(start, length) ? -EBUSY : 0;
}

bool al_kernel_is_locked(const void *start, size_t length)
{
    (void)start;
    (void)length;
    return kernel_double.locked;
}

int al_kernel_munlock(const void *start, size_t length)
{
    kernel_double.munlock_start = start;
    kernel_double.munlock_length = length;
    kernel_double.munlock_calls++;
    kernel_double.other_calls++;
    kernel_double.locked = false;
    return 0;
}

static bool refused_when_locked(int advice)
{
    enum { DONTNEED = 4, FREE = 8, COLD = 20, PAGEOUT = 21, GUARD_INSTALL = 102 };

    return advice == DONTNEED || advice == FREE || advice == COLD || advice == PAGEOUT ||
           advice == GUARD_INSTALL;
}

int al_kernel_madvise(const void *start, size_t length, int advice)
{
    (void)start;
    (void)length;
    kernel_double.madvise_calls++;
    if (kernel_double.unknown_advice && advice == kernel_double.unknown_advice)
        return -EINVAL;
    if (kernel_double.locked && refused_when_locked(advice))
        return -EINVAL;
    kernel_double.advice = advice;
    return 0;
}
