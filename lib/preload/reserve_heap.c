#include "reserve_heap.h"

#include "real.h"
#include "sys.h"

#include <limits.h>

/* glibc's, as <malloc.h> has them; other libcs have no such function, or ignore it. */
enum { TRIM_THRESHOLD = -1, MMAP_THRESHOLD = -3, ARENA_MAX = -8 };

/* Blocks from this size on are mappings of their own unless glibc is told otherwise. */
enum { THRESHOLD_LEAST = 128 << 10, THRESHOLD_MOST = 32 << 20 };

/* In pieces of at most this: no allocator makes a mapping of such a block, once told. */
enum { PIECE_MOST = 1 << 20 };

static int set(int parameter, int value)
{
    static int (*mallopt)(int, int);

    if (!mallopt)
        *(void **)&mallopt = al_real_find("mallopt");
    return mallopt && mallopt(parameter, value);
}

/*
 * A heap that is kept is of use only to blocks that come from it. Setting either threshold also
 * stops glibc from moving both by itself. Returns the size from which blocks are mappings.
 */
static size_t keep_heap(uint64_t size)
{
    size_t threshold = THRESHOLD_MOST;

    while (threshold > THRESHOLD_LEAST && threshold / 2 >= size)
        threshold /= 2;
    if (!set(TRIM_THRESHOLD, -1))
        return THRESHOLD_LEAST;
    /* On 32 bits the bound is lower. */
    while (threshold > THRESHOLD_LEAST && !set(MMAP_THRESHOLD, (int)threshold))
        threshold /= 2;
    return threshold;
}

static void touch(volatile char *block, size_t size)
{
    for (size_t at = sizeof(void *); at < size; at += al_page_size())
        block[at] = 0;
    block[size - 1] = 0;
}

/*
 * Allocates all of it, then frees it from its end on, so that piece after piece becomes part of
 * what lies free at the heap's end.
 */
bool al_reserve_heap(uint64_t size)
{
    size_t piece = keep_heap(size) / 2;
    void **last = NULL;
    uint64_t have = 0;

    if (piece > PIECE_MOST)
        piece = PIECE_MOST;
    while (have < size) {
        void **block = al_real.malloc(piece);

        if (!block)
            break;
        touch((char *)block, piece);
        *block = last;
        last = block;
        have += piece;
    }
    while (last) {
        void **before = *last;

        al_real.free(last);
        last = before;
    }
    return have >= size;
}

bool al_reserve_arenas(uint64_t count)
{
    return set(ARENA_MAX, count < INT_MAX ? (int)count : INT_MAX);
}
