#include "ends.h"

#include "books.h"
#include "downgrades.h"
#include "large.h"
#include "live.h"
#include "process.h"
#include "strangers.h"
#include "sys.h"
#include "variable.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* -- one report at a time ------------------------------------------------------------------- */

/* 1 while a thread makes a report: there is one set of buffers. */
static int reporting;

/* Longer than a report waits for a reader; a thread that has ended in the middle is not for ever.
 */
enum { PATIENCE_MS = 1000 };

static const uint64_t every_signal = ~(uint64_t)0;

static void set_mask(int how, const uint64_t *mask, uint64_t *ret_before)
{
    al_sys4(SYS_rt_sigprocmask, how, mask, ret_before, sizeof(*mask));
}

/* False: somebody has not come to an end with it. */
static bool enter(void)
{
    for (int i = 0; __atomic_exchange_n(&reporting, 1, __ATOMIC_ACQUIRE); i++) {
        struct timespec short_while = {.tv_nsec = 1000000};

        if (i == PATIENCE_MS)
            return false;
        al_sys6(SYS_ppoll, 0, 0, (long)&short_while, 0, sizeof(every_signal), 0);
    }
    return true;
}

static void leave(void)
{
    __atomic_store_n(&reporting, 0, __ATOMIC_RELEASE);
}

/* Whether the program's allocator is in the downgrades. */
static bool noted;

static void note_allocator(void)
{
    size_t before = al_downgrades_count();

    if (noted)
        return;
    al_stranger_allocator_note();
    noted = al_downgrades_count() != before;
}

void al_ends_after_fork(void)
{
    reporting = 0;
    noted = false;
}

/* _Fork and clone do not say so: such a child gets to know what it is here. */
bool al_ends_is_ours(void)
{
    if (al_gate_is_foreign(&al_books.gate))
        al_process_after_fork();
    return al_process.active && al_process.run.pid == (pid_t)al_sys0(SYS_getpid);
}

static void deliver(const char *ended)
{
    al_process.run.note = note_allocator;
    al_deliver(&al_process.err, &al_process.run, ended);
}

/*
 * Signals wait, so that no handler leaves by siglongjmp what has to be finished, or comes back
 * here. Those that an instruction of ours would raise are not held back.
 */
void al_ends_report(const char *ended)
{
    uint64_t mask = 0;

    if (!al_ends_is_ours())
        return;
    set_mask(SIG_BLOCK, &every_signal, &mask);
    if (enter()) {
        /* Another thread may have made the last one meanwhile. */
        if (al_process.active)
            deliver(ended);
        leave();
    }
    set_mask(SIG_SETMASK, &mask, NULL);
}

/*
 * The program's allocator is not looked for: that takes the loader's lock, which whoever has been
 * interrupted may hold.
 */
int al_ends_snapshot(struct autolock_stats *ret_stats)
{
    static struct al_snapshot snapshot AL_LARGE; /* not on the stack, which may be a handler's */
    uint64_t mask = 0;
    int error = -ENOSYS;

    if (!al_ends_is_ours())
        return error;
    set_mask(SIG_BLOCK, &every_signal, &mask);
    if (!enter()) {
        error = -EBUSY;
    } else {
        if (al_process.active) {
            error = al_snapshot_take(&snapshot, &al_process.run, "running");
            al_stats_fill(ret_stats, snapshot.field);
        }
        leave();
    }
    set_mask(SIG_SETMASK, &mask, NULL);
    return error;
}

/* A handler that comes in between finds that the last report is made, and does not come here. */
void al_process_end(const char *ended)
{
    if (!al_ends_is_ours() || !enter())
        return;
    if (__atomic_exchange_n(&al_process.active, false, __ATOMIC_RELAXED))
        deliver(ended);
    leave();
}

/* -- quick_exit ----------------------------------------------------------------------------- */

/*
 * glibc's; other libcs do not have it. Handlers are called last come, first served, so ours follows
 * all those of the program.
 */
extern int __cxa_at_quick_exit(void (*handler)(void *), void *owner) __attribute__((weak));

static bool watches_quick_exit;

static void end_quickly(void *unused)
{
    (void)unused;
    al_process_end("quick_exit");
}

void al_ends_watch_quick_exit(void)
{
    watches_quick_exit = __cxa_at_quick_exit && __cxa_at_quick_exit(end_quickly, NULL) == 0;
}

bool al_ends_watches_quick_exit(void)
{
    return watches_quick_exit;
}

/* -- exec ----------------------------------------------------------------------------------- */

static bool wants_report(void)
{
    return al_ends_is_ours() && (al_process.run.config->stats != AL_STATS_OFF || al_live_in_file());
}

void al_ends_exec_failed(void)
{
    if (al_ends_is_ours())
        al_live_resume();
}

void al_ends_exec(int directory, const char *path, int flags)
{
    /* Other flags ask whether it could be executed (AT_EXECVE_CHECK), or are wrong. */
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return;
    if (wants_report() && al_executable(directory, path, flags, AL_TEXT_FAILS))
        al_ends_report("exec");
}

void al_ends_exec_search(const char *name)
{
    if (wants_report() && al_executable_in(al_variable(environ, "PATH"), name))
        al_ends_report("exec");
}

/* -- abort ---------------------------------------------------------------------------------- */

/* What the kernel calls a sigaction begins with the handler; on MIPS its flags come first. */
static bool is_handled(void)
{
    void *action[16] = {0};

    al_sys4(SYS_rt_sigaction, SIGABRT, 0, action, sizeof(uint64_t));
    return action[0] != (void *)SIG_DFL && action[0] != (void *)SIG_IGN;
}

void al_ends_abort(void)
{
    static bool handled_before;

    if (!al_ends_is_ours() ||
        (is_handled() && __atomic_exchange_n(&handled_before, true, __ATOMIC_RELAXED)))
        return;
    al_ends_report("abort");
}
