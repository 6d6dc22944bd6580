#include "blocks.h"

#include "record.h"

#include <malloc.h>
#include <stdlib.h>

enum { LARGEST_BITS = 23 };

/* Sizes up to 8 MiB, small ones as likely as large ones. */
static size_t pick_size(struct blocks *blocks, struct random *random)
{
    unsigned bits = (unsigned)random_below(random, LARGEST_BITS + 1);
    size_t size = random_below(random, (size_t)1 << bits);

    return blocks->live_bytes + size <= blocks->most_bytes ? size : size % 1024;
}

/* The journal tells of each block as the library judges it: by its usable size. */
static char *came(struct blocks *blocks, void *block)
{
    size_t usable;

    must(block != NULL, "a block");
    count(CALL_malloc_usable_size);
    usable = malloc_usable_size(block);
    blocks->live_bytes += usable;
    note("block", (uintptr_t)block, usable, 0, 0);
    return block;
}

static void goes(struct blocks *blocks, void *block)
{
    count(CALL_malloc_usable_size);
    blocks->live_bytes -= malloc_usable_size(block);
    note("gone", (uintptr_t)block, 0, 0, 0);
}

static void *allocate_aligned(struct random *random, size_t size)
{
    size_t alignment = (size_t)16 << random_below(random, 10);
    void *block = NULL;

    count(CALL_memalign);
    switch (random_below(random, 5)) {
    case 0:
        return memalign(alignment, size);
    case 1:
        return aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
    case 2:
        return valloc(size);
#if defined(__GLIBC__)
    case 3:
        return pvalloc(size);
#endif
    default:
        must(posix_memalign(&block, alignment, size) == 0, "posix_memalign");
        return block;
    }
}

static void *allocate(struct random *random, size_t size)
{
    switch (random_below(random, 8)) {
    case 0:
    case 1:
        count(CALL_calloc);
        return calloc(1, size);
    case 2:
        return allocate_aligned(random, size);
    case 3:
        count(CALL_realloc);
        return realloc(NULL, size);
    default:
        count(CALL_malloc);
        return malloc(size);
    }
}

static void touch(char *block, size_t size, struct random *random)
{
    for (size_t at = 0; at < size; at += (size_t)4096 << random_below(random, 3))
        block[at] = 1;
}

static char *move(struct blocks *blocks, char *block, struct random *random)
{
    size_t size = pick_size(blocks, random) + 1; /* of 0 it would be free */
    void *moved;

    goes(blocks, block);
    count(CALL_realloc);
    if (random_below(random, 2))
        moved = realloc(block, size);
    else
        moved = reallocarray(block, size, 1);
    return came(blocks, moved);
}

void blocks_step(struct blocks *blocks, struct random *random)
{
    char **at = &blocks->block[random_below(random, BLOCKS_MAX)];
    size_t size;

    if (*at && random_below(random, 3) == 0) {
        *at = move(blocks, *at, random);
        return;
    }
    if (*at) {
        goes(blocks, *at);
        count(CALL_free);
        free(*at);
        *at = NULL;
        return;
    }
    if (random_below(random, 20) == 0) {
        count(CALL_free);
        free(NULL);
    }
    size = pick_size(blocks, random);
    *at = came(blocks, allocate(random, size));
    touch(*at, size, random);
}
