#include "allocator.h"
#include "budget.h"
#include "counters.h"
#include "downgrades.h"
#include "heap_table.h"
#include "lock_all.h"
#include "lock_alloc.h"
#include "process.h"
#include "program.h"
#include "real.h"
#include "say.h"
#include "sys.h"
#include "text.h"
#include "thread_end.h"

#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* sysexits.h: EX_CONFIG. */
enum { STATUS_BAD_CONFIGURATION = 78 };

struct al_process al_process = {.err = {.duplicate = -1}};

static struct al_config config;

/* The variables, or NULL in a program with more rights than its caller (as secure_getenv does). */
static char **trusted_environment(void)
{
    return getauxval(AT_SECURE) ? NULL : environ;
}

/* Base name of what was started: of a script its own name, as ps shows it. */
static const char *program_name(void)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    const char *slash;

    if (!path)
        return "";
    slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void __attribute__((noreturn)) give_up(void)
{
    for (;;)
        al_sys1(SYS_exit_group, STATUS_BAD_CONFIGURATION);
}

/* The lock asked for at start could not be had. */
static void report_failure(const struct al_privilege *privilege,
                           const struct al_start_failure *failure)
{
    al_say_failure(&config, privilege, failure, trusted_environment());
    if (config.on_failure == AL_ON_FAILURE_FAIL)
        give_up();
}

/* What the hooks know, for the report. */
static void fill_figures(uint64_t field[AL_FIELD_TOTAL])
{
    /* The rows of the kinds follow each other in the order of enum al_kinds. */
    static const struct {
        enum al_field requested;
        enum al_field locked;
        enum al_field regions;
    } rows[] = {
#define AL_KIND_ROW(kind)                                                                          \
    {AL_FIELD_by_kind_##kind##_requested_bytes, AL_FIELD_by_kind_##kind##_locked_bytes,            \
     AL_FIELD_by_kind_##kind##_regions}
        AL_KIND_ROW(heap),   AL_KIND_ROW(anon),  AL_KIND_ROW(file),
        AL_KIND_ROW(shared), AL_KIND_ROW(stack), AL_KIND_ROW(image)};
    struct al_lock_alloc_figures figures;
    bool observe = config.mode == AL_MODE_OBSERVE;
    uint64_t policy =
        1 << AL_OPTION_ID_KINDS | 1 << AL_OPTION_ID_MIN_SIZE | 1 << AL_OPTION_ID_MAX_SIZE;

    al_lock_alloc_figures(&figures);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        field[rows[i].requested] += figures.kind[i].mapped_bytes;
        field[rows[i].locked] = observe ? 0 : figures.kind[i].locked_bytes;
        field[rows[i].regions] += figures.kind[i].runs;
    }
    /* Mode observe asks for all, unless a policy is given: then for that. */
    if (!observe || config.given & policy)
        field[AL_FIELD_need_memlock_bytes] = figures.peak_bytes;
    if (observe)
        return;
    field[AL_FIELD_locked_tracked_bytes] = figures.tracked_bytes;
    field[AL_FIELD_locked_peak_tracked_bytes] = figures.peak_bytes;
    field[AL_FIELD_locked_total_bytes] = figures.total_bytes;
    field[AL_FIELD_locked_regions] = figures.runs;
}

/* Mode alloc: what was locked although `error` says that not all was. */
static struct al_start_failure failure_by_policy(int error)
{
    struct al_start_failure failure = {.error = error, .outcome = AL_OUTCOME_NOTHING};
    struct al_lock_alloc_figures figures;

    al_lock_alloc_figures(&figures);
    for (size_t i = 0; i < sizeof(figures.kind) / sizeof(figures.kind[0]); i++)
        failure.wanted += figures.kind[i].mapped_bytes;
    if (figures.tracked_bytes)
        failure.outcome = AL_OUTCOME_PART;
    else if ((error == -ENOENT || error == -EACCES) && config.flags & AL_FLAG_FUTURE)
        failure.outcome = AL_OUTCOME_FUTURE; /* only what exists could not be looked up */
    return failure;
}

