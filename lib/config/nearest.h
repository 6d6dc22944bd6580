/* The known name that a mistyped one most likely meant. */
#ifndef AL_NEAREST_H
#define AL_NEAREST_H

#include <stddef.h>

/* The longest name compared; longer ones have no neighbour. */
#define AL_NEAREST_MAX 31

/*
 * Keeps the best of many candidates: start with AL_NEAREST_NONE, offer each, then read `best`
 * (NULL when none is near enough to be worth naming). Case does not count. Async-signal safe.
 */
struct al_nearest {
    const char *best;
    unsigned distance;
};

#define AL_NEAREST_NONE ((struct al_nearest){NULL, ~0U})

void al_nearest_offer(struct al_nearest *nearest, const char *typed, const char *candidate);

#endif
