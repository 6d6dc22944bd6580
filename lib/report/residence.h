/*
 * How much of a range is in memory, by the kernel's word (/proc/self/pagemap). Async-signal safe.
 */
#ifndef AL_RESIDENCE_H
#define AL_RESIDENCE_H

#include <stdint.h>

/* Returns a descriptor for the function below, to be closed, or a negative errno. */
int al_residence_open(void);

/*
 * Adds the bytes of [start, end) that VmRSS counts, which are whole pages: neither the page of
 * zeros nor devices' memory; pages of hugetlbfs are in it, though not in VmRSS. A range that is
 * mostly empty takes no longer than its pages that are there. Returns 0 or a negative errno:
 * -ENOTTY before Linux 6.7.
 */
int al_residence_add(int fd, uintptr_t start, uintptr_t end, uint64_t *bytes);

#endif
