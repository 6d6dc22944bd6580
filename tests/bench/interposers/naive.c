/*
 * Locks each block where it is allocated and unlocks it where it is freed, as one would first write
 * it. It is wrong as well as slow: locks do not nest, so that one block's end unlocks its
 * neighbours on the page.
 */
#include <malloc.h>
#include <stddef.h>
#include <sys/mman.h>

static inline void block_appears(void *block, size_t size)
{
    if (block)
        mlock(block, size);
}

static inline void block_goes(void *block)
{
    if (block)
        munlock(block, malloc_usable_size(block));
}

#include "family.h"
