/*
 * Mode `all`: everything by mlockall, at start.
 */
#ifndef AL_LOCK_ALL_H
#define AL_LOCK_ALL_H

#include "options.h"
#include "privilege.h"

enum al_backend { AL_BACKEND_NONE, AL_BACKEND_KERNEL };

struct al_lock_all {
    enum al_backend backend;
    unsigned flags; /* enum al_flag: what is in force; 0 if nothing could be had */
    int error;      /* 0, or the negative errno of the lock that could not be had */
};

/*
 * Asks the kernel for the lock that `flags` (enum al_flag) describes and, where the kernel or the
 * limit forbids a part of it, for the rest; what was left out is in the downgrades. Never leaves a
 * lock behind that makes the program's own calls fail: under a limit that holds, MCL_FUTURE does
 * (its mmap, malloc and pthread_create fail once the limit is reached), so it is not used there;
 * nor does a locked main stack stay, and where /proc/self/maps cannot be read (-ENOENT without
 * /proc), nothing does.
 */
struct al_lock_all al_lock_all_start(unsigned flags, const struct al_privilege *privilege);

/*
 * The same in a forked child, whose pages are its parent's until one of them writes: bringing them
 * in for a lock would copy them all. With `on_fault` they are locked as they are, or not at all if
 * the kernel cannot do that (before Linux 4.4).
 */
struct al_lock_all al_lock_all_again(unsigned flags, bool on_fault,
                                     const struct al_privilege *privilege);

#endif
