#include "backend.h"

#include "allocator.h"
#include "before_us.h"
#include "bring_in.h"
#include "budget.h"
#include "counters.h"
#include "downgrades.h"
#include "figures.h"
#include "headroom.h"
#include "heap_table.h"
#include "hold.h"
#include "kernel.h"
#include "lock_all.h"
#include "lock_alloc.h"
#include "locker.h"
#include "process.h"
#include "regions.h"
#include "room.h"
#include "say.h"
#include "stall.h"
#include "start_failure.h"
#include "sys.h"
#include "thread_stack.h"
#include "times.h"

#include <unistd.h>

enum {
    ALL_KINDS =
        AL_KIND_HEAP | AL_KIND_ANON | AL_KIND_FILE | AL_KIND_SHARED | AL_KIND_STACK | AL_KIND_IMAGE
};

enum state { NOT_KERNEL, KERNEL, STEPPING, STEPPED };

static struct {
    const struct al_config *config;
    struct al_privilege privilege;
    struct al_budget budget;
    enum state state;
    bool keep_limit;    /* it is the program's own choice, or was not the caller's to raise */
    bool on_fault;      /* in a forked child, whose pages are its parent's as well */
    pid_t stepping;     /* the thread that is stepping down */
    uint64_t before_us; /* bytes that there were */
    bool machine_later; /* the budget is without the machine's memory as yet */
} backend;

/* All of a machine's memory is more, and where the kernel locks it is asked for when there is more
 * of the program's. */
static const uint64_t little = (uint64_t)8 << 20;

/*
 * A budget that follows from the cgroup's limit holds for all in it together; a size that is asked
 * for is this process's own.
 */
static void begin_headroom(void)
{
    const struct al_budget_option *option = &backend.config->budget;
    bool whole = option->sort == AL_BUDGET_PERCENT && option->amount > AL_BUDGET_CGROUP_PERCENT;
    bool asked = option->sort == AL_BUDGET_SIZE || backend.config->mode == AL_MODE_OBSERVE;

    al_headroom_begin(asked ? AL_UNLIMITED : backend.budget.cgroup_bytes,
                      whole ? (unsigned)option->amount : AL_BUDGET_CGROUP_PERCENT);
}

static void read_rights(void)
{
    backend.privilege = al_privilege_read();
    if (backend.config->mode != AL_MODE_OBSERVE && !backend.keep_limit)
        al_privilege_raise(&backend.privilege);
    backend.budget =
        backend.machine_later
            ? al_budget_read_without_machine(&backend.config->budget, &backend.privilege)
            : al_budget_read(&backend.config->budget, &backend.privilege);
    begin_headroom();
    al_process.run.limit_bytes = backend.privilege.soft_limit;
    al_process.run.cgroup_limit_bytes = backend.budget.cgroup_bytes;
}

/* -- the hooks ------------------------------------------------------------------------------ */

static struct al_policy policy_of(const struct al_config *config)
{
    if (config->mode == AL_MODE_ALL)
        return (struct al_policy){
            .kinds = ALL_KINDS, .flags = config->flags, .max_size = UINT64_MAX};
    return (struct al_policy){.kinds = config->kinds,
                              .flags = config->flags,
                              .min_size = config->min_size,
                              .max_size = config->max_size};
}

static void track_heap(void)
{
    if (al_heap_owner.on)
        al_heap_track(al_allocator_quick());
}

static int lock_by_hooks(bool late)
{
    uint64_t sum[AL_COUNTER_TOTAL];
    struct al_alloc_start start = {.policy = policy_of(backend.config),
                                   .budget_bytes = backend.budget.bytes,
                                   .observe = backend.config->mode == AL_MODE_OBSERVE,
                                   .exempt = backend.privilege.exempt,
                                   .late = late,
                                   .began = track_heap};
    struct al_allocator allocator;
    int error;

    al_counters_sum(sum);
    start.several_threads = sum[AL_COUNT_calls_pthread_create] != 0;
    /* What was locked as it came is what exists now. */
    if (late)
        start.policy.flags |= AL_FLAG_CURRENT | (backend.on_fault ? AL_FLAG_ONFAULT : 0U);
    al_allocator_learn(&allocator, !late);
    al_times_have(); /* before it is looked at what there is */
    error = al_lock_alloc_start(&start, &allocator);
    al_process.run.figures = al_figures_fill;
    al_process.run.settle = al_locker_settle;
    al_process.run.lock_error = error;
    track_heap();
    if (!start.observe) {
        al_process_set_backend("hooks");
        al_process.locks = true;
    }
    return error;
}

