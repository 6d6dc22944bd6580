/*
 * What the mapping hooks have in common.
 */
#ifndef AL_MAPPED_H
#define AL_MAPPED_H

#include "inside.h"
#include "regions.h"

/*
 * A mapping has appeared: the program's own, or one that stands behind an allocator's blocks.
 * `sparse`: it was made without a claim to memory (MAP_NORESERVE).
 */
static inline void al_mapped(void *start, size_t length, unsigned kind, bool accessible,
                             bool sparse)
{
    if (al_inside_depth)
        al_region_backing(start, length);
    else if (sparse && length >= AL_SPARSE_BYTES)
        al_region_mapped_sparse(start, length, kind, accessible);
    else
        al_region_mapped(start, length, kind, accessible);
}

#endif
