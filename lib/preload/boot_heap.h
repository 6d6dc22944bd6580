/*
 * Memory for those who ask while the real malloc is still being looked for: dlsym itself, and
 * threads that happen to come then. Blocks are never reused; free() ignores them and realloc()
 * moves them away. Lock-free and async-signal safe.
 */
#ifndef AL_BOOT_HEAP_H
#define AL_BOOT_HEAP_H

#include "hidden.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory; `alignment` is a power of two. NULL with ENOMEM only if the system has none. */
void *al_boot_alloc(size_t size, size_t alignment);

/* The size that was asked for. */
size_t al_boot_size(const void *block);

/* Whether any block was ever handed out, and by that whether others need to be told apart. */
extern bool al_boot_used AL_HIDDEN;

/* Whether `block` is one of ours, given that al_boot_used. */
bool al_boot_owns_slow(const void *block);

static inline bool al_boot_owns(const void *block)
{
    return __builtin_expect(__atomic_load_n(&al_boot_used, __ATOMIC_RELAXED), 0) &&
           al_boot_owns_slow(block);
}

#endif
