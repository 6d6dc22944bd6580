/*
 * A forked child: the kernel does not give it the parent's locks. What is done about that, and what
 * is the child's own from then on. Called by libc, so not in children of vfork and posix_spawn,
 * which share the parent's memory until they are another program.
 */
#include "counters.h"
#include "downgrades.h"
#include "heap_table.h"
#include "lock_all.h"
#include "lock_alloc.h"
#include "process.h"
#include "sys.h"
#include "thread_stack.h"

static const char not_had[] = "forked: the lock could not be had again";

static void lock_everything_again(const struct al_config *config)
{
    struct al_privilege privilege = al_privilege_read();
    bool on_fault = config->fork == AL_FORK_ONFAULT;
    struct al_lock_all lock = al_lock_all_again(config->flags, on_fault, &privilege);

    al_process.run.limit_bytes = privilege.soft_limit;
    al_process.run.lock_error = lock.error;
    if (lock.backend == AL_BACKEND_KERNEL)
        return;
    al_downgrade_add(not_had);
    al_process.run.backend = "none";
    al_process.locks = false;
}

static void lock_by_policy_again(const struct al_config *config)
{
    struct al_privilege privilege = al_privilege_read();

    al_process.run.limit_bytes = privilege.soft_limit;
    al_thread_stack_forked();
    al_process.run.lock_error = al_lock_alloc_again(config->fork == AL_FORK_ONFAULT, &privilege);
    if (al_process.run.lock_error)
        al_downgrade_add(not_had);
}

static void do_without_locks(void)
{
    if (al_process.locks)
        al_downgrade_add("forked: locks are not inherited");
    al_heap_untrack();
    al_lock_alloc_stop();
    al_process.run.backend = "none";
    al_process.locks = false;
    al_process.run.figures = NULL;
}

/* What describes the present, not what has happened, is true of the child as well. */
static void begin_counting(bool tracks)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    al_counters_after_fork();
    if (!tracks)
        return;
    al_count_add(AL_COUNT_by_kind_heap_requested_bytes, sum[AL_COUNT_by_kind_heap_requested_bytes]);
    al_count_add(AL_COUNT_by_kind_heap_regions, sum[AL_COUNT_by_kind_heap_regions]);
}

void al_process_after_fork(void)
{
    const struct al_config *config = al_process.run.config;
    bool tracks;

    if (!al_process.active)
        return;
    /* Another child handler may have allocated before this one was called. */
    if (al_gate_tells_forks(&al_books.gate) && !al_gate_is_foreign(&al_books.gate))
        return;
    tracks = config->fork != AL_FORK_NONE && al_process.run.figures;
    /* Whoever held it is not in this process. */
    al_gate_reset(&al_books.gate);
    al_stderr_release(&al_process.err);
    begin_counting(tracks);
    al_downgrades_begin(al_now_ns());
    al_process.run.pid = (pid_t)al_sys0(SYS_getpid);
    al_process.run.peak_kernel_bytes = 0;
    al_process.program_locks = false;
    if (tracks)
        lock_by_policy_again(config);
    else if (config->fork != AL_FORK_NONE && al_process.locks)
        lock_everything_again(config);
    else
        do_without_locks();
    al_faults_read(&al_process.run.minor_at_lock, &al_process.run.major_at_lock);
}
