#include "heap_table.h"

#include "boot_heap.h"
#include "counters.h"

#include <string.h>

struct al_heap al_heap = {
#define AL_REAL(result, name, arguments) .name = al_boot_##name,
    AL_REAL_HEAP
#undef AL_REAL
};

size_t al_heap_slot = AL_SLOT_NONE;

/* Each entry by itself is right at any moment, so that other threads may run meanwhile. */
#define SET(name, function) __atomic_store_n(&al_heap.name, (function), __ATOMIC_RELEASE)

static void use_slot(size_t slot)
{
    __atomic_store_n(&al_heap_slot, slot, __ATOMIC_RELEASE);
}

void al_heap_connect(void)
{
    use_slot(AL_SLOT_NONE);
#define AL_REAL(result, name, arguments) SET(name, al_counted_##name);
    AL_REAL_HEAP
#undef AL_REAL
}

void al_heap_settle(void)
{
    if (al_boot_used || al_heap.free != al_counted_free)
        return;
    SET(free, al_counted_quick_free);
    use_slot(AL_SLOT_COUNTS);
}

void al_heap_track(enum al_quick quick)
{
    static void *(*const quick_malloc[])(size_t) = {[AL_QUICK_ALONE] = al_tracked_alone_malloc,
                                                    [AL_QUICK_THREADS] = al_tracked_threads_malloc,
                                                    [AL_QUICK_SIZED_ALONE] =
                                                        al_tracked_sized_alone_malloc,
                                                    [AL_QUICK_SIZED] = al_tracked_sized_malloc};
    static void (*const quick_free[])(void *) = {[AL_QUICK_ALONE] = al_tracked_alone_free,
                                                 [AL_QUICK_THREADS] = al_tracked_threads_free,
                                                 [AL_QUICK_SIZED_ALONE] = al_tracked_sized_free,
                                                 [AL_QUICK_SIZED] = al_tracked_sized_free};

    use_slot(AL_SLOT_NONE);
#define AL_REAL(result, name, arguments) SET(name, al_tracked_##name);
    AL_REAL_HEAP
#undef AL_REAL
    if (quick == AL_QUICK_NONE)
        return;
    SET(malloc, quick_malloc[quick]);
    if (!al_boot_used)
        SET(free, quick_free[quick]);
}

void al_heap_untrack(void)
{
    al_heap_connect();
}

static bool takes_block(const char *name)
{
    return strcmp(name, "free") == 0 || strcmp(name, "realloc") == 0 ||
           strcmp(name, "malloc_usable_size") == 0;
}

void al_heap_disconnect(void)
{
    /* Blocks of the boot heap, if there are any, must be told apart for ever. */
    bool boot_used = al_boot_used;

    use_slot(AL_SLOT_NONE);
#define AL_REAL(result, name, arguments)                                                           \
    if (!boot_used || !takes_block(#name))                                                         \
        SET(name, al_real.name);
    AL_REAL_HEAP
#undef AL_REAL
}
