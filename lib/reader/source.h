/* The two places that counters are read from, for reader.c. */
#ifndef AL_SOURCE_H
#define AL_SOURCE_H

#include "reader.h"

struct al_source {
    pid_t pid;        /* of a process, or of a thread that has its memory; 0: a file */
    int fd;           /* the file */
    uint64_t address; /* where the counters begin in the process */
};

/* Exactly `size` bytes, from `offset` on in a file, at `address` in a process. False: not there. */
bool al_source_read(const struct al_source *source, uint64_t place, void *buffer, size_t size);

/* Finds the counters of a process. Returns as al_reader_read_process. */
int al_source_find(pid_t pid, struct al_source *ret_source);

/* Whether the process has mapped this very file. */
bool al_source_is_mapped(pid_t pid, int fd);

/* What the kernel says of the process now. False: it is gone, or does not let itself be seen. */
bool al_source_fill_gauges(pid_t pid, struct al_snapshot *snapshot);

#endif
