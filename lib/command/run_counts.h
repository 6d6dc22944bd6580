/*
 * What a program has counted, as far as something is expected of it.
 */
#ifndef AL_RUN_COUNTS_H
#define AL_RUN_COUNTS_H

#include "reader.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct run_counts {
    uint64_t began_ns; /* tells programs of one process apart */
    double major;      /* page faults of the whole process */
    double minor;
    double major_after_lock;
    double minor_after_lock;
    double major_after_mark;
    double minor_after_mark;
    double failures;
    double downgrades;
    double locked;
    double swap;
    double resident;
    double unlocked; /* of what is resident; -1: not known */
};

/* The part of what is resident that is not unlocked, in percent; -1: not known. */
double run_coverage(double resident, double unlocked);

struct run_counts run_counts_of(const struct al_reading *found);

/* The kernel's word on what is unlocked of what is resident in a process that runs; -1: it is not
 * to be had. */
double run_counts_unlocked(pid_t pid);

/* Of a process that runs; what is unlocked is the kernel's word. False: there are none. */
bool run_counts_of_process(pid_t pid, struct run_counts *ret_counts);

/* Of the last program of that process, if it has come to its end by itself. */
bool run_counts_of_last(const char *directory, pid_t pid, struct run_counts *ret_counts);

#endif
