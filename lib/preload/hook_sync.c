/*
 * MS_INVALIDATE asks that other mappings of the file see what is written, which they always do on
 * Linux; all that the kernel does about it is to refuse memory that is locked.
 */
#include "export.h"
#include "process.h"
#include "real.h"
#include "regions.h"

#include <errno.h>
#include <sys/mman.h>

AL_EXPORT int msync(void *start, size_t length, int flags)
{
    const int saved = errno;
    int result = al_real.msync(start, length, flags);

    /* Of what it has locked by itself the program is told. */
    if (result == 0 || errno != EBUSY || !(flags & MS_INVALIDATE) || !al_process.locks ||
        al_region_program_has(start, length))
        return result;
    errno = saved;
    return al_real.msync(start, length, flags & ~MS_INVALIDATE);
}
