/*
 * The program's own locking. It keeps its meaning for the program; the report says that it
 * happened.
 */
#include "counters.h"
#include "downgrades.h"
#include "export.h"
#include "real.h"

#include <sys/mman.h>

AL_EXPORT int mlock(const void *start, size_t length)
{
    al_count(AL_COUNT_calls_mlock);
    return al_real.mlock(start, length);
}

AL_EXPORT int mlock2(const void *start, size_t length, unsigned flags)
{
    al_count(AL_COUNT_calls_mlock);
    return al_real.mlock2(start, length, flags);
}

AL_EXPORT int munlock(const void *start, size_t length)
{
    al_count(AL_COUNT_calls_munlock);
    return al_real.munlock(start, length);
}

AL_EXPORT int mlockall(int flags)
{
    al_count(AL_COUNT_calls_mlockall);
    return al_real.mlockall(flags);
}

AL_EXPORT int munlockall(void)
{
    int result = al_real.munlockall();

    al_count(AL_COUNT_calls_munlockall);
    if (result == 0)
        al_downgrade_add("the program itself released all locks (munlockall)");
    return result;
}
