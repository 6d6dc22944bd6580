/*
 * What is known of the allocator behind the hooks, where mode `alloc` needs to know.
 */
#ifndef AL_ALLOCATOR_H
#define AL_ALLOCATOR_H

#include "heap_owner.h"
#include "heap_table.h"
#include "real.h"

/* glibc's own malloc: a block's size stands before it, and tells mappings of their own. */
extern bool al_allocator_is_glibc AL_HIDDEN;

/* The low bits of glibc's size word are flags; this one says that the block is a mapping. */
#define AL_CHUNK_FLAGS   ((size_t)7)
#define AL_CHUNK_MAPPING ((size_t)2)

/* Whose allocator it is: asks the loader. Once, at start. */
void al_allocator_find(void);

/*
 * Fills in what heap_owner.h needs. `try_out`: allocates, to see whether glibc's blocks are as we
 * know them; not in the middle of a call, which may be one of the allocator.
 */
void al_allocator_learn(struct al_allocator *ret_allocator, bool try_out);

/* The quickest malloc and free for the allocator, the policy and the number of threads. */
enum al_quick al_allocator_quick(void);

/* The size of the chunk that the block is in, and flags. */
static inline size_t al_chunk_word(const void *block)
{
    return ((const size_t *)block)[-1];
}

/*
 * The usable size of a live block of glibc's, without a call: the layout has been so since 2001,
 * and al_allocator_learn() has tried it out. A block that is a mapping of its own has one word
 * less.
 */
static inline size_t al_glibc_usable_size(const void *block)
{
    size_t word = al_chunk_word(block);

    return (word & ~AL_CHUNK_FLAGS) - sizeof(size_t) -
           (word & AL_CHUNK_MAPPING ? sizeof(size_t) : 0);
}

/* The usable size of any live block. */
static inline size_t al_usable_size(void *block)
{
    if (al_allocator_is_glibc)
        return al_glibc_usable_size(block);
    return al_real.malloc_usable_size(block);
}

#endif
