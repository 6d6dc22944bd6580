/*
 * Memory mappings and the heap's end. In mode `all` the kernel locks them by itself.
 */
#include "advise.h"
#include "counters.h"
#include "export.h"
#include "process.h"
#include "real.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#if defined(__LP64__)
/* One offset type: the two names are one function. */
AL_EXPORT void *mmap64(void *start, size_t length, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));
#else
AL_EXPORT void *mmap64(void *start, size_t length, int protection, int flags, int fd,
                       off64_t offset)
{
    al_count(AL_COUNT_calls_mmap);
    return al_real.mmap64(start, length, protection, flags, fd, offset);
}
#endif

AL_EXPORT void *mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset)
{
    al_count(AL_COUNT_calls_mmap);
    return al_real.mmap(start, length, protection, flags, fd, offset);
}

AL_EXPORT int munmap(void *start, size_t length)
{
    al_count(AL_COUNT_calls_munmap);
    return al_real.munmap(start, length);
}

AL_EXPORT void *mremap(void *start, size_t old_length, size_t new_length, int flags, ...)
{
    void *target = NULL;

    /* The fifth argument exists only with these flags. */
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        va_list arguments;

        va_start(arguments, flags);
        target = va_arg(arguments, void *);
        va_end(arguments);
    }
    al_count(AL_COUNT_calls_mremap);
    return al_real.mremap(start, old_length, new_length, flags, target);
}

AL_EXPORT int mprotect(void *start, size_t length, int protection)
{
    al_count(AL_COUNT_calls_mprotect);
    return al_real.mprotect(start, length, protection);
}

AL_EXPORT int madvise(void *start, size_t length, int advice)
{
    int saved = errno;
    int result = al_real.madvise(start, length, advice);

    al_count(AL_COUNT_calls_madvise);
    if (result && errno == EINVAL && al_process.locks && al_advise_is_refused(advice)) {
        result = al_advise_locked(start, length, advice);
        errno = result ? EINVAL : saved;
        return result ? -1 : 0;
    }
    return result;
}

AL_EXPORT int brk(void *end)
{
    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.brk) {
        errno = ENOMEM;
        return -1;
    }
    return al_real.brk(end);
}

AL_EXPORT void *sbrk(intptr_t change)
{
    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.sbrk) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return al_real.sbrk(change);
}

AL_EXPORT void *shmat(int id, const void *start, int flags)
{
    al_count(AL_COUNT_calls_shmat);
    if (!al_real_resolve() || !al_real.shmat) {
        errno = ENOSYS;
        return (void *)-1;
    }
    return al_real.shmat(id, start, flags);
}

AL_EXPORT int shmdt(const void *start)
{
    al_count(AL_COUNT_calls_shmdt);
    if (!al_real_resolve() || !al_real.shmdt) {
        errno = ENOSYS;
        return -1;
    }
    return al_real.shmdt(start);
}
