/*
 * One run of pages: locked by one call of the kernel's, or by a few, and booked. What locker.h says
 * of a refusal holds here too. Without the gate, and not inside it.
 */
#ifndef AL_LOCK_RUN_H
#define AL_LOCK_RUN_H

#include "books.h"

/* How to lock. */
struct al_lock_way {
    bool (*enter)(void); /* the gate */
    unsigned flags;      /* for mlock2 */
};

/* Locks [first, end), of which the budget has room for what is new: as a whole, or by parts, where
 * others in the cgroup may take the room meanwhile. Returns 0 or a negative errno. */
int al_lock_run(al_page first, al_page end, const struct al_lock_way *way);

/*
 * Where there is no room to bring all of it in: what is in memory already is in the cgroup's count
 * too, and only its lock keeps it there. Nothing else is brought in.
 */
void al_lock_run_there(al_page first, al_page end, const struct al_lock_way *way);

/*
 * Of [first, end), which is not had as a whole, what was locked before: it has its place in the
 * budget, but where it is in doubt it is locked only if it is asked for.
 */
void al_lock_run_again(al_page first, al_page end, const struct al_lock_way *way);

/* How many pages of [first, end) are locked. */
uint64_t al_lock_run_locked(al_page first, al_page end);

#endif
