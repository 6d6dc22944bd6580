/*
 * The malloc family behind the hooks, made whole: what the process does not have is made of what is
 * there, and what would come back to our own functions by name is made of what does not.
 */
#ifndef AL_FAMILY_H
#define AL_FAMILY_H

#include <stdbool.h>

/* Whether the function is the C library's: in the same object as another function of it. */
bool al_family_is_libcs(const void *function);

/* Whether the C library is glibc. */
bool al_family_has_glibc(void);

/* al_real is known but for its gaps: fills them. Before anybody else can see it. */
void al_family_complete(void);

#endif
