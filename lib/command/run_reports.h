/*
 * The counters that processes have left in a directory, and of one that runs.
 */
#ifndef AL_RUN_REPORTS_H
#define AL_RUN_REPORTS_H

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

/* Of a process that runs; what is unlocked is the kernel's word. False: there are none. */
bool run_counts_of_process(pid_t pid, struct run_counts *ret_counts);

/* Of the last program of that process, if it has come to its end by itself. */
bool run_counts_of_last(const char *directory, pid_t pid, struct run_counts *ret_counts);

/* Whether a file can be made there; complained of. */
bool run_reports_can_go_to(const char *path);

/* The reports of all processes, as JSON, one a line, in the order of their beginnings. False:
 * complained of. */
bool run_reports_write(const char *directory, const char *path);

/* Takes the directory away, and what is in it. */
void run_reports_remove(const char *directory);

#endif
