/*
 * The program's own locking. It keeps its meaning for the program; the report says that it
 * happened. In mode `alloc` what has owners stays locked nevertheless.
 */
#include "backend.h"
#include "counters.h"
#include "downgrades.h"
#include "export.h"
#include "flight.h"
#include "hold.h"
#include "kernel.h"
#include "locker.h"
#include "process.h"
#include "program_locks.h"
#include "real.h"
#include "regions.h"
#include "room.h"

#include <errno.h>
#include <sys/mman.h>

bool al_program_makes_room(size_t length)
{
    const int error = errno;
    bool made = (error == ENOMEM || error == EAGAIN) && al_books.tracking && !al_books.unlimited &&
                al_locker_release((length >> al_page_shift) + 2);

    errno = error;
    return made;
}

AL_EXPORT int mlock(const void *start, size_t length)
{
    const int saved = errno;
    int result = al_real.mlock(start, length);

    al_count(AL_COUNT_calls_mlock);
    if (result && al_program_makes_room(length)) {
        errno = saved;
        result = al_real.mlock(start, length);
    }
    if (result == 0) {
        al_process.program_locks = true;
        al_room_wish();
        al_region_program_locked(start, length);
    }
    return result;
}

static int real_mlock2(const void *start, size_t length, unsigned flags)
{
    int result;

    if (!(flags & AL_MLOCK_ONFAULT))
        return al_real.mlock2(start, length, flags);
    al_hold_begin();
    al_flight_begin();
    result = al_real.mlock2(start, length, flags);
    al_flight_end();
    al_hold_end();
    return result;
}

AL_EXPORT int mlock2(const void *start, size_t length, unsigned flags)
{
    const int saved = errno;
    int result = real_mlock2(start, length, flags);

    al_count(AL_COUNT_calls_mlock);
    if (result && al_program_makes_room(length)) {
        errno = saved;
        result = real_mlock2(start, length, flags);
    }
    if (result == 0) {
        al_process.program_locks = true;
        al_room_wish();
        al_region_program_locked(start, length);
    }
    return result;
}

AL_EXPORT int munlock(const void *start, size_t length)
{
    int result = al_real.munlock(start, length);

    al_count(AL_COUNT_calls_munlock);
    /* With ENOMEM it came to a hole, and has unlocked what lies before it. */
    if (result == 0 || errno == ENOMEM) {
        al_room_unlocked();
        al_room_wish();
        al_region_program_unlocked(start, length);
    }
    return result;
}

/* As it brings in all there is, it takes long: nobody is to have the kernel lock what is to come
 * behind it, against the program's wish. */
AL_EXPORT int mlockall(int flags)
{
    const bool opened = flags & MCL_CURRENT && al_room_open();
    int result = al_real.mlockall(flags);

    if (opened && result)
        al_room_close();
    al_count(AL_COUNT_calls_mlockall);
    if (result == 0) {
        al_room_wish();
        al_backend_program_locks_all(flags);
        al_process.program_locks = true;
        /* From now on each of its mappings is held against the limit: ours make room. */
        if (al_books.tracking && !al_books.unlimited && !(flags & MCL_CURRENT))
            (void)al_locker_release(UINT64_MAX);
        al_region_program_locked_all();
    }
    return result;
}

static bool unlock_all(void *result)
{
    al_hold_begin();
    al_flight_stop();
    *(int *)result = al_real.munlockall();
    al_flight_go();
    al_hold_end();
    return *(int *)result == 0;
}

AL_EXPORT int munlockall(void)
{
    int result;

    al_room_end(unlock_all, &result);
    al_count(AL_COUNT_calls_munlockall);
    if (result == 0) {
        al_downgrade_add("the program itself released all locks (munlockall)");
        al_region_program_unlocked_all();
        al_backend_program_unlocks_all();
    }
    return result;
}
