#include "allocator.h"
#include "backend_state.h"
#include "counters.h"
#include "figures.h"
#include "headroom.h"
#include "heap_table.h"
#include "lock_alloc.h"
#include "locker.h"
#include "process.h"
#include "room.h"
#include "times.h"

enum {
    ALL_KINDS =
        AL_KIND_HEAP | AL_KIND_ANON | AL_KIND_FILE | AL_KIND_SHARED | AL_KIND_STACK | AL_KIND_IMAGE
};

struct al_backend al_backend;

/*
 * A budget that follows from the cgroup's limit holds for all in it together; a size that is asked
 * for is this process's own.
 */
static void begin_headroom(void)
{
    const struct al_budget_option *option = &al_backend.config->budget;
    bool whole = option->sort == AL_BUDGET_PERCENT && option->amount > AL_BUDGET_CGROUP_PERCENT;
    bool asked = option->sort == AL_BUDGET_SIZE || al_backend.config->mode == AL_MODE_OBSERVE;

    al_headroom_begin(asked ? AL_UNLIMITED : al_backend.budget.cgroup_bytes,
                      whole ? (unsigned)option->amount : AL_BUDGET_CGROUP_PERCENT);
    al_headroom_spare(option->sort == AL_BUDGET_AUTO);
}

void al_backend_read_rights(void)
{
    al_backend.privilege = al_privilege_read();
    if (al_backend.config->mode != AL_MODE_OBSERVE && !al_backend.keep_limit)
        al_privilege_raise(&al_backend.privilege);
    al_backend.budget =
        al_backend.machine_later
            ? al_budget_read_without_machine(&al_backend.config->budget, &al_backend.privilege)
            : al_budget_read(&al_backend.config->budget, &al_backend.privilege);
    begin_headroom();
    al_process.run.limit_bytes = al_backend.privilege.soft_limit;
    al_process.run.cgroup_limit_bytes = al_backend.budget.cgroup_bytes;
}

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

int al_backend_lock_by_hooks(enum al_backend_when when)
{
    const bool late = when != AL_BACKEND_AT_START;
    uint64_t sum[AL_COUNTER_TOTAL];
    struct al_alloc_start start = {.policy = policy_of(al_backend.config),
                                   .budget_bytes = al_backend.budget.bytes,
                                   .observe = al_backend.config->mode == AL_MODE_OBSERVE,
                                   .exempt = al_backend.privilege.exempt,
                                   .late = late,
                                   .kept = when == AL_BACKEND_KEPT,
                                   .began = track_heap};
    struct al_allocator allocator;
    int error;

    al_counters_sum(sum);
    start.several_threads = sum[AL_COUNT_calls_pthread_create] != 0;
    /* What was locked as it came is what exists now. */
    if (late)
        start.policy.flags |= AL_FLAG_CURRENT | (al_backend.on_fault ? AL_FLAG_ONFAULT : 0U);
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

void al_backend_do_without(void)
{
    al_heap_untrack();
    al_room_end(NULL, NULL);
    al_lock_alloc_stop();
    al_backend.state = AL_BACKEND_NOT_KERNEL;
    al_process_set_backend("none");
    al_process.locks = false;
    al_process.run.figures = NULL;
    al_process.run.settle = NULL;
}
