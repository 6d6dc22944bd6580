#include "lock_all.h"

#include "downgrades.h"
#include "kernel.h"

#include <assert.h>
#include <errno.h>

/* Options and kernel count alike, so that a mask of one is a mask of the other. */
static_assert(AL_FLAG_CURRENT == AL_MCL_CURRENT, "flag values are the kernel's");
static_assert(AL_FLAG_FUTURE == AL_MCL_FUTURE, "flag values are the kernel's");
static_assert(AL_FLAG_ONFAULT == AL_MCL_ONFAULT, "flag values are the kernel's");

/* `may_bring_in`: where the kernel cannot lock on fault, have all pages brought in instead. */
static struct al_lock_all lock(unsigned flags, bool may_bring_in)
{
    struct al_lock_all result = {.error = al_kernel_mlockall(flags)};

    if (result.error == -EINVAL && flags & AL_FLAG_ONFAULT && may_bring_in) {
        al_downgrade_add(
            "onfault not had: the kernel has no MCL_ONFAULT, all pages are brought in");
        flags &= ~(unsigned)AL_FLAG_ONFAULT;
        result.error = al_kernel_mlockall(flags);
    }
    result.flags = result.error ? 0 : flags;
    return result;
}

struct al_lock_all al_lock_all_start(unsigned flags)
{
    return lock(flags, true);
}

struct al_lock_all al_lock_all_again(unsigned flags, bool on_fault)
{
    return on_fault ? lock(flags | AL_FLAG_ONFAULT, false) : lock(flags, true);
}
