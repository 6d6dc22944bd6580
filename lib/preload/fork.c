/*
 * A forked child: the kernel does not give it the parent's locks. What is done about that, and what
 * is the child's own from then on. Called by libc, so not in children of vfork and posix_spawn,
 * which share the parent's memory until they are another program.
 */
#include "backend.h"
#include "books.h"
#include "counters.h"
#include "downgrades.h"
#include "ends.h"
#include "live.h"
#include "load.h"
#include "process.h"
#include "sys.h"
#include "times.h"

/* What describes the present, not what has happened, is true of the child as well. */
static void begin_counting(bool tracks)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_after_fork(sum);
    al_times_forget();
    if (!tracks)
        return;
    al_count_add(AL_COUNT_by_kind_heap_requested_bytes, sum[AL_COUNT_by_kind_heap_requested_bytes]);
    al_count_add(AL_COUNT_by_kind_heap_regions, sum[AL_COUNT_by_kind_heap_regions]);
}

void al_process_after_fork(void)
{
    const struct al_config *config = al_process.run.config;
    bool tracks;
    pid_t pid;

    if (!al_process.active)
        return;
    /*
     * Another child handler may have allocated before this one was called. Emulators say that they
     * wipe the gate's page and do not: the number tells there, which in another namespace may be
     * the parent's.
     */
    pid = (pid_t)al_sys0(SYS_getpid);
    if (al_gate_tells_forks(&al_books.gate) && !al_gate_is_foreign(&al_books.gate) &&
        al_process.run.pid == pid)
        return;
    tracks = config->fork != AL_FORK_NONE && al_process.run.figures;
    /* Whoever held it is not in this process. */
    al_gate_reset(&al_books.gate);
    al_ends_after_fork();
    al_load_forked();
    al_stderr_release(&al_process.err);
    al_process.run.pid = pid;
    if (!al_live_forked(al_process.run.pid)) {
        al_thread_counts = NULL;
        al_process_sandboxed();
        return;
    }
    begin_counting(tracks);
    al_downgrades_begin(al_now_ns());
    al_live_show_forked();
    al_process.run.peak_kernel_bytes = 0;
    al_process.program_locks = false;
    al_process.program_all = false;
    al_backend_forked(config);
    al_run_locked(&al_process.run);
}
