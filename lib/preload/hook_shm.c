/*
 * Shared memory of System V.
 */
#include "backend.h"
#include "counters.h"
#include "export.h"
#include "mapped.h"
#include "process.h"
#include "real.h"
#include "room_hooks.h"

#include <errno.h>
#include <sys/shm.h>

/* 0 if it cannot be known. errno is untouched. */
static size_t size_of(int id)
{
    struct shmid_ds segment;
    const int saved = errno;
    size_t size = 0;

    if (al_process.locks || al_books.tracking)
        size = shmctl(id, IPC_STAT, &segment) == 0 ? segment.shm_segsz : 0;
    errno = saved;
    return size;
}

AL_EXPORT void *shmat(int id, const void *start, int flags)
{
    const int saved = errno;
    struct al_added added;
    void *attached;
    size_t size;

    al_count(AL_COUNT_calls_shmat);
    if (!al_real_resolve() || !al_real.shmat) {
        errno = ENOSYS;
        return (void *)-1;
    }
    size = size_of(id);
    added = al_adding_begin_held((struct al_adding){.length = size, .spared = true});
    attached = al_real.shmat(id, start, flags);
    if (attached == (void *)-1 && al_backend_rescue(errno)) {
        errno = saved;
        attached = al_real.shmat(id, start, flags);
    }
    al_adding_end_held(added, attached == (void *)-1 ? NULL : attached, size);
    if (attached != (void *)-1 && size)
        al_mapped(attached, size, AL_KIND_SHARED, true, false);
    return attached;
}

AL_EXPORT int shmdt(const void *start)
{
    size_t length = 0;
    int result;

    al_count(AL_COUNT_calls_shmdt);
    if (!al_real_resolve() || !al_real.shmdt) {
        errno = ENOSYS;
        return -1;
    }
    if (al_books.tracking)
        length = al_region_length_at(start);
    al_region_unmapping(start, length);
    result = al_real.shmdt(start);
    if (result)
        al_region_still_mapped(start, length);
    return result;
}
