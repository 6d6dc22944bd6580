/*
 * The malloc family behind the hooks, made whole: what the process does not have is made of what is
 * there, and what would come back to our own functions by name is made of what does not.
 */
#ifndef AL_FAMILY_H
#define AL_FAMILY_H

#include "hidden.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether two functions are of one object. */
bool al_family_same_object(const void *a, const void *b);

/* Whether the C library is glibc. */
bool al_family_has_glibc(void);

/* From this size on a block of the real malloc is of zeros, since it is a fresh mapping. */
extern size_t al_family_fresh_from AL_HIDDEN;

/* al_real is known but for its gaps: fills them. Before anybody else can see it. */
void al_family_complete(void);

#endif
