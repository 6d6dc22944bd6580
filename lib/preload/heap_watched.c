/*
 * Mode `all` by the kernel, the calls of the malloc family that are looked at: large ones, one in
 * so many small ones, and the rarer members of the family. Is there room for what the kernel will
 * bring in? And does the call fail for the lock's sake?
 *
 * When the kernel's locking ends in between (backend.h), the call goes on through the table, whose
 * functions are others by then.
 */
#include "allocator.h"
#include "backend.h"
#include "boot_heap.h"
#include "counters.h"
#include "heap_table.h"
#include "room_hooks.h"

#include <errno.h>

static size_t product(size_t count, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

/* Of a block and what it may have to be moved by, which an allocator maps as well. */
static size_t sum(size_t alignment, size_t size)
{
    size_t bytes;

    return __builtin_add_overflow(alignment, size, &bytes) ? SIZE_MAX : bytes;
}

/* Before an allocation of `size` bytes; `fresh`: of memory that nothing is in yet. */
static struct al_added begin_with(size_t size, bool fresh)
{
    struct al_counts *counts = al_thread_counts;
    bool alone;

    if (counts && size < AL_ROOM_CHUNK &&
        (al_room_spend(counts, size) || al_room_renew(counts, size)))
        return (struct al_added){.how = AL_ADD_AS_EVER};
    /* No allocator can give that much: nothing will be mapped. */
    if (size > PTRDIFF_MAX)
        return (struct al_added){.how = AL_ADD_AS_EVER};
    /* What is small may be anywhere. A thread's first call may make its arena as well, which is to
     * be brought in when it grows. */
    fresh = fresh && size >= AL_ROOM_CHUNK;
    alone = fresh && counts && counts->value[AL_COUNT_calls_malloc] > 1;
    return al_adding_begin(
        (struct al_adding){.length = size, .anonymous = alone, .apart = fresh, .spared = !fresh});
}

static struct al_added begin(size_t size)
{
    return begin_with(size, true);
}

/* Where the main heap ended when it was looked at first. */
static char *first_heap_end;

void al_heap_watch_begin(void)
{
    first_heap_end = al_real.sbrk ? al_real.sbrk(0) : NULL;
}

/*
 * The main heap grows by a little more than was asked for. A block that it has grown for lies
 * around or behind its first end; mappings lie above the heap, or below it (`ulimit -s unlimited`).
 */
static size_t length_of(struct al_added added, void *block)
{
    const bool by_us = added.how == AL_ADD_BY_US || added.how == AL_ADD_IN_PARTS;
    char *heap_end = by_us && first_heap_end ? al_real.sbrk(0) : NULL;
    size_t usable = al_usable_size(block);

    if ((char *)block < heap_end && (char *)block + usable > first_heap_end)
        return (size_t)(heap_end - (char *)block);
    return usable;
}

static void *end(struct al_added added, void *block)
{
    const bool as_ever = added.how == AL_ADD_AS_EVER;

    al_adding_end(added, block, block && !as_ever ? length_of(added, block) : 0);
    return block;
}

/* Whether the table has other functions by now; the call is counted there once more. */
static bool is_over(enum al_counter counter)
{
    if (!al_heap_owner.on)
        return false;
    al_count_add(counter, (uint64_t)-1);
    return true;
}

/* The same between begin() and end(), which is not to follow then. */
static bool is_over_before(enum al_counter counter, struct al_added added)
{
    if (!is_over(counter))
        return false;
    (void)end(added, NULL);
    return true;
}

#define AL_WATCH(function, name, counter, parameters, arguments, bytes)                            \
    void *al_##function parameters                                                                 \
    {                                                                                              \
        const int saved = errno;                                                                   \
        struct al_added added;                                                                     \
        void *block;                                                                               \
                                                                                                   \
        al_count(AL_COUNT_calls_##counter);                                                        \
        added = begin(bytes);                                                                      \
        if (is_over_before(AL_COUNT_calls_##counter, added))                                       \
            return al_heap.name arguments;                                                         \
        block = end(added, al_real.name arguments);                                                \
        if (block || (bytes) > PTRDIFF_MAX || !al_backend_rescue(ENOMEM) ||                        \
            !is_over(AL_COUNT_calls_##counter))                                                    \
            return block;                                                                          \
        errno = saved;                                                                             \
        return al_heap.name arguments;                                                             \
    }

AL_WATCH(watched_malloc, malloc, malloc, (size_t size), (size), size)
AL_WATCH(watched_calloc, calloc, calloc, (size_t count, size_t size), (count, size),
         product(count, size))
AL_WATCH(counted_memalign, memalign, memalign, (size_t alignment, size_t size), (alignment, size),
         sum(alignment, size))
AL_WATCH(counted_aligned_alloc, aligned_alloc, memalign, (size_t alignment, size_t size),
         (alignment, size), sum(alignment, size))
AL_WATCH(counted_valloc, valloc, memalign, (size_t size), (size), size)
AL_WATCH(counted_pvalloc, pvalloc, memalign, (size_t size), (size), size)

/* -- small ones that have failed; what errno was before is not known any more ---------------- */

void *al_watched_malloc_failed(size_t size)
{
    if (!al_backend_rescue(ENOMEM) || !is_over(AL_COUNT_calls_malloc))
        return NULL;
    return al_heap.malloc(size);
}

void *al_watched_calloc_failed(size_t count, size_t size)
{
    if (!al_backend_rescue(ENOMEM) || !is_over(AL_COUNT_calls_calloc))
        return NULL;
    return al_heap.calloc(count, size);
}

void *al_watched_realloc_failed(void *block, size_t size)
{
    if (!al_backend_rescue(ENOMEM) || !is_over(AL_COUNT_calls_realloc))
        return NULL;
    return al_heap.realloc(block, size);
}

/* -- the rest of the family ----------------------------------------------------------------- */

int al_counted_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    struct al_added added;
    int error;

    al_count(AL_COUNT_calls_memalign);
    added = begin(sum(alignment, size));
    if (is_over_before(AL_COUNT_calls_memalign, added))
        return al_heap.posix_memalign(ret_block, alignment, size);
    error = al_real.posix_memalign(ret_block, alignment, size);
    (void)end(added, error ? NULL : *ret_block);
    /* musl says what mmap has said. */
    if ((error != ENOMEM && error != EAGAIN) || size > PTRDIFF_MAX || !al_backend_rescue(ENOMEM) ||
        !is_over(AL_COUNT_calls_memalign))
        return error;
    return al_heap.posix_memalign(ret_block, alignment, size);
}

/* What grows where it lies keeps its lock, and all of it is brought in: unlocked, or locked on
 * fault, nothing is. */
static void prepare_growing(struct al_added added, void *block)
{
    if (added.how == AL_ADD_UNLOCKED && block)
        al_room_leave_out(block, al_usable_size(block));
    else if (added.how == AL_ADD_ON_FAULT && block)
        (void)al_room_lock_on_fault(block, al_usable_size(block));
}

void *al_watched_realloc(void *block, size_t size)
{
    const int saved = errno;
    struct al_added added;
    void *moved;

    al_count(AL_COUNT_calls_realloc);
    if (al_boot_owns(block))
        return al_boot_leave(block, size);
    added = begin_with(size, false);
    if (is_over_before(AL_COUNT_calls_realloc, added))
        return al_heap.realloc(block, size);
    prepare_growing(added, block);
    moved = end(added, al_real.realloc(block, size));
    if (moved || !size || size > PTRDIFF_MAX || !al_backend_rescue(ENOMEM) ||
        !is_over(AL_COUNT_calls_realloc))
        return moved;
    errno = saved;
    return al_heap.realloc(block, size);
}
