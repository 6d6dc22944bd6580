/*
 * mremap of a region that is several mappings to the kernel, because a part of it was locked.
 */
#ifndef AL_REMAP_PARTS_H
#define AL_REMAP_PARTS_H

#include <stddef.h>

/*
 * The kernel has refused to make [start, start + length) larger (EFAULT), and none of it is locked
 * any more. Pages that came in while it was locked in part keep its parts from becoming one mapping
 * again; so they are remapped one after the other, if they are alike in all else. Returns where it
 * is, or (void *) of a negative errno: -EFAULT if the program itself has made it several mappings.
 */
void *al_remap_parts(void *start, size_t length, size_t new_length, int flags);

#endif
