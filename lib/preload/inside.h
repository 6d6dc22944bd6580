/*
 * Whether the calling thread is inside the real allocator: mappings that are made then stand behind
 * its blocks, which are judged one by one, and are no mappings of the program.
 */
#ifndef AL_INSIDE_H
#define AL_INSIDE_H

#include "hidden.h"

extern __thread unsigned al_inside_depth AL_HIDDEN __attribute__((tls_model("initial-exec")));

static inline void al_inside_begin(void)
{
    al_inside_depth++;
}

static inline void al_inside_end(void)
{
    al_inside_depth--;
}

#endif
