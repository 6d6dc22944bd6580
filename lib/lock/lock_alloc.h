/*
 * Mode `alloc` as a whole: its start, what exists then, and its figures for the report. In mode
 * `observe` the same decisions are made and nothing is asked of the kernel.
 */
#ifndef AL_LOCK_ALLOC_H
#define AL_LOCK_ALLOC_H

#include "heap_owner.h"

struct al_alloc_start {
    struct al_policy policy;
    uint64_t budget_bytes; /* the most that may be locked */
    bool observe;          /* decide, but lock nothing */
    bool exempt;           /* no memlock limit holds */
    bool several_threads;  /* more than one ran already */
    bool late;             /* not at the process's start: see existing.h */
    bool kept;             /* late: nothing has been unlocked as yet, see there as well */
    void (*began)(void);   /* late: called when blocks are to be tracked from now on */
};

/*
 * Judges and locks what exists, by the kernel's map of the process, and from then on what the hooks
 * tell, as far as the budget goes. Returns 0, or the negative errno of a start that could not lock
 * what it should.
 */
int al_lock_alloc_start(const struct al_alloc_start *start, const struct al_allocator *allocator);

/* A memlock limit has come to hold: nothing of the program's may grow under a lock any more. */
void al_lock_alloc_limited(void);

/* In a forked child, where no lock is left: nothing is tracked any more. */
void al_lock_alloc_stop(void);

/*
 * In a forked child, before the program goes on there: locks again what has owners, on fault if
 * asked so (nothing is copied then), else as at start, and goes on tracking. What cannot be locked
 * is booked as unlocked. The limits are those of now. Returns 0 or the first refusal's negative
 * errno.
 */
int al_lock_alloc_again(bool on_fault, bool exempt, uint64_t budget_bytes);

/* Libraries have been loaded or unloaded: judges the segments that are new, forgets those gone. */
void al_lock_alloc_images(void);

/* Whether segments of libraries qualify at all. */
bool al_lock_alloc_wants_images(void);

struct al_kind_figures {
    uint64_t mapped_bytes; /* in qualifying mappings; of the heap: what existed at the start */
    uint64_t locked_bytes;
    uint64_t runs;
};

struct al_lock_alloc_figures {
    uint64_t tracked_bytes;
    uint64_t peak_bytes;
    uint64_t qualifying_bytes; /* of pages that have an owner, locked or not, now */
    uint64_t total_bytes;
    uint64_t runs;
    struct al_kind_figures kind[6]; /* in the order of enum al_kinds' bits */
};

/* Walks the page map; other threads may go on. */
void al_lock_alloc_figures(struct al_lock_alloc_figures *ret_figures);

#endif
