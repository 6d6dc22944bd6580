/*
 * Mode `all` by the kernel alone: mlockall. Only where no memlock limit holds: under one,
 * MCL_FUTURE would make the program's own mmap, malloc and pthread_create fail once it is reached.
 */
#ifndef AL_LOCK_ALL_H
#define AL_LOCK_ALL_H

#include "options.h"

struct al_lock_all {
    unsigned flags; /* enum al_flag: what is in force; 0 if nothing could be had */
    int error;      /* 0, or the negative errno of the lock that could not be had */
};

/*
 * Asks the kernel for the lock that `flags` (enum al_flag) describes and, where it knows no
 * `onfault`, for the rest; what was left out is in the downgrades.
 */
struct al_lock_all al_lock_all_start(unsigned flags);

/*
 * The same in a forked child, whose pages are its parent's until one of them writes: bringing them
 * in for a lock would copy them all. With `on_fault` they are locked as they are, or not at all if
 * the kernel cannot do that (before Linux 4.4).
 */
struct al_lock_all al_lock_all_again(unsigned flags, bool on_fault);

#endif
