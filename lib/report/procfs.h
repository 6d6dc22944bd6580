/*
 * What the kernel says of this process in /proc, parsed. The parsers work on any text, so that they
 * can be tested; the readers fill a field only if the kernel gave it. Async-signal safe.
 */
#ifndef AL_PROCFS_H
#define AL_PROCFS_H

#include "hidden.h"

#include <stddef.h>
#include <stdint.h>

/* From /proc/self/status, bytes but for the first. */
struct al_memory_status {
    uint64_t parent;        /* PPid: a process; 0 also if it is not known */
    uint64_t peak_virtual;  /* VmPeak */
    uint64_t virtual;       /* VmSize */
    uint64_t locked;        /* VmLck */
    uint64_t resident;      /* VmRSS */
    uint64_t peak_resident; /* VmHWM */
    uint64_t swapped;       /* VmSwap */
    uint64_t huge;          /* HugetlbPages: not in the resident ones */
};

/*
 * What files of /proc are read into, one after the other, by whoever makes a report. Not on the
 * stack, as the program's last words may come from a small one; and one for all, so that reading
 * the next one brings no more memory in than the first has found resident. In the end it has the
 * name of the file that the report goes to.
 */
enum { AL_PROCFS_BYTES = 4096 };
extern char al_procfs_text[AL_PROCFS_BYTES] AL_HIDDEN;

/* Fields that are missing in `status` (a terminated text) are 0. */
void al_memory_status_parse(const char *status, struct al_memory_status *ret_status);

/* Returns 0 or a negative errno; `ret_status` is all 0 then. */
int al_memory_status_read(struct al_memory_status *ret_status);

/*
 * The command line, its arguments joined by blanks, cut at `size` bytes. Returns 0 or a negative
 * errno.
 */
int al_command_line_read(char *ret_line, size_t size);

#endif
