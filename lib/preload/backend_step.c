/*
 * From the kernel to the hooks, and what the program's own rights, limits and locks change.
 */
#include "backend_state.h"
#include "downgrades.h"
#include "flight.h"
#include "hold.h"
#include "kernel.h"
#include "lock_alloc.h"
#include "locker.h"
#include "process.h"
#include "room.h"
#include "stall.h"
#include "sys.h"

#include <errno.h>

/*
 * Has the kernel lock nothing any more that is to come. Where all that is mapped is locked, it may
 * stay so until the hooks know what of it fits; otherwise more would be locked meanwhile than was,
 * or than may be.
 */
static bool end_future(void *when)
{
    enum al_backend_when *kept = when;

    *kept = AL_BACKEND_KEPT;
    if (al_backend.privilege.exempt && al_room_is_whole() && al_kernel_keep_all() == 0)
        return true;
    *kept = AL_BACKEND_UNLOCKED;
    (void)al_kernel_munlockall();
    return true;
}

static void step_down(const char *reason)
{
    enum al_backend_when when;

    al_downgrade_add(reason);
    al_books.everything = false; /* of the program's wish for what is to come nothing is left */
    al_backend.machine_later = false;
    al_backend_read_rights();
    al_room_end(end_future, &when);
    (void)al_backend_lock_by_hooks(when);
    al_books.by_kernel = false;
}

/* A child that shares our memory (vfork) has rights of its own, but not our locks. */
static bool is_this_process(void)
{
    return al_process.run.pid == (pid_t)al_sys0(SYS_getpid);
}

static bool wait_for_step(void)
{
    while (__atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE) == AL_BACKEND_STEPPING) {
        if (__atomic_load_n(&al_backend.stepping, __ATOMIC_RELAXED) == (pid_t)al_sys0(SYS_gettid))
            return false;
        al_flight_abandon(); /* it waits for us otherwise */
        al_sys0(SYS_sched_yield);
    }
    return __atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE) == AL_BACKEND_STEPPED;
}

bool al_backend_step_down(const char *reason)
{
    enum al_backend_state kernel = AL_BACKEND_KERNEL;
    uint64_t began;

    if (al_gate_inside() || !al_process.locks || al_process.program_all || !is_this_process())
        return false;
    /* Who was torn out of it would be waited for for ever. */
    al_hold_begin();
    if (!__atomic_compare_exchange_n(&al_backend.state, &kernel, AL_BACKEND_STEPPING, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        al_hold_end();
        return wait_for_step();
    }
    __atomic_store_n(&al_backend.stepping, (pid_t)al_sys0(SYS_gettid), __ATOMIC_RELAXED);
    began = al_stall_begin();
    step_down(reason);
    al_stall_end(began);
    __atomic_store_n(&al_backend.state, AL_BACKEND_STEPPED, __ATOMIC_RELEASE);
    al_hold_end();
    return true;
}

bool al_backend_rescue(int error)
{
    enum al_backend_state state = __atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE);

    if ((error != EAGAIN && error != ENOMEM) || state == AL_BACKEND_NOT_KERNEL ||
        !al_process.locks || !is_this_process())
        return false;
    /* Where no limit holds, the kernel has not refused it for the lock. */
    if (state == AL_BACKEND_KERNEL && al_privilege_read().exempt)
        return false;
    return al_backend_step_down("a call of the program failed under the memlock limit: each region "
                                "is locked by itself now");
}

void al_backend_look(const char *reason)
{
    if (__atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE) == AL_BACKEND_KERNEL &&
        al_process.locks && is_this_process() && !al_privilege_read().exempt)
        (void)al_backend_step_down(reason);
}

void al_backend_rights_changed(const char *reason)
{
    uint64_t budget;
    uint64_t locked;

    if (!al_process.locks || !is_this_process())
        return;
    if (__atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE) == AL_BACKEND_KERNEL) {
        if (!al_privilege_read().exempt)
            (void)al_backend_step_down(reason);
        return;
    }
    if (!al_process.run.figures)
        return;
    al_backend_read_rights();
    if (al_backend.privilege.exempt)
        return;
    locked = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    if (al_books.unlimited) {
        al_downgrade_add(reason);
        al_lock_alloc_limited();
    }
    al_books_lower_budget(al_backend.budget.bytes >> al_page_shift);
    budget = al_books_budget();
    if (locked > budget)
        (void)al_locker_release(locked - budget);
}

void al_backend_limit_set(const char *reason)
{
    if (!al_process.locks)
        return;
    if (is_this_process())
        al_backend.keep_limit = true;
    al_backend_rights_changed(reason);
}

/* -- the program's own locks ---------------------------------------------------------------- */

/*
 * What exists stays locked by the program's own wish, what is to come is locked as it says and
 * fails as it would without us. Of what is to come alone nothing follows for what exists: that is
 * ours.
 */
void al_backend_program_locks_all(int flags)
{
    if (__atomic_load_n(&al_backend.state, __ATOMIC_ACQUIRE) != AL_BACKEND_KERNEL ||
        !(flags & AL_MCL_CURRENT))
        return;
    al_room_end(NULL, NULL);
    al_process.program_all = true;
}

void al_backend_program_unlocks_all(void)
{
    al_process.program_all = false;
    if (al_process.run.figures)
        return;
    al_room_end(NULL, NULL);
    al_process.locks = false; /* a child is not to have them again either */
}

void al_backend_stop(void)
{
    al_process.locks = false;
    al_room_stop();
    al_books.tracking = false;
    al_books.by_kernel = false;
    al_books.program_ranges = false;
}
