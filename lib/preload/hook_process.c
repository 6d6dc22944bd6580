/*
 * Processes that come into being, and end.
 */
#include "counters.h"
#include "ends.h"
#include "export.h"
#include "process.h"
#include "real.h"
#include "sys.h"
#include "thread_end.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

AL_EXPORT pid_t fork(void)
{
    const bool outer = al_fork_is_ours; /* a signal handler may fork in the middle of a fork */
    pid_t child;

    al_count(AL_COUNT_calls_fork);
    if (!al_real_resolve() || !al_real.fork) {
        errno = ENOSYS;
        return -1;
    }
    al_fork_is_ours = true;
    child = al_real.fork();
    al_fork_is_ours = outer;
    if (child > 0)
        al_count(AL_COUNT_children_fork);
    return child;
}

/* libc has it, and says so, from glibc 2.34 on. */
pid_t _Fork(void); // NOLINT(readability-redundant-declaration)

/* It calls no handlers of fork, so it is done here what ours do. */
AL_EXPORT pid_t _Fork(void)
{
    pid_t child;

    al_count(AL_COUNT_calls_fork);
    if (!al_real_resolve() || !al_real._Fork) {
        errno = ENOSYS;
        return -1;
    }
    al_counters_before_fork();
    child = al_real._Fork();
    if (child == 0) {
        al_process_after_fork();
        return 0;
    }
    al_counters_forked();
    if (child > 0)
        al_count(AL_COUNT_children_fork);
    return child;
}

static void __attribute__((noreturn)) end_with(int status, void (*real)(int))
{
    al_process_end("_exit");
    if (real)
        real(status);
    for (;;)
        al_sys1(SYS_exit_group, status);
}

/* Programs that end this way run no destructor: shells, and children of fork, do. */
AL_EXPORT void _exit(int status)
{
    end_with(status, al_real_resolve() ? al_real._exit : NULL);
}

AL_EXPORT void _Exit(int status)
{
    end_with(status, al_real_resolve() ? al_real._Exit : NULL);
}

/* The report follows the program's handlers, as it does in exit, where libc can be asked for that.
 */
AL_EXPORT void quick_exit(int status)
{
    if (!al_ends_watches_quick_exit())
        al_process_end("quick_exit");
    if (al_real_resolve() && al_real.quick_exit)
        al_real.quick_exit(status);
    _exit(status);
}

/* Called by the program; what libc finds out by itself (a spoilt heap) does not pass here. */
AL_EXPORT void abort(void)
{
    al_ends_abort();
    if (al_real_resolve() && al_real.abort)
        al_real.abort();
    for (;;)
        __builtin_trap();
}

void __attribute__((noreturn))
__assert_fail(const char *assertion, const char *file, unsigned line, const char *function);

/* libc's assert does not call abort by way of us. */
AL_EXPORT void __assert_fail(const char *assertion, const char *file, unsigned line,
                             const char *function)
{
    al_ends_abort();
    if (al_real_resolve() && al_real.__assert_fail)
        al_real.__assert_fail(assertion, file, line, function);
    abort();
}
