/*
 * The reserves of the heap, and of how libc divides it.
 */
#ifndef AL_RESERVE_HEAP_H
#define AL_RESERVE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes the heap `size` bytes larger than what is in use, brings that in and has the allocator keep
 * it. Returns false where the allocator gave less. Before other threads.
 */
bool al_reserve_heap(uint64_t size);

/* Caps the number of malloc's arenas; false where libc has no such thing. */
bool al_reserve_arenas(uint64_t count);

#endif
