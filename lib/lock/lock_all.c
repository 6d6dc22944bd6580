#include "lock_all.h"

#include "downgrades.h"
#include "kernel.h"

#include <assert.h>
#include <errno.h>

/* Options and kernel count alike, so that a mask of one is a mask of the other. */
static_assert(AL_FLAG_CURRENT == AL_MCL_CURRENT, "flag values are the kernel's");
static_assert(AL_FLAG_FUTURE == AL_MCL_FUTURE, "flag values are the kernel's");
static_assert(AL_FLAG_ONFAULT == AL_MCL_ONFAULT, "flag values are the kernel's");

struct al_lock_all al_lock_all_start(unsigned flags, const struct al_privilege *privilege)
{
    struct al_lock_all result = {.backend = AL_BACKEND_NONE};

    if (flags & AL_FLAG_FUTURE && !privilege->exempt) {
        al_downgrade_add("future not locked: under a memlock limit MCL_FUTURE would make the "
                         "program's own calls fail");
        flags &= ~(unsigned)AL_FLAG_FUTURE;
        if (!(flags & AL_FLAG_CURRENT)) {
            result.error = -EPERM;
            return result;
        }
    }
    result.error = al_kernel_mlockall(flags);
    if (result.error == -EINVAL && flags & AL_FLAG_ONFAULT) {
        al_downgrade_add(
            "onfault not had: the kernel has no MCL_ONFAULT, all pages are brought in");
        flags &= ~(unsigned)AL_FLAG_ONFAULT;
        result.error = al_kernel_mlockall(flags);
    }
    if (!result.error) {
        result.backend = AL_BACKEND_KERNEL;
        result.flags = flags;
    }
    return result;
}
