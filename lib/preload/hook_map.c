/*
 * Memory mappings. Where the kernel locks, room_hooks.h is asked around each call; where the hooks
 * lock, lock/regions.h is told of each.
 */
#include "advise.h"
#include "backend.h"
#include "counters.h"
#include "export.h"
#include "headroom.h"
#include "heap_owner.h"
#include "hold.h"
#include "inside.h"
#include "kernel.h"
#include "mapped.h"
#include "process.h"
#include "program_locks.h"
#include "real.h"
#include "regions.h"
#include "remap_parts.h"
#include "room_hooks.h"
#include "stall.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 5.7; older headers do not have it. */
#if !defined(MREMAP_DONTUNMAP)
#    define MREMAP_DONTUNMAP 4
#endif

/* Huge pages are never swapped, and the kernel does not lock them. */
static void *mapped_by(void *start, size_t length, int protection, int flags)
{
    size_t page = al_page_size();

    if (start == MAP_FAILED)
        return start;
    /* What they have taken the place of is not there any more. */
    if (flags & MAP_HUGETLB) {
        al_region_unmapping(start, length);
        return start;
    }
    /* Locked, it could not grow past the limit: what is below its lowest page can. */
    if (flags & MAP_GROWSDOWN && !al_books.unlimited && length > page)
        (void)al_mapped((char *)start + page, length - page, AL_KIND_STACK, protection != PROT_NONE,
                        false);
    else
        (void)al_mapped(start, length, al_region_kind(flags), protection != PROT_NONE,
                        flags & MAP_NORESERVE);
    return start;
}

/* What the kernel would bring in, where it locks all that is to come. */
static struct al_adding adding(size_t length, int protection, int flags)
{
    bool none = protection == PROT_NONE || flags & (MAP_HUGETLB | MAP_LOCKED);

    return (struct al_adding){.length = none ? 0 : length,
                              .sparse = flags & MAP_NORESERVE && length >= AL_SPARSE_BYTES,
                              .anonymous =
                                  protection & PROT_WRITE && al_region_kind(flags) == AL_KIND_ANON,
                              .apart = true,
                              .file = !(flags & MAP_ANONYMOUS)};
}

/* `offset` is as wide as the wider of the two functions has it. */
static void *map(void *start, size_t length, int protection, int flags, int fd, int64_t offset,
                 void *(*real)(void *, size_t, int, int, int, int64_t))
{
    const int saved = errno;
    struct al_added added = al_adding_begin_held(adding(length, protection, flags));
    void *there = real(start, length, protection, flags, fd, offset);

    /* Secret memory is locked without being asked for. */
    if (there == MAP_FAILED &&
        (al_backend_rescue(errno) ||
         ((flags & MAP_LOCKED || errno == EAGAIN) && al_program_makes_room(length)))) {
        errno = saved;
        there = real(start, length, protection, flags, fd, offset);
    }
    al_adding_end_held(added, there == MAP_FAILED ? NULL : there, length);
    (void)mapped_by(there, length, protection, flags);
    if (flags & MAP_LOCKED && there != MAP_FAILED)
        al_region_program_locked(there, length);
    return there;
}

static void *real_mmap(void *start, size_t length, int protection, int flags, int fd,
                       int64_t offset)
{
    return al_real.mmap(start, length, protection, flags, fd, (off_t)offset);
}

AL_EXPORT void *mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset)
{
    al_count(AL_COUNT_calls_mmap);
    return map(start, length, protection, flags, fd, offset, real_mmap);
}

#if defined(__LP64__)
/* One offset type: the two names are one function. */
AL_EXPORT void *mmap64(void *start, size_t length, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));
#else
AL_EXPORT void *mmap64(void *start, size_t length, int protection, int flags, int fd,
                       off64_t offset)
{
    al_count(AL_COUNT_calls_mmap);
    return map(start, length, protection, flags, fd, offset, al_real.mmap64);
}
#endif

AL_EXPORT int munmap(void *start, size_t length)
{
    int result;

    al_count(AL_COUNT_calls_munmap);
    al_region_unmapping(start, length);
    result = al_real.munmap(start, length);
    if (result)
        al_region_still_mapped(start, length);
    return result;
}

/* What grows where it lies keeps its lock, and all of it is brought in: unlocked, nothing is. */
static struct al_added begin_growing(void *start, size_t old_length, size_t new_length)
{
    size_t more = new_length > old_length ? new_length - old_length : 0;
    struct al_added added;
    size_t held;

    if (more && al_room_on_fault_if_much(start, old_length, more))
        return (struct al_added){.how = AL_ADD_AS_EVER};
    added = al_adding_begin_held((struct al_adding){.length = more});
    if (added.how == AL_ADD_UNLOCKED)
        al_room_leave_out(start, old_length);
    if (al_books.tracking && more > al_headroom_share(SIZE_MAX) && !added.waits) {
        al_hold_begin();
        added.waits = true;
    }
    held = al_region_growing(start, old_length, new_length);
    /* Twice where another thread has stepped down in between. */
    if (added.held)
        al_headroom_taken(held);
    else
        added.held = held;
    return added;
}

