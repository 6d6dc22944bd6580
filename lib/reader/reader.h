/*
 * Reads what another process counts (live.h): of a process that runs, or from a file that one has
 * kept in AUTOLOCK_LIVE_DIR, whether it still runs or how it has ended. What comes out is a
 * snapshot as the process itself would take it, to be written in any format (emit.h).
 *
 * The process is not stopped and does not notice. Nothing of what is read is trusted.
 */
#ifndef AL_READER_H
#define AL_READER_H

#include "snapshot.h"

#include <stdbool.h>
#include <sys/types.h>

struct al_reading {
    struct al_snapshot snapshot;
    bool complete; /* false: of some threads nothing is known, their blocks were not to be had */
    bool current; /* what the kernel counts is of now, or of the process's end by itself; else it is
                     of the last look */

    /* What the snapshot points to. */
    struct al_run run;
    struct al_config config;
    struct al_live live;
};

/*
 * Both overwrite `ret_reading`, which stays where it is while the snapshot is used, and return 0 or
 * a negative errno:
 *
 *   -ESRCH    no such process
 *   -ENOENT   no such file; a process without the library, or in which it is inert
 *   -EPERM    the process is somebody else's, or the machine does not let it be read
 *   -EBADMSG  not a file of counters, or one of another version's layout
 *
 * and what open(2) and read(2) give. Not for several threads at once.
 */
int al_reader_read_process(pid_t pid, struct al_reading *ret_reading);
int al_reader_read_file(const char *path, struct al_reading *ret_reading);

/*
 * The number below which /proc shows the memory of a process: its own, or one of its threads'. The
 * kernel shows nothing of a process whose main thread has ended before others, but all of it under
 * the number of one of these.
 */
pid_t al_reader_shown_as(pid_t pid);

#endif
