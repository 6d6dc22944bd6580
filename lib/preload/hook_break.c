/*
 * The heap's end, as the program or its allocator moves it.
 */
#include "backend.h"
#include "books.h"
#include "counters.h"
#include "export.h"
#include "heap_owner.h"
#include "mapped.h"
#include "process.h"
#include "real.h"
#include "room_hooks.h"
#include "sys.h"

#include <errno.h>
#include <unistd.h>

/* Only whole pages come and go with the heap's end. */
static char *next_page(char *end)
{
    size_t mask = al_page_size() - 1;

    return (char *)(((uintptr_t)end + mask) & ~mask);
}

static void forget(char *before, char *after)
{
    if (next_page(after) < next_page(before))
        al_region_unmapping(next_page(after), (size_t)(next_page(before) - next_page(after)));
}

/* The heap's end is about to move from `before` to `after`, by the program or by its allocator. */
static void end_moving(char *before, char *after)
{
    /* Below its start the kernel does not take it. */
    if (al_heap_owner.main_start && (uintptr_t)after >= al_heap_owner.main_start)
        forget(before, after);
}

static void end_moved(char *before, char *after)
{
    /* Where the start is not known, the kernel's word is waited for; libc says that it was done. */
    if (!al_heap_owner.main_start && after < before && al_real.sbrk(0) == after)
        forget(before, after);
    if (after > before && next_page(before) != before && !al_inside_depth)
        al_region_joined(before, (size_t)(after - before), AL_KIND_ANON);
    if (next_page(after) > next_page(before))
        al_mapped(next_page(before), (size_t)(next_page(after) - next_page(before)), AL_KIND_ANON,
                  true, false);
}

/* What the kernel would bring in, where it locks all that is to come. */
static struct al_added begin_moving(intptr_t change)
{
    return al_adding_begin_held(
        (struct al_adding){.length = change > 0 ? (size_t)change : 0, .spared = true});
}

/* brk itself, not by way of sbrk: another library may have replaced one of the two. */
static int set_end(char *before, char *end)
{
    const int saved = errno;
    struct al_added added = begin_moving(end - before);
    int result = al_real.brk(end);

    if (result && al_backend_rescue(errno)) {
        errno = saved;
        result = al_real.brk(end);
    }
    al_adding_end_held(added, result ? NULL : before, (size_t)(end - before));
    return result;
}

/* Moves the end by `change` bytes; the end before, or (void *)-1. */
static void *move_end(intptr_t change)
{
    const int saved = errno;
    struct al_added added = begin_moving(change);
    void *before = al_real.sbrk(change);

    if (before == (void *)-1 && al_backend_rescue(errno)) {
        errno = saved;
        before = al_real.sbrk(change);
    }
    al_adding_end_held(added, before == (void *)-1 ? NULL : before, (size_t)change);
    return before;
}

AL_EXPORT int brk(void *end)
{
    char *before;

    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.brk || !al_real.sbrk) {
        errno = ENOMEM;
        return -1;
    }
    if (!al_process.locks && !al_books.tracking)
        return al_real.brk(end);
    before = al_real.sbrk(0);
    end_moving(before, end);
    if (set_end(before, end))
        return -1;
    end_moved(before, end);
    return 0;
}

AL_EXPORT void *sbrk(intptr_t change)
{
    char *before;

    al_count(AL_COUNT_calls_brk);
    if (!al_real_resolve() || !al_real.sbrk) {
        errno = ENOMEM;
        return (void *)-1;
    }
    if (!change || (!al_process.locks && !al_books.tracking))
        return al_real.sbrk(change);
    before = al_real.sbrk(0);
    end_moving(before, before + change);
    before = move_end(change);
    if (before != (void *)-1)
        end_moved(before, before + change);
    return before;
}
