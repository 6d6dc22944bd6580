/*
 * What became less than was asked for, when, and why: the report's "downgrades". Kept in a fixed
 * list; once it is full, further ones are only counted. Lock-free and async-signal safe.
 */
#ifndef AL_DOWNGRADES_H
#define AL_DOWNGRADES_H

#include "live.h"

/* Sets the moment from which `when_ns` is counted (CLOCK_MONOTONIC) and forgets all entries. */
void al_downgrades_begin(uint64_t now_ns);

/*
 * Has `on_downgrade` (NULL: nothing) called with each reason that is added, by whoever adds it. To
 * be set before there are threads.
 */
void al_downgrades_watch(void (*on_downgrade)(const char *reason));

/* What does not fit into an entry is cut off. */
void al_downgrade_add(const char *reason);

/* Number of entries made so far; only the first AL_DOWNGRADES_MAX are kept. */
size_t al_downgrades_count(void);

/* Entry `index` of this or another process; NULL: there is none, or it is being made. */
const struct al_downgrade *al_downgrade_at(const struct al_live_head *head, size_t index);

#endif
