#include "stepped.h"

#include <malloc.h>

enum {
    SMALL = 24,
    ALIGNED = 4 * PAGE,
    LARGE = 100000,  /* of the heap */
    MAPPED = 300000, /* a mapping of its own */
};

static char *block;
static int result;

static void trim(void)
{
    (void)malloc_trim(0);
}

static void call_malloc_small(void)
{
    block = malloc(SMALL);
}

static void small_is_locked(void)
{
    expect(block);
    memset(used(block), 7, SMALL);
    stepped_expect_locked(block, SMALL, KIND_HEAP);
}

static void call_malloc_large(void)
{
    block = malloc(LARGE);
}

static void large_block_is_locked(void)
{
    expect(block);
    memset(used(block), 7, LARGE);
    stepped_expect_locked(block, LARGE, KIND_HEAP);
}

static void call_malloc_mapped(void)
{
    block = malloc(MAPPED);
}

static void mapped_block_is_locked(void)
{
    expect(block);
    memset(used(block), 7, MAPPED);
    stepped_expect_locked(block, MAPPED, KIND_HEAP);
}

static void call_calloc(void)
{
    block = calloc(LARGE / 50, 1);
}

static void zeroes_are_locked(void)
{
    expect(block && block[0] == 0 && block[LARGE / 50 - 1] == 0);
    stepped_expect_locked(block, LARGE / 50, KIND_HEAP);
}

static void call_memalign(void)
{
    void *aligned = NULL;

    result = posix_memalign(&aligned, PAGE, ALIGNED);
    block = aligned;
}

static void aligned_is_locked(void)
{
    expect_equal(result, 0);
    expect((uintptr_t)block % PAGE == 0);
    stepped_expect_locked(block, ALIGNED, KIND_HEAP);
}

static void call_realloc_grows(void)
{
    block = realloc(block, LARGE);
}

static void grown_block_is_locked(void)
{
    expect(block && block[0] == 7 && block[SMALL - 1] == 7);
    stepped_expect_locked(block, LARGE, KIND_HEAP);
}

static void call_realloc_of_mapped(void)
{
    block = realloc(block, (size_t)2 * MAPPED);
}

static void grown_mapped_is_locked(void)
{
    expect(block && block[0] == 7 && block[MAPPED - 1] == 7);
    stepped_expect_locked(block, (size_t)2 * MAPPED, KIND_HEAP);
}

static void call_realloc_shrinks(void)
{
    block = realloc(block, SMALL);
}

static void make_small(void)
{
    call_malloc_small();
    small_is_locked();
}

static void make_large(void)
{
    call_malloc_large();
    large_block_is_locked();
}

static void make_mapped(void)
{
    call_malloc_mapped();
    mapped_block_is_locked();
}

static void call_free(void)
{
    free(block);
    block = NULL;
}

/* Name, and what is done before, the call, the look at what came of it, and the clearing away. */
#define HEAP(name, prepare, call, done, clear)                                                     \
    {                                                                                              \
        name, prepare, call, done, clear, true, false                                              \
    }

const struct stepped_call stepped_blocks[] = {
    HEAP("malloc-small", NULL, call_malloc_small, small_is_locked, call_free),
    HEAP("malloc-large", trim, call_malloc_large, large_block_is_locked, call_free),
    HEAP("malloc-mapped", NULL, call_malloc_mapped, mapped_block_is_locked, call_free),
    HEAP("calloc", NULL, call_calloc, zeroes_are_locked, call_free),
    HEAP("memalign", trim, call_memalign, aligned_is_locked, call_free),
    HEAP("realloc-grows", make_small, call_realloc_grows, grown_block_is_locked, call_free),
    HEAP("realloc-mapped", make_mapped, call_realloc_of_mapped, grown_mapped_is_locked, call_free),
    HEAP("realloc-shrinks", make_large, call_realloc_shrinks, NULL, call_free),
    HEAP("free-small", make_small, call_free, NULL, NULL),
    HEAP("free-large", make_large, call_free, NULL, NULL),
    HEAP("free-mapped", make_mapped, call_free, NULL, NULL),
};

const size_t stepped_blocks_count = sizeof(stepped_blocks) / sizeof(stepped_blocks[0]);