/* Mode alloc, and observe, which decides alike. */
static void lock_by_policy(const struct al_privilege *privilege, const struct al_budget *budget)
{
    uint64_t sum[AL_COUNTER_TOTAL];
    struct al_allocator allocator;
    int error;

    al_counters_sum(sum);
    al_allocator_learn(&allocator);
    error = al_lock_alloc_start(&config, privilege, budget, &allocator,
                                sum[AL_COUNT_calls_pthread_create] != 0);
    al_process.run.figures = fill_figures;
    al_process.run.lock_error = error;
    if (al_heap_owner.on)
        al_heap_track(al_allocator_quick());
    if (config.mode == AL_MODE_OBSERVE)
        return;
    al_process.run.backend = "hooks";
    al_process.locks = true;
    /* Nothing qualifies yet, and nothing ever can be locked. */
    if (!error && !privilege->exempt && !privilege->soft_limit)
        al_process.run.lock_error = error = -EPERM;
    if (error) {
        struct al_start_failure failure = failure_by_policy(error);

        report_failure(privilege, &failure);
    }
}

static void lock_everything(void)
{
    struct al_privilege privilege = al_privilege_read();
    struct al_lock_all lock = {.backend = AL_BACKEND_NONE};
    struct al_start_failure failure = {.outcome = AL_OUTCOME_NOTHING};
    struct al_budget budget;

    if (config.mode != AL_MODE_OBSERVE)
        al_privilege_raise(&privilege);
    budget = al_budget_read(&config.budget, &privilege);
    al_process.run.limit_bytes = privilege.soft_limit;
    al_process.run.cgroup_limit_bytes = budget.cgroup_bytes;
    if (config.mode != AL_MODE_ALL) {
        lock_by_policy(&privilege, &budget);
        al_say_start(&config, &privilege, 0);
        return;
    }
    lock = al_lock_all_start(config.flags, &privilege);
    if (lock.backend == AL_BACKEND_KERNEL)
        al_process.run.backend = "kernel";
    al_process.locks = lock.backend == AL_BACKEND_KERNEL;
    al_process.run.lock_error = lock.error;
    if (!lock.error)
        failure.outcome = AL_OUTCOME_CURRENT;
    /* What is to come, and nothing else, is not asked for under a limit. */
    if (privilege.exempt || config.flags & AL_FLAG_CURRENT)
        failure.error = lock.error;
    if (lock.error || config.flags & ~lock.flags & (AL_FLAG_CURRENT | AL_FLAG_FUTURE))
        report_failure(&privilege, &failure);
    al_say_start(&config, &privilege, lock.flags);
}

static void __attribute__((constructor)) start(void)
{
    static char problem_bytes[8192];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    unsigned problem_count = al_config_read(&config, trusted_environment(), &problems);

    (void)al_real_resolve();
    if (config.mode == AL_MODE_OFF || !al_program_included(config.programs)) {
        al_counters_stop();
        al_heap_disconnect();
        return;
    }
    al_process.err = al_stderr_keep();
    al_process.run.pid = (pid_t)al_sys0(SYS_getpid);
    al_process.run.config = &config;
    al_process.run.program = program_name();
    al_process.run.backend = "none";
    al_downgrades_begin(al_now_ns());
    al_say_steps(&config);
    al_thread_end_watch();
    al_gate_watch_forks(&al_books.gate, al_process_after_fork);

    if (problem_count && config.log >= AL_LOG_ERROR)
        al_say(problems.at, problems.length);
    if (problem_count && config.on_failure == AL_ON_FAILURE_FAIL)
        give_up();

    lock_everything();
    al_faults_read(&al_process.run.minor_at_lock, &al_process.run.major_at_lock);
    al_process.active = true;
}

void al_process_end(const char *ended)
{
    if (al_gate_is_foreign(&al_books.gate))
        al_process_after_fork(); /* _Fork and clone do not say so */
    if (!al_process.active || al_process.run.pid != (pid_t)al_sys0(SYS_getpid))
        return;
    al_process.active = false;
    al_deliver(&al_process.err, &al_process.run, ended);
}

bool al_process_sandboxing(void)
{
    static bool reported;

    if (al_gate_is_foreign(&al_books.gate))
        al_process_after_fork();
    if (!al_process.run.config || al_process.run.pid != (pid_t)al_sys0(SYS_getpid))
        return false;
    if (al_process.active && !__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
        al_deliver(&al_process.err, &al_process.run, "running");
    return true;
}

/*
 * Another thread that is in the middle of malloc or mmap finishes that, with a system call or two:
 * where it is bound by the filter as well, this is a gap.
 */
void al_process_sandboxed(void)
{
    al_process.active = false;
    al_process.locks = false;
    al_counters_stop();
    al_books.tracking = false;
    al_heap_owner.on = false;
    al_heap_disconnect();
}

static void __attribute__((destructor)) end(void)
{
    al_process_end("exit");
}