/* -- the start ------------------------------------------------------------------------------ */

static void fail(const struct al_start_failure *failure, char *const environment[])
{
    al_say_failure(backend.config, &backend.privilege, failure, environment);
    if (backend.config->on_failure == AL_ON_FAILURE_FAIL)
        al_process_give_up();
}

static void do_without(void)
{
    al_heap_untrack();
    al_room_end();
    al_lock_alloc_stop();
    backend.state = NOT_KERNEL;
    al_process_set_backend("none");
    al_process.locks = false;
    al_process.run.figures = NULL;
    al_process.run.settle = NULL;
}

static void start_hooks(char *const environment[])
{
    int error = lock_by_hooks(false);
    struct al_start_failure failure;

    if (backend.config->mode == AL_MODE_OBSERVE)
        return;
    if (!backend.privilege.exempt && !backend.privilege.soft_limit)
        al_process.run.lock_error = error = al_start_failure_of_nothing();
    if (!error || al_start_failure_is_budgets(error, &backend.budget))
        return;
    failure = al_start_failure_of(error, backend.config->flags);
    if (!backend.privilege.exempt && !backend.privilege.soft_limit)
        do_without();
    fail(&failure, environment);
}

/* Of our own memory, what most processes never use is not to be brought in with all the rest. */
static void leave_out_unused(unsigned flags)
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
        al_room_begin_asking(flags, backend.budget.bytes,
                             backend.machine_later ? al_budget_of_machine : NULL);
    __atomic_store_n(&backend.state, KERNEL, __ATOMIC_RELEASE);
}

/*
 * A budget that is asked for is kept to the page, which only the hooks can: the kernel counts
 * reservations as locked.
 */
static bool may_use_kernel(void)
{
    const struct al_config *config = backend.config;
    bool counted =
        config->budget.sort == AL_BUDGET_PERCENT || config->budget.sort == AL_BUDGET_SIZE;

    return config->mode == AL_MODE_ALL && backend.privilege.exempt && !counted &&
           backend.before_us <= backend.budget.bytes && al_headroom_has(backend.before_us);
}

void al_backend_start(const struct al_config *config, char *const environment[])
{
    struct al_lock_all lock = {0};

    backend.config = config;
    /* With more rights than its caller it may start what has no more again, and inherits the limit. */
    backend.keep_limit = !environment;
    backend.before_us = config->mode == AL_MODE_ALL ? al_before_us_bytes() : 0;
    backend.machine_later = config->mode == AL_MODE_ALL && config->budget.sort == AL_BUDGET_AUTO &&
                            backend.before_us <= little;
    read_rights();
    al_allocator_find();
    if (config->mode != AL_MODE_OBSERVE)
        al_bring_in_begin(config->hugepages, (unsigned)config->populate_threads);
    if (may_use_kernel()) {
        if ((config->flags & (AL_FLAG_CURRENT | AL_FLAG_ONFAULT)) == AL_FLAG_CURRENT)
            al_bring_in_existing();
        leave_out_unused(config->flags);
        lock = al_lock_all_start(config->flags);
        if (!lock.error)
            use_kernel(lock.flags);
        else
            al_downgrade_add("mlockall refused: each region is locked by itself");
    }
    if (!al_process.locks) {
        if (backend.machine_later) {
            backend.machine_later = false;
            read_rights();
        }
        start_hooks(environment);
    }
    al_say_start(config, &backend.privilege, lock.flags);
}

/* -- stepping down -------------------------------------------------------------------------- */

static void step_down(const char *reason)
{
    al_downgrade_add(reason);
    al_room_end();
    al_books.everything = false; /* of the program's wish for what is to come nothing is left */
    (void)al_kernel_munlockall();
    backend.machine_later = false;
    read_rights();
    (void)lock_by_hooks(true);
    al_books.by_kernel = false;
}

/* A child that shares our memory (vfork) has rights of its own, but not our locks. */
static bool is_this_process(void)
{
    return al_process.run.pid == (pid_t)al_sys0(SYS_getpid);
}

static bool wait_for_step(void)
{
    while (__atomic_load_n(&backend.state, __ATOMIC_ACQUIRE) == STEPPING) {
        if (__atomic_load_n(&backend.stepping, __ATOMIC_RELAXED) == (pid_t)al_sys0(SYS_gettid))
            return false;
        al_sys0(SYS_sched_yield);
    }
    return __atomic_load_n(&backend.state, __ATOMIC_ACQUIRE) == STEPPED;
}

