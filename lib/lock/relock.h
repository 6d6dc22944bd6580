/*
 * After a fork: the kernel has not given the locks to the child, and the page map still knows them.
 */
#ifndef AL_RELOCK_H
#define AL_RELOCK_H

#include <stdbool.h>

/*
 * In the child, with the gate and no other thread: locks all pages again that were locked and have
 * an owner, with `flags` of mlock2, and makes the books those of this process. Pages without an
 * owner, and the program's own locks, are forgotten. What cannot be had (budget, number of runs,
 * the kernel's refusal) is counted and booked as unlocked.
 *
 * `spare_stacks`: leave stacks unlocked, because one that is locked can no longer grow. Takes a
 * walk over the map and one system call a run; the pages themselves are not touched. Returns 0, or
 * the negative errno of the first refusal.
 */
int al_relock(unsigned flags, bool spare_stacks);

#endif
