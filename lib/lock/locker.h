/*
 * Locks and unlocks runs of pages, and keeps page map and books true to what the kernel said.
 */
#ifndef AL_LOCKER_H
#define AL_LOCKER_H

#include "books.h"

/*
 * Locks [first, end), whose pages have owners that will not go away meanwhile; those that are
 * locked already are asked for again. What cannot be had (budget, number of runs, the kernel's
 * refusal) is counted and left unlocked; of a run that is larger than what the budget has left the
 * beginning is locked, if the books say so (by_parts). Without the gate; in a signal handler that
 * interrupted its holder it is done when the gate is left. Returns 0 or a negative errno.
 */
int al_locker_lock(al_page first, al_page end);

/* Of [first, end) what is in memory already and has its place in the budget; nothing is brought in.
 * Without the gate. */
void al_locker_lock_there(al_page first, al_page end);

/* The same as al_locker_lock for a mapping: see al_locker_enter_mapping(). */
int al_locker_lock_mapping(al_page first, al_page end);

/* The same, on fault whatever was asked for. */
int al_locker_lock_sparse(al_page first, al_page end);

/*
 * Books that [first, end) is no longer locked because the memory is gone or the program unlocked
 * it: no system call. With the gate.
 */
void al_locker_forget(al_page first, al_page end);

/* Changes words of [first, end) without touching owners. Takes the gate, as for a mapping. */
void al_locker_note(al_page first, al_page end, uint32_t clear, uint32_t set);

/* Books that the program has unlocked [first, end): whoever is about to book a lock of one of these
 * asks for it anew. Takes the gate. */
void al_locker_unlocked(al_page first, al_page end);

/* Unlocks [first, end), whose pages the books do not know as locked (any more). */
void al_locker_unlock(al_page first, al_page end);

/* The same of those pages in [first, end) alone that the books do not know as locked, by us or by
 * the program itself. */
void al_locker_unlock_rest(al_page first, al_page end);

/* The same while others may be locking some of them: whoever is about to book one of ours asks for
 * it anew. With the gate. */
void al_locker_unlock_unbooked(al_page first, al_page end);

/*
 * Unlocks what a refused call may have locked all the same, because what is not booked must not
 * stay; but not what was locked before it, for others. Whoever is about to book a lock asks for it
 * anew. With the gate.
 */
void al_locker_undo(al_page first, al_page end);

/*
 * Unlocks that many pages, owned or not, and lowers the budget to what is locked then: the program
 * itself needs them of its limit. False if there is nothing to release.
 */
bool al_locker_release(uint64_t pages);

/* Gives pages without an owner back, if there are more of them than the slack. Without the gate. */
void al_locker_trim(void);

/* The same down to nothing: for a report that is to count owned pages alone. */
void al_locker_trim_all(void);

/*
 * Before a report: the allocator may have unmapped, unseen, what is remembered as locked.
 * Of pages that are in doubt and have no owner the kernel is asked. Without the gate.
 */
void al_locker_settle(void);

/*
 * Enters and leaves the gate. Entering fails in a signal handler that interrupted someone inside,
 * and in a forked child that nobody had announced.
 *
 * On behalf of mappings, signals wait until the gate is left: mmap and munmap are plain system
 * calls, and programs do leave them by siglongjmp or asynchronous cancellation. Not on behalf of
 * heap blocks, which would pay several times what the rest costs: malloc may not be left so, since
 * the allocator's own locks would stay behind as well.
 */
bool al_locker_enter(void);
bool al_locker_enter_mapping(void);
void al_locker_leave(void);

#endif
