/*
 * The report's fields as programs get them (autolock.h).
 */
#ifndef AL_STATS_H
#define AL_STATS_H

#include "fields.h"

#include <autolock/autolock.h>

/* Overwrites all of `ret_stats`. */
void al_stats_fill(struct autolock_stats *ret_stats, const uint64_t field[AL_FIELD_TOTAL]);

/*
 * Gives as much of it as a caller has who knows `size` bytes of the struct. Members that are only
 * half there, and those that we do not know, become 0.
 */
void al_stats_give(void *ret_stats, size_t size, const struct autolock_stats *stats);

#endif