/*
 * Locked memory cannot grow past the limit, and what is locked in part is not one mapping to the
 * kernel. Where only we have locked it, it need not be. `saved`: errno where it succeeds.
 */
static void *remap_unlocked(void *start, size_t old_length, size_t new_length, int flags,
                            void *target, int saved)
{
    void *moved;

    errno = saved;
    moved = al_real.mremap(start, old_length, new_length, flags, target);
    if (moved != MAP_FAILED || errno != EFAULT || new_length <= old_length ||
        flags & ~MREMAP_MAYMOVE)
        return moved;
    moved = al_remap_parts(start, old_length, new_length, flags);
    errno = al_sys_failed((long)moved) ? -(int)(long)moved : saved;
    return al_sys_failed((long)moved) ? MAP_FAILED : moved;
}

AL_EXPORT void *mremap(void *start, size_t old_length, size_t new_length, int flags, ...)
{
    const struct al_region_state state = al_region_state_at(start, old_length);
    struct al_added added;
    void *target = NULL;
    int saved = errno;
    void *moved;

    /* The fifth argument exists only with these flags. */
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        va_list arguments;

        va_start(arguments, flags);
        target = va_arg(arguments, void *);
        va_end(arguments);
    }
    al_count(AL_COUNT_calls_mremap);
    added = begin_growing(start, old_length, new_length);
    if (flags & MREMAP_DONTUNMAP)
        al_region_emptying(start, old_length);
    al_region_unmapping(start, old_length);
    moved = al_real.mremap(start, old_length, new_length, flags, target);
    if (moved == MAP_FAILED && al_backend_rescue(errno)) {
        errno = saved;
        moved = al_real.mremap(start, old_length, new_length, flags, target);
    }
    /* What the program has locked itself keeps its lock, and others give theirs up. */
    if (moved == MAP_FAILED && errno == EAGAIN && al_process.program_locks &&
        new_length > old_length && al_program_makes_room(new_length - old_length)) {
        errno = saved;
        moved = al_real.mremap(start, old_length, new_length, flags, target);
    }
    al_adding_end_held(added, moved == MAP_FAILED ? NULL : moved, new_length);
    if (moved == MAP_FAILED && (errno == EAGAIN || errno == EFAULT) && al_process.locks &&
        !state.program) {
        /* If that fails, what is locked in parts can still be moved in parts. */
        if (!al_room_lock_on_fault(start, old_length))
            (void)al_kernel_munlock(start, old_length);
        moved = remap_unlocked(start, old_length, new_length, flags, target, saved);
    }
    if (moved == MAP_FAILED) {
        al_region_still_mapped(start, old_length);
        return moved;
    }
    if (flags & MREMAP_DONTUNMAP) {
        struct al_region_state left = state;

        left.program = false; /* the kernel takes the lock from what it has emptied */
        al_region_moved(start, old_length, left);
    }
    al_region_moved(moved, new_length, state);
    return moved;
}

AL_EXPORT int mprotect(void *start, size_t length, int protection)
{
    struct al_added added;
    int result;

    al_count(AL_COUNT_calls_mprotect);
    added = al_opening_begin_held(start, protection & PROT_WRITE ? length : 0);
    result = al_real.mprotect(start, length, protection);
    al_adding_end_held(added, NULL, 0);
    if (result == 0)
        al_region_protected(start, length, protection != PROT_NONE, al_inside_depth != 0);
    return result;
}

AL_EXPORT int pkey_mprotect(void *start, size_t length, int protection, int key)
{
    struct al_added added;
    int result;

    al_count(AL_COUNT_calls_mprotect);
    added = al_opening_begin_held(start, protection & PROT_WRITE ? length : 0);
    result = al_real.pkey_mprotect(start, length, protection, key);
    al_adding_end_held(added, NULL, 0);
    if (result == 0)
        al_region_protected(start, length, protection != PROT_NONE, al_inside_depth != 0);
    return result;
}

AL_EXPORT int madvise(void *start, size_t length, int advice)
{
    int saved = errno;
    int result = al_real.madvise(start, length, advice);

    al_count(AL_COUNT_calls_madvise);
    if (result && errno == EINVAL && al_process.locks && al_advise_is_refused(advice)) {
        uint64_t began = al_stall_begin();

        result = al_advise_locked(start, length, advice);
        al_stall_end(began);
        errno = result ? -result : saved;
        if (result == 0 && advice == MADV_DONTNEED)
            al_region_emptied(start, length);
        return result ? -1 : 0;
    }
    return result;
}
