/*
 * How much of the process is in memory and not locked: what the kernel may take out of it again.
 * Its own mappings (vdso and the like), which nobody can lock, are no part of that, unless nothing
 * is locked at all.
 */
#ifndef AL_UNLOCKED_H
#define AL_UNLOCKED_H

#include "procfs.h"

#include <stdbool.h>

/*
 * The most that the kernel's own mappings take. Where no more than that is not locked, and `whole`
 * says that all was locked and nothing has been unlocked since, it is they.
 */
#define AL_UNLOCKED_KERNELS_MOST ((uint64_t)64 << 10)

/*
 * `status` is of this moment. Asks the kernel mapping by mapping where it does not say it already:
 * 1 us each, or 3 before Linux 6.7. Looking may bring in code, ours or libc's, that was never run
 * in this process: `status` is then read anew, so that nothing is in `ret_bytes` that is not in it.
 * For one thread at a time; async-signal safe. Returns 0, or a negative errno where it cannot be
 * known: `ret_bytes` is untouched then.
 */
int al_unlocked_resident(struct al_memory_status *status, bool whole, uint64_t *ret_bytes);

#endif
