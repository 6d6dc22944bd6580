/*
 * Processes that come into being, and end.
 */
#include "counters.h"
#include "export.h"
#include "process.h"
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

AL_EXPORT pid_t fork(void)
{
    al_count(AL_COUNT_calls_fork);
    if (!al_real_resolve() || !al_real.fork) {
        errno = ENOSYS;
        return -1;
    }
    return al_real.fork();
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
