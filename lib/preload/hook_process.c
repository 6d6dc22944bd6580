/*
 * Threads, processes and libraries that come into being.
 */
#include "counters.h"
#include "export.h"
#include "process.h"
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

AL_EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                             void *(*routine)(void *), void *argument)
{
    al_count(AL_COUNT_calls_pthread_create);
    (void)al_real_resolve();
    if (!al_real.pthread_create)
        al_real_resolve_threads();
    if (!al_real.pthread_create)
        return EAGAIN;
    return al_real.pthread_create(ret_thread, attributes, routine, argument);
}

AL_EXPORT pid_t fork(void)
{
    al_count(AL_COUNT_calls_fork);
    if (!al_real_resolve() || !al_real.fork) {
        errno = ENOSYS;
        return -1;
    }
    return al_real.fork();
}

/* Programs that end this way run no destructor: shells, and children of fork, do. */
AL_EXPORT void _exit(int status)
{
    al_process_end("_exit");
    for (;;)
        al_sys1(SYS_exit_group, status);
}

AL_EXPORT void _Exit(int status)
{
    _exit(status);
}

/*
 * The real dlopen looks at its return address: the caller's RUNPATH, $ORIGIN and namespace decide
 * what is found. Only a jump, the last thing this function does, leaves that address as it is. (The
 * folder is therefore always compiled with sibling calls on; a test has a library that only the
 * caller's RUNPATH finds.)
 */
AL_EXPORT void *dlopen(const char *name, int flags);
AL_EXPORT void *dlopen(const char *name, int flags)
{
    al_count(AL_COUNT_calls_dlopen);
    if (!al_real_resolve() || !al_real.dlopen)
        return NULL;
    return al_real.dlopen(name, flags);
}
