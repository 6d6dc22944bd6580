/*
 * Where the faults "after the lock" and "after the mark" are counted from. Async-signal safe.
 */
#ifndef AL_MARK_H
#define AL_MARK_H

#include "snapshot.h"

/*
 * The lock at start is done, in a forked child too: both are counted from here. There is no mark
 * yet; what nobody has marked is not warm, so that a gate does not pass for want of a mark. Before
 * other threads are told of the run.
 */
void al_mark_begin(struct al_run *run);

/*
 * The mark is now. Any thread, also while others make their marks and reports: the latest one
 * holds.
 */
void al_mark_set(struct al_run *run);

#endif
