/*
 * What became less than was asked for, when, and why: the report's "downgrades". Kept in a fixed
 * list; once it is full, further ones are only counted. Lock-free and async-signal safe.
 */
#ifndef AL_DOWNGRADES_H
#define AL_DOWNGRADES_H

#include <stddef.h>
#include <stdint.h>

#define AL_DOWNGRADES_MAX 16

struct al_downgrade {
    uint64_t when_ns;   /* since the library's start */
    const char *reason; /* a string that lives for ever; NULL while the entry is being made */
};

/* Sets the moment from which `when_ns` is counted (CLOCK_MONOTONIC) and forgets all entries. */
void al_downgrades_begin(uint64_t now_ns);

/*
 * Has `on_downgrade` (NULL: nothing) called with each reason that is added, by whoever adds it. To
 * be set before there are threads.
 */
void al_downgrades_watch(void (*on_downgrade)(const char *reason));

/* `reason` must live for ever. */
void al_downgrade_add(const char *reason);

/* Number of entries made so far; only the first AL_DOWNGRADES_MAX are kept. */
size_t al_downgrades_count(void);

/* Entry `index`, below both limits. */
struct al_downgrade al_downgrade_at(size_t index);

#endif
