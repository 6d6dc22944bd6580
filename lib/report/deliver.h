/*
 * Brings a report to where it should go, and never harms the program on the way: see io.h for what
 * is taken care of. Async-signal safe.
 */
#ifndef AL_DELIVER_H
#define AL_DELIVER_H

#include "io.h"
#include "snapshot.h"

/*
 * Standard error as it was when the program began. Programs close or replace descriptor 2 before
 * they end (coreutils do), so a duplicate is kept, far above the numbers that programs expect to
 * get; not where their limit is so low that it would be missed. Either descriptor is used only
 * while it still is that same file.
 */
struct al_stderr {
    int duplicate; /* -1: none */
    struct al_io_identity identity;
};

struct al_stderr al_stderr_keep(void);

/* Gives the duplicate up; descriptor 2 is still used where it is the same file. For children of
 * fork: a daemon must not hold the caller's standard error open. */
void al_stderr_release(struct al_stderr *err);

/* Writes to standard error; 0, -EBADF if it is gone, or another negative errno. */
int al_stderr_write(const struct al_stderr *err, const char *bytes, size_t count);

/*
 * Takes a snapshot, formats it as the configuration says and writes it to AUTOLOCK_STATS_FILE or
 * standard error. When the file cannot be had or written, one line says why on standard error, and
 * the report follows there.
 */
void al_deliver(struct al_stderr *err, struct al_run *run, const char *ended);

#endif
