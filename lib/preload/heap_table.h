/*
 * The malloc family's table: what the exported functions jump through. Which functions stand in it
 * depends on how far the start has come and on the mode:
 *
 *   boot      nothing is known yet: find the real functions, or serve from the boot heap
 *   counted   count the call, go on to the real function
 *   tracked   mode alloc: count, and tell the owners of pages
 *   inert     mode off: the real functions themselves
 */
#ifndef AL_HEAP_TABLE_H
#define AL_HEAP_TABLE_H

#include "real.h"

struct al_heap {
#define AL_REAL(result, name, arguments) result(*name) arguments;
    AL_REAL_HEAP
#undef AL_REAL
};

extern struct al_heap al_heap AL_HIDDEN;

/*
 * AL_SLOT_COUNTS where malloc and free may count and go on by themselves, instead of by the table's
 * counted functions, which do the same a jump later; AL_SLOT_NONE in all other modes, and before
 * the start is over.
 */
extern size_t al_heap_slot AL_HIDDEN;

#define AL_REAL(result, name, arguments)                                                           \
    result al_boot_##name arguments;                                                               \
    result al_counted_##name arguments;                                                            \
    result al_tracked_##name arguments;
AL_REAL_HEAP
#undef AL_REAL

/* Where a counted call takes longer: what is large, and one small one in so many. */
void *al_watched_malloc(size_t size);
void *al_watched_calloc(size_t count, size_t size);
void *al_watched_realloc(void *block, size_t size);

/* From now on what the main heap grows by is told from mappings of their own. */
void al_heap_watch_begin(void);

/* The counted call has failed: once more, if it was for the lock's sake (backend.h); else NULL. */
void *al_watched_malloc_failed(size_t size);
void *al_watched_calloc_failed(size_t count, size_t size);
void *al_watched_realloc_failed(void *block, size_t size);

/* Quicker ones for glibc's allocator (heap_tracked_glibc.c). */
enum al_quick {
    AL_QUICK_NONE,
    AL_QUICK_ALONE,
    AL_QUICK_THREADS,
    AL_QUICK_SIZED_ALONE,
    AL_QUICK_SIZED
};

void *al_tracked_alone_malloc(size_t size);
void *al_tracked_threads_malloc(size_t size);
void *al_tracked_sized_malloc(size_t size);
void *al_tracked_sized_alone_malloc(size_t size);
void al_tracked_alone_free(void *block);
void al_tracked_threads_free(void *block);
void al_tracked_sized_free(void *block);

void al_counted_quick_free(void *block);

/* Moves a block of the boot heap to the real one, as realloc does; NULL without memory. */
void *al_boot_leave(void *block, size_t size);

/* The real functions are known: from boot to counted. */
void al_heap_connect(void);

/*
 * Mode alloc: from counted to tracked, and back in a child that tracks nothing. Again with another
 * `quick` before a second thread is made.
 */
void al_heap_track(enum al_quick quick);
void al_heap_untrack(void);

/* The start is over: what is counted need not look for blocks from before it, if there are none. */
void al_heap_settle(void);

/* Mode off: from counted to inert. */
void al_heap_disconnect(void);

#endif
