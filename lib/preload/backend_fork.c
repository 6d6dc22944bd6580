/*
 * What a forked child does about locks, which it does not inherit.
 */
#include "backend_state.h"
#include "downgrades.h"
#include "headroom.h"
#include "lock_all.h"
#include "lock_alloc.h"
#include "process.h"
#include "regions.h"
#include "room.h"
#include "thread_stack.h"

#include <errno.h>

static const char not_had[] = "forked: the lock could not be had again";

/* Whether all that exists may be brought in: also what its parent has left out, or mapped and not
 * used. */
static bool all_fits(void)
{
    uint64_t bytes = al_room_address_space();

    return bytes <= al_backend.budget.bytes && al_headroom_has(bytes);
}

static int lock_again_by_kernel(const struct al_config *config)
{
    const bool brings_in = (config->flags & (AL_FLAG_CURRENT | AL_FLAG_ONFAULT)) == AL_FLAG_CURRENT;
    bool on_fault = config->fork == AL_FORK_ONFAULT;
    struct al_lock_all lock;

    if (!on_fault && brings_in && !all_fits()) {
        al_downgrade_add("forked: locked on fault, as there may be more than there is room for");
        on_fault = true;
    }
    al_backend_leave_out_unused(on_fault ? AL_FLAG_ONFAULT : config->flags);
    lock = al_lock_all_again(config->flags, on_fault);
    if (!lock.error && config->flags & AL_FLAG_FUTURE)
        al_room_begin(lock.flags, al_backend.budget.bytes);
    return lock.error;
}

static int lock_again(const struct al_config *config)
{
    al_backend.machine_later = false;
    al_backend_read_rights();
    if (al_process.run.figures) {
        al_thread_stack_forked();
        return al_lock_alloc_again(config->fork == AL_FORK_ONFAULT, al_backend.privilege.exempt,
                                   al_backend.budget.bytes);
    }
    if (al_backend.privilege.exempt)
        return lock_again_by_kernel(config);
    return -EPERM;
}

void al_backend_forked(const struct al_config *config)
{
    bool tracks = al_process.run.figures != NULL;

    if (!tracks)
        al_region_program_unlocked_all(); /* they are not inherited either */
    al_room_forked();
    /* Another thread was in the middle of it, and is not in this process. */
    if (al_backend.state == AL_BACKEND_STEPPING) {
        al_backend_do_without();
        return;
    }
    al_backend.on_fault = config->fork == AL_FORK_ONFAULT;
    if (config->fork == AL_FORK_NONE || !(al_process.locks || tracks)) {
        if (al_process.locks)
            al_downgrade_add("forked: locks are not inherited");
        al_backend_do_without();
        return;
    }
    al_process.run.lock_error = lock_again(config);
    if (!al_process.run.lock_error)
        return;
    al_downgrade_add(not_had);
    if (tracks)
        return; /* a part may be had, and the books know which */
    al_room_end(NULL, NULL);
    al_backend.state = AL_BACKEND_NOT_KERNEL;
    al_process_set_backend("none");
    al_process.locks = false;
}
