/*
 * /proc/PID/smaps: what of each mapping is in memory, and whether it is locked. The file takes the
 * kernel 3 us a mapping: for where there is no quicker way. Async-signal safe.
 */
#ifndef AL_SMAPS_H
#define AL_SMAPS_H

#include "maps.h"

#include <stdbool.h>
#include <stdint.h>

/* What a line has told. */
enum al_smaps_news {
    AL_SMAPS_NOTHING,
    AL_SMAPS_BEGIN, /* here a mapping begins */
    AL_SMAPS_END    /* all of it has been read */
};

/* What has been read so far; all 0 before the first line. */
struct al_smaps {
    uint64_t unlocked; /* resident bytes of mappings that are not locked, the kernel's own aside */

    /* Of the mapping whose lines are being read; its name is valid with its first line. */
    struct al_mapping mapping;
    uint64_t resident;
    uint64_t swapped;
    bool locked;
    bool kernels; /* it is the kernel's own */
    bool open;    /* its flags have not been read */
    bool unknown; /* a mapping had no flags, as before Linux 3.8 */
};

/* One terminated line without its newline, which may be changed. */
enum al_smaps_news al_smaps_line(struct al_smaps *smaps, char *line);

/* Behind the last line. Returns 0, or -ENODATA if it is not known what is locked. */
int al_smaps_end(struct al_smaps *smaps);

/* All of this process; for one thread at a time. Returns 0 or a negative errno. */
int al_smaps_unlocked(uint64_t *ret_bytes);

#endif
