#include "backend.h"

#include "allocator.h"
#include "backend_state.h"
#include "before_us.h"
#include "bring_in.h"
#include "downgrades.h"
#include "headroom.h"
#include "heap_table.h"
#include "kernel.h"
#include "lock_all.h"
#include "locker.h"
#include "process.h"
#include "room.h"
#include "say.h"
#include "start_failure.h"

/* All of a machine's memory is more, and where the kernel locks it is asked for when there is more
 * of the program's. */
static const uint64_t little = (uint64_t)8 << 20;

static void fail(const struct al_start_failure *failure, char *const environment[])
{
    al_say_failure(al_backend.config, &al_backend.privilege, failure, environment);
    if (al_backend.config->on_failure == AL_ON_FAILURE_FAIL)
        al_process_give_up();
}

static void start_hooks(char *const environment[])
{
    int error = al_backend_lock_by_hooks(AL_BACKEND_AT_START);
    struct al_start_failure failure;

    if (al_backend.config->mode == AL_MODE_OBSERVE)
        return;
    if (!al_backend.privilege.exempt && !al_backend.privilege.soft_limit)
        al_process.run.lock_error = error = al_start_failure_of_nothing();
    if (!error || al_start_failure_is_budgets(error, &al_backend.budget))
        return;
    failure = al_start_failure_of(error, al_backend.config->flags);
    if (!al_backend.privilege.exempt && !al_backend.privilege.soft_limit)
        al_backend_do_without();
    fail(&failure, environment);
}

void al_backend_leave_out_unused(unsigned flags)
{
    if ((flags & (AL_FLAG_CURRENT | AL_FLAG_ONFAULT)) != AL_FLAG_CURRENT)
        return;
    al_pagemap_leave_out();
}

static void use_kernel(unsigned flags)
{
    al_process_set_backend("kernel");
    al_process.locks = true;
    al_pagemap_init(false);
    al_books.by_kernel = true;
    if (al_bring_in_is_worth(AL_BRING_IN_LEAST))
        al_heap_watch_begin();
    if (flags & AL_FLAG_FUTURE)
        al_room_begin_asking(flags, al_backend.budget.bytes,
                             al_backend.machine_later ? al_budget_of_machine : NULL);
    __atomic_store_n(&al_backend.state, AL_BACKEND_KERNEL, __ATOMIC_RELEASE);
}

/*
 * A budget that is asked for is kept to the page, which only the hooks can: the kernel counts
 * reservations as locked.
 */
static bool may_use_kernel(void)
{
    const struct al_config *config = al_backend.config;
    bool counted =
        config->budget.sort == AL_BUDGET_PERCENT || config->budget.sort == AL_BUDGET_SIZE;

    return config->mode == AL_MODE_ALL && al_backend.privilege.exempt && !counted &&
           al_backend.before_us <= al_backend.budget.bytes && al_headroom_has(al_backend.before_us);
}

void al_backend_start(const struct al_config *config, char *const environment[])
{
    struct al_lock_all lock = {0};

    al_backend.config = config;
    /* With more rights than its caller it may start what has no more again, and inherits the limit.
     */
    al_backend.keep_limit = !environment;
    al_backend.before_us = config->mode == AL_MODE_ALL ? al_before_us_bytes() : 0;
    al_backend.machine_later = config->mode == AL_MODE_ALL &&
                               config->budget.sort == AL_BUDGET_AUTO &&
                               al_backend.before_us <= little;
    al_backend_read_rights();
    al_allocator_find();
    if (config->mode != AL_MODE_OBSERVE)
        al_bring_in_begin(config->hugepages, (unsigned)config->populate_threads);
    if (may_use_kernel()) {
        if ((config->flags & (AL_FLAG_CURRENT | AL_FLAG_ONFAULT)) == AL_FLAG_CURRENT)
            al_bring_in_existing();
        al_backend_leave_out_unused(config->flags);
        lock = al_lock_all_start(config->flags);
        if (!lock.error)
            use_kernel(lock.flags);
        else
            al_downgrade_add("mlockall refused: each region is locked by itself");
    }
    if (!al_process.locks) {
        if (al_backend.machine_later) {
            al_backend.machine_later = false;
            al_backend_read_rights();
        }
        start_hooks(environment);
    }
    al_say_start(config, &al_backend.privilege, lock.flags);
}
