#include "lock_all.h"

#include "downgrades.h"
#include "kernel.h"
#include "maps.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Options and kernel count alike, so that a mask of one is a mask of the other. */
static_assert(AL_FLAG_CURRENT == AL_MCL_CURRENT, "flag values are the kernel's");
static_assert(AL_FLAG_FUTURE == AL_MCL_FUTURE, "flag values are the kernel's");
static_assert(AL_FLAG_ONFAULT == AL_MCL_ONFAULT, "flag values are the kernel's");

/*
 * A locked stack that grows past the limit is a SIGSEGV: under a limit that holds, it stays
 * unlocked.
 */
static bool let_stack_grow(const struct al_mapping *mapping, void *data)
{
    (void)data;
    if (strcmp(mapping->name, "[stack]") != 0)
        return true;
    (void)al_kernel_munlock((void *)mapping->start, mapping->end - mapping->start);
    al_downgrade_add("main stack not locked: under a memlock limit it could not grow");
    return false;
}

/* `may_bring_in`: where the kernel cannot lock on fault, have all pages brought in instead. */
static struct al_lock_all lock(unsigned flags, const struct al_privilege *privilege,
                               bool may_bring_in)
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
    if (result.error == -EINVAL && flags & AL_FLAG_ONFAULT && may_bring_in) {
        al_downgrade_add(
            "onfault not had: the kernel has no MCL_ONFAULT, all pages are brought in");
        flags &= ~(unsigned)AL_FLAG_ONFAULT;
        result.error = al_kernel_mlockall(flags);
    }
    if (!result.error && !privilege->exempt) {
        result.error = al_maps_each(let_stack_grow, NULL);
        /* Who cannot find the stack must not leave it locked. */
        if (result.error)
            (void)al_kernel_munlockall();
    }
    if (!result.error) {
        result.backend = AL_BACKEND_KERNEL;
        result.flags = flags;
    }
    return result;
}

struct al_lock_all al_lock_all_start(unsigned flags, const struct al_privilege *privilege)
{
    return lock(flags, privilege, true);
}

struct al_lock_all al_lock_all_again(unsigned flags, bool on_fault,
                                     const struct al_privilege *privilege)
{
    if (!on_fault)
        return lock(flags, privilege, true);
    return lock(flags | AL_FLAG_ONFAULT, privilege, false);
}
