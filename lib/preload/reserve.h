/*
 * What a program will need is had before its main: heap, stacks, and how libc divides them. All of
 * it is a wish; what cannot be had is said once, and in the downgrades, and the program goes on.
 */
#ifndef AL_RESERVE_H
#define AL_RESERVE_H

#include "options.h"

/* In the constructor, before memory is locked, so that what is had now is locked as well. */
void al_reserve_start(const struct al_config *config);

/*
 * Sets libc's default size of new threads' stacks, once. Again when libpthread has been loaded
 * later (glibc before 2.34); without the option nothing happens.
 */
void al_reserve_thread_size(void);

#endif
