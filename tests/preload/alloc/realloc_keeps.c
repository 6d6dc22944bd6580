/*
 * A block stays locked, all of it, however realloc changes it. KINDS=heap.
 */
#include "scenario.h"

#include <malloc.h>

/* From here on a block is a mapping of its own, whatever has been freed. */
enum { LARGE = 1 << 20 };

static void check(const char *block)
{
    expect(block);
    expect_locked(block, malloc_usable_size((void *)block));
}

static char *resized(char *block, size_t size)
{
    char *now = realloc(block, size);

    check(now);
    return now;
}

static void in_the_heap(void)
{
    char *block = resized(NULL, 100);
    char *behind;

    /* At the heap's end it grows and shrinks in place. */
    for (size_t size = 100; size < 100000; size += 3333)
        block = resized(block, size);
    for (size_t size = 100000; size > 100; size -= 3333)
        block = resized(block, size);
    /* With another block behind it, it must move. */
    check(behind = malloc(500));
    for (size_t size = 100; size < 60000; size *= 2) {
        block = resized(block, size);
        check(malloc(200));
        check(behind);
    }
    for (size_t size = 60000; size > 10; size /= 3) {
        block = resized(block, size);
        check(behind);
    }
    free(block);
    check(behind);
}

static void as_a_mapping(void)
{
    char *block;
    char *wall;

    expect(mallopt(M_MMAP_THRESHOLD, LARGE) == 1);
    block = resized(NULL, 2 * LARGE);
    for (size_t size = 2 * LARGE; size < 20 * LARGE; size += 2 * LARGE + 777)
        block = resized(block, size);
    for (size_t size = 20 * LARGE; size > 5 * LARGE; size -= 3 * LARGE - 777)
        block = resized(block, size);
    /* Something is mapped right below, or above, so that it cannot grow in place. */
    wall = mmap(block - 16 - PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(wall != MAP_FAILED);
    block = resized(block, 30 * LARGE);
    free(block);
}

static void between_heap_and_mapping(void)
{
    char *block = NULL;

    expect(mallopt(M_MMAP_THRESHOLD, LARGE) == 1);
    for (int i = 0; i < 20; i++) {
        block = resized(block, 3000);
        memset(block, 'x', 3000);
        block = resized(block, 3 * LARGE);
        expect(block[0] == 'x' && block[2999] == 'x');
        memset(block, 'y', 3 * LARGE);
        block = resized(block, 70000);
        expect(block[0] == 'y' && block[69999] == 'y');
    }
}

static void that_fails(void)
{
    char *small = resized(NULL, 3000);
    char *large = resized(NULL, 5 * LARGE);
    volatile size_t too_much = SIZE_MAX / 2 + 1;

    for (int i = 0; i < 3; i++) {
        expect(!realloc(small, too_much) && errno == ENOMEM);
        expect(!realloc(large, too_much) && errno == ENOMEM);
        expect(!reallocarray(small, too_much, 3) && errno == ENOMEM);
        check(small);
        check(large);
    }
    free(small);
    check(large);
}

/* To a size that does not qualify and back: MIN_SIZE=64K. */
static void over_the_bounds(void)
{
    char *block = malloc(1000);

    for (int i = 0; i < 5; i++) {
        block = resized(block, 200000);
        expect((block = realloc(block, 1000)));
    }
    block = resized(block, 64 << 10);
    free(block);
    /* No more than the slack without an owner. */
    expect(status_kb("VmLck") <= SPARE_KB);
}

SCENARIOS(SCENARIO(in_the_heap), SCENARIO(as_a_mapping), SCENARIO(between_heap_and_mapping),
          SCENARIO(that_fails), SCENARIO(over_the_bounds))
