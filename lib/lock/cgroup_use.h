/*
 * How much of a cgroup's memory is in use.
 */
#ifndef AL_CGROUP_USE_H
#define AL_CGROUP_USE_H

#include "cgroup.h"

/* Bytes that all in it have, with what files it has in the page cache; AL_CGROUP_UNLIMITED if that
 * is not known. Three system calls. Async-signal safe. */
uint64_t al_cgroup_used(const struct al_cgroup_home *home);

/* Bytes that it may have in swap besides its limit of memory; AL_CGROUP_UNLIMITED without a bound,
 * or if that is not known. Async-signal safe. */
uint64_t al_cgroup_swap(const struct al_cgroup_home *home);

/*
 * Bytes of these that the kernel can drop at once when memory is needed: pages of files that nobody
 * has locked. 0 if that is not known. It has the kernel add up, 10 us and more. Async-signal safe.
 */
uint64_t al_cgroup_droppable(const struct al_cgroup_home *home);

#endif
