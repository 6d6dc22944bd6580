/* A kernel that fails at will, in place of lib/lock/kernel.c. */
#ifndef KERNEL_DOUBLE_H
#define KERNEL_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_double {
    /* How it behaves. */
    bool knows_onfault; /* Linux 4.4 or later */
    int mlockall_error; /* what mlockall returns for flags it knows, 0 or a negative errno */
    int try_error;      /* of al_kernel_try_locked */
    unsigned try_calls;
    size_t try_length;
    int mlock2_error;      /* the same of mlock2 */
    int nothing_error;     /* the same of an mlock2 of no bytes, on fault … */
    int nothing_old_error; /* … and without flags */
    int unknown_advice;    /* what madvise does not know; 0: it knows all */
    bool locked;           /* memory is: madvise refuses what it refuses then, until munlock */
    /* What became of it. */
    unsigned mlockall_calls;
    unsigned mlock2_calls;
    unsigned nothing_calls; /* of no bytes */
    unsigned madvise_calls;
    unsigned other_calls;
    unsigned in_force; /* flags of the mlockall that succeeded last */
    int advice;        /* that was taken last */
    size_t mlock2_length;
    unsigned mlock2_flags;
    const void *munlock_start;
    size_t munlock_length;
    unsigned munlock_calls;
};

extern struct kernel_double kernel_double;

#endif
