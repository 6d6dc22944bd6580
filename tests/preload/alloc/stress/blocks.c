#include "stress.h"

#include <malloc.h>

/* Both ends of a block hold this, to show that it is still what it was. */
struct seal {
    uint64_t value;
};

struct block {
    char *start; /* NULL: an empty slot */
    size_t size;
    const char *origin;
    uint64_t seal;
    bool taken;
};

static struct block *blocks;

/* Where libc puts the arenas of threads, by their number: those that a block was ever in. */
enum { ARENA_BYTES = 64 << 20, ARENAS = 1 << 21 };

/* What the library knows of each page of so many addresses. Other libcs than glibc have no arenas,
 * and in 32 bits its own have 1 MiB: among the blocks is all else too, and so are these tables. */
enum { TABLE_BYTES = 68 << 10 };

static bool *arena_seen;

void blocks_begin(void)
{
    blocks = raw_memory(options.slots * sizeof(*blocks));
    arena_seen = raw_memory(ARENAS * sizeof(*arena_seen));
}

/* -- contents ------------------------------------------------------------------------------- */

static void seal(struct block *block)
{
    struct seal mark = {block->seal};

    if (block->size < 2 * sizeof(mark)) {
        memset(block->start, (int)block->seal & 0xFF, block->size);
        return;
    }
    memcpy(block->start, &mark, sizeof(mark));
    memcpy(block->start + block->size - sizeof(mark), &mark, sizeof(mark));
}

static void verify_begin(const struct block *block, size_t size)
{
    struct seal mark = {block->seal};
    size_t i;

    if (block->size >= 2 * sizeof(mark) && size >= sizeof(mark)) {
        expect(memcmp(block->start, &mark, sizeof(mark)) == 0);
    } else if (block->size < 2 * sizeof(mark)) {
        for (i = 0; i < block->size && i < size; i++)
            expect((unsigned char)block->start[i] == (block->seal & 0xFF));
    }
}

static void verify(const struct block *block)
{
    struct seal mark = {block->seal};

    verify_begin(block, block->size);
    if (block->size >= 2 * sizeof(mark))
        expect(memcmp(block->start + block->size - sizeof(mark), &mark, sizeof(mark)) == 0);
}

/* Ends only, of a large block: reading the rest would bring it in. */
static void verify_zero(const char *start, size_t size)
{
    size_t ends = size < 512 ? size : 256;

    for (size_t i = 0; i < ends; i++)
        expect(start[i] == 0 && start[size - 1 - i] == 0);
}

/* -- operations ----------------------------------------------------------------------------- */

static size_t random_size(struct random *random)
{
    size_t dice = random_below(random, 1000);

    if (dice < 700)
        return 1 + random_below(random, 256);
    if (dice < 880)
        return 1 + random_below(random, 4096);
    if (dice < 980)
        return 1 + random_below(random, 64 << 10);
    if (dice < 998)
        return 1 + random_below(random, 256 << 10);
    return 1 + random_below(random, 4 << 20);
}

static size_t random_alignment(struct random *random)
{
    return (size_t)16 << random_below(random, 12);
}

/*
 * A block that is a mapping of its own, as libc's header before it tells, is in no arena: what
 * comes where it was is somebody else's. (No slack is checked with other allocators.)
 */
static void note_arena(const struct block *block)
{
    size_t arena = (uintptr_t)block->start / ARENA_BYTES;
    bool is_mapping = ((size_t *)block->start)[-1] & 2;

    if (options.slack_checked && !is_mapping && arena < ARENAS)
        arena_seen[arena] = true;
}

static void fill(struct block *block, struct random *random)
{
    size_t size = random_size(random);
    size_t alignment = random_alignment(random);
    void *start = NULL;

    switch (random_below(random, 20)) {
    default:
        block->origin = "malloc";
        start = malloc(size);
        break;
    case 1:
    case 2:
    case 3:
        block->origin = "calloc";
        start = calloc(1 + size / 7, 7);
        expect(start);
        verify_zero(start, size);
        break;
    case 4:
        block->origin = "realloc of NULL";
        start = realloc(NULL, size);
        break;
    case 5:
        block->origin = "posix_memalign";
        expect_equal(posix_memalign(&start, alignment, size), 0);
        break;
    case 6:
        block->origin = "aligned_alloc";
        start = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
        break;
    case 7:
        block->origin = "memalign";
        start = memalign(alignment, size);
        break;
    case 8:
        block->origin = "valloc";
        start = valloc(size);
        break;
    }
    expect(start);
    block->start = start;
    block->size = malloc_usable_size(start);
    block->seal = random_next(random);
    expect(block->size >= size);
    journal_add(block->origin, start, block->size);
    note_arena(block);
    seal(block);
}

static void resize(struct block *block, struct random *random)
{
    size_t size = random_size(random);
    void *start;

    /* Mostly near the old size, so that it grows or shrinks in place as well as by moving. */
    if (random_percent(random, 60))
        size = 1 + random_below(random, 2 * block->size);
    verify(block);
    journal_add("realloc of", block->start, block->size);
    if (random_percent(random, 50)) {
        block->origin = "realloc";
        start = realloc(block->start, size);
    } else {
        block->origin = "reallocarray";
        start = reallocarray(block->start, 1 + size / 5, 5);
    }
    expect(start);
    block->start = start;
    verify_begin(block, size);
    block->size = malloc_usable_size(start);
    journal_add(block->origin, start, block->size);
    note_arena(block);
    block->seal = random_next(random);
    seal(block);
}

static void empty(struct block *block)
{
    verify(block);
    journal_add("free", block->start, block->size);
    free(block->start);
    block->start = NULL;
}

void block_operation(struct random *random, bool draining)
{
    struct block *block = &blocks[random_below(random, options.slots)];
    size_t dice = random_below(random, 100);

    if (__atomic_exchange_n(&block->taken, true, __ATOMIC_ACQUIRE))
        return;
    if (!block->start) {
        if (!draining || dice < 3)
            fill(block, random);
    } else if (draining || dice < 55) {
        empty(block);
    } else if (dice < 85) {
        resize(block, random);
    } else {
        verify(block);
    }
    __atomic_store_n(&block->taken, false, __ATOMIC_RELEASE);
}

void blocks_claim(void)
{
    for (size_t i = 0; i < options.slots; i++) {
        const struct block *block = &blocks[i];

        expect(!block->taken);
        if (block->start)
            claims_add(block->start, block->size,
                       options.blocks_claimed
                           ? policy_judge(&policy, KIND_HEAP, block->size, block->size)
                           : VERDICT_EITHER,
                       KIND_HEAP, block->origin);
    }
}

size_t blocks_watch(void)
{
    size_t seen = 0;

    for (size_t i = 0; i < ARENAS; i++) {
        if (!arena_seen[i])
            continue;
        claims_watch((const void *)(i * ARENA_BYTES), ARENA_BYTES, "arena");
        seen++;
    }
#if defined(__GLIBC__) && defined(__LP64__)
    return 0;
#else
    return seen * TABLE_BYTES;
#endif
}
