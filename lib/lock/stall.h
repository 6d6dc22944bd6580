/*
 * What locking costs the program inside its own calls: around what is slow in a hook, that is all
 * that may ask the kernel for something or wait for another thread. Never on the way of a call that
 * finds its pages locked.
 *
 * What begins inside another such stretch is in that one's time, and recorded again by itself: so
 * they do not stand inside each other. Async-signal safe.
 */
#ifndef AL_STALL_H
#define AL_STALL_H

#include <stdint.h>

/* The time, for al_stall_end(). */
uint64_t al_stall_begin(void);

/* Counts and records what has passed since then; in mode observe nothing, as nothing is locked. */
void al_stall_end(uint64_t began);

#endif
