/*
 * Memory mappings and the heap's end. In mode `all` the kernel locks them by itself; in mode
 * `alloc` lock/regions.h is told of each.
 */
#include "advise.h"
#include "counters.h"
#include "export.h"
#include "heap_owner.h"
#include "inside.h"
#include "kernel.h"
#include "process.h"
#include "real.h"
#include "regions.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

/* A mapping has appeared: the program's own, or one that stands behind an allocator's blocks. */
static void *mapped(void *start, size_t length, unsigned kind, bool accessible)
{
    if (!al_books.tracking || start == MAP_FAILED)
        return start;
    if (al_inside_depth)
        al_region_backing(start, length);
    else
        al_region_mapped(start, length, kind, accessible);
    return start;
}

/* Huge pages are never swapped, and the kernel does not lock them. */
static void *mapped_by(void *start, size_t length, int protection, int flags)
{
    if (flags & MAP_HUGETLB)
        return start;
    return mapped(start, length, al_region_kind(flags), protection != PROT_NONE);
}

AL_EXPORT void *mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset)
{
    al_count(AL_COUNT_calls_mmap);
    return mapped_by(al_real.mmap(start, length, protection, flags, fd, offset), length, protection,
                     flags);
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
    return mapped_by(al_real.mmap64(start, length, protection, flags, fd, offset), length,
                     protection, flags);
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

AL_EXPORT void *mremap(void *start, size_t old_length, size_t new_length, int flags, ...)
{
    const struct al_region_state state = al_region_state_at(start);
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
    if (flags & MREMAP_DONTUNMAP)
        al_region_emptying(start, old_length);
    al_region_unmapping(start, old_length);
    moved = al_real.mremap(start, old_length, new_length, flags, target);
    /* Locked memory cannot grow past the limit. Where only we have locked it, it need not be. */
    if (moved == MAP_FAILED && errno == EAGAIN && al_process.locks && !al_process.program_locks &&
        al_kernel_munlock(start, old_length) == 0) {
        errno = saved;
        moved = al_real.mremap(start, old_length, new_length, flags, target);
    }
    if (moved == MAP_FAILED) {
        al_region_still_mapped(start, old_length);
        return moved;
    }
    if (flags & MREMAP_DONTUNMAP)
        al_region_moved(start, old_length, state);
    al_region_moved(moved, new_length, state);
    return moved;
}

AL_EXPORT int mprotect(void *start, size_t length, int protection)
{
    int result = al_real.mprotect(start, length, protection);

    al_count(AL_COUNT_calls_mprotect);
    if (result == 0)
        al_region_protected(start, length, protection != PROT_NONE, al_inside_depth != 0);
    return result;
}

AL_EXPORT int pkey_mprotect(void *start, size_t length, int protection, int key)
{
    int result = al_real.pkey_mprotect(start, length, protection, key);

    al_count(AL_COUNT_calls_mprotect);
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
        result = al_advise_locked(start, length, advice);
        errno = result ? -result : saved;
        if (result == 0 && advice == MADV_DONTNEED)
            al_region_emptied(start, length);
        return result ? -1 : 0;
    }
    return result;
}

/* Only whole pages come and go with the heap's end. */
static char *next_page(char *end)
{
    size_t mask = al_page_size() - 1;

    return (char *)(((uintptr_t)end + mask) & ~mask);
}

/* The heap's end is about to move from `before` to `after`, by the program or by its allocator. */
static void end_moving(char *before, char *after)
{
    /* Below its start the kernel does not take it. */
    if ((uintptr_t)after >= al_heap_owner.main_start && next_page(after) < next_page(before))
        al_region_unmapping(next_page(after), (size_t)(next_page(before) - next_page(after)));
}

static void end_moved(char *before, char *after)
{
    if (next_page(after) > next_page(before))
        (void)mapped(next_page(before), (size_t)(next_page(after) - next_page(before)),
                     AL_KIND_ANON, true);
}

AL_EXPORT int brk(void *end)
{
    char *before;
    int result;

    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.brk) {
        errno = ENOMEM;
        return -1;
    }
    if (!al_books.tracking)
        return al_real.brk(end);
    before = al_real.sbrk(0);
    end_moving(before, end);
    result = al_real.brk(end);
    if (result == 0)
        end_moved(before, end);
    return result;
}

AL_EXPORT void *sbrk(intptr_t change)
{
    char *before;

    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.sbrk) {
        errno = ENOMEM;
        return (void *)-1;
    }
    if (!al_books.tracking || !change)
        return al_real.sbrk(change);
    before = al_real.sbrk(0);
    end_moving(before, before + change);
    before = al_real.sbrk(change);
    if (before != (void *)-1)
        end_moved(before, before + change);
    return before;
}

AL_EXPORT void *shmat(int id, const void *start, int flags)
{
    struct shmid_ds segment;
    void *attached;

    al_count(AL_COUNT_calls_shmat);
    if (!al_real_resolve() || !al_real.shmat) {
        errno = ENOSYS;
        return (void *)-1;
    }
    attached = al_real.shmat(id, start, flags);
    if (attached != (void *)-1 && al_books.tracking) {
        int saved = errno;

        if (shmctl(id, IPC_STAT, &segment) == 0)
            (void)mapped(attached, segment.shm_segsz, AL_KIND_SHARED, true);
        errno = saved;
    }
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