bool al_backend_step_down(const char *reason)
{
    enum state kernel = KERNEL;
    uint64_t began;

    if (al_gate_inside() || !al_process.locks || al_process.program_all || !is_this_process())
        return false;
    /* Who was torn out of it would be waited for for ever. */
    al_hold_begin();
    if (!__atomic_compare_exchange_n(&backend.state, &kernel, STEPPING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        al_hold_end();
        return wait_for_step();
    }
    __atomic_store_n(&backend.stepping, (pid_t)al_sys0(SYS_gettid), __ATOMIC_RELAXED);
    began = al_stall_begin();
    step_down(reason);
    al_stall_end(began);
    __atomic_store_n(&backend.state, STEPPED, __ATOMIC_RELEASE);
    al_hold_end();
    return true;
}

bool al_backend_rescue(int error)
{
    enum state state = __atomic_load_n(&backend.state, __ATOMIC_ACQUIRE);

    if ((error != EAGAIN && error != ENOMEM) || state == NOT_KERNEL || !al_process.locks ||
        !is_this_process())
        return false;
    /* Where no limit holds, the kernel has not refused it for the lock. */
    if (state == KERNEL && al_privilege_read().exempt)
        return false;
    return al_backend_step_down("a call of the program failed under the memlock limit: each region "
                                "is locked by itself now");
}

void al_backend_look(const char *reason)
{
    if (__atomic_load_n(&backend.state, __ATOMIC_ACQUIRE) == KERNEL && al_process.locks &&
        is_this_process() && !al_privilege_read().exempt)
        (void)al_backend_step_down(reason);
}

void al_backend_rights_changed(const char *reason)
{
    uint64_t budget;
    uint64_t locked;

    if (!al_process.locks || !is_this_process())
        return;
    if (__atomic_load_n(&backend.state, __ATOMIC_ACQUIRE) == KERNEL) {
        if (!al_privilege_read().exempt)
            (void)al_backend_step_down(reason);
        return;
    }
    if (!al_process.run.figures)
        return;
    read_rights();
    if (backend.privilege.exempt)
        return;
    locked = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    if (al_books.unlimited) {
        al_downgrade_add(reason);
        al_lock_alloc_limited();
    }
    al_books_lower_budget(backend.budget.bytes >> al_page_shift);
    budget = al_books_budget();
    if (locked > budget)
        (void)al_locker_release(locked - budget);
}

void al_backend_limit_set(const char *reason)
{
    if (!al_process.locks)
        return;
    if (is_this_process())
        backend.keep_limit = true;
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
    if (__atomic_load_n(&backend.state, __ATOMIC_ACQUIRE) != KERNEL || !(flags & AL_MCL_CURRENT))
        return;
    al_room_end();
    al_process.program_all = true;
}

void al_backend_program_unlocks_all(void)
{
    al_process.program_all = false;
    if (al_process.run.figures)
        return;
    al_room_end();
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

/* -- forks ---------------------------------------------------------------------------------- */

static const char not_had[] = "forked: the lock could not be had again";

static int lock_again_by_kernel(const struct al_config *config)
{
    bool on_fault = config->fork == AL_FORK_ONFAULT;
    struct al_lock_all lock;

    leave_out_unused(on_fault ? AL_FLAG_ONFAULT : config->flags);
    lock = al_lock_all_again(config->flags, on_fault);
    if (!lock.error && config->flags & AL_FLAG_FUTURE)
        al_room_begin(lock.flags, backend.budget.bytes);
    return lock.error;
}

static int lock_again(const struct al_config *config)
{
    backend.machine_later = false;
    read_rights();
    if (al_process.run.figures) {
        al_thread_stack_forked();
        return al_lock_alloc_again(config->fork == AL_FORK_ONFAULT, backend.privilege.exempt,
                                   backend.budget.bytes);
    }
    if (backend.privilege.exempt)
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
    if (backend.state == STEPPING) {
        do_without();
        return;
    }
    backend.on_fault = config->fork == AL_FORK_ONFAULT;
    if (config->fork == AL_FORK_NONE || !(al_process.locks || tracks)) {
        if (al_process.locks)
            al_downgrade_add("forked: locks are not inherited");
        do_without();
        return;
    }
    al_process.run.lock_error = lock_again(config);
    if (!al_process.run.lock_error)
        return;
    al_downgrade_add(not_had);
    if (tracks)
        return; /* a part may be had, and the books know which */
    al_room_end();
    backend.state = NOT_KERNEL;
    al_process_set_backend("none");
    al_process.locks = false;
}
