/*
 * The malloc family: results and errno, of what must work and of what must fail.
 */
#include "calls.h"

#include <malloc.h>

/* Sizes and alignments that the compiler must not know. */
static volatile size_t huge = SIZE_MAX;
static volatile size_t too_large = (size_t)PTRDIFF_MAX + 1;
static volatile size_t none;
static volatile size_t odd = 3;

static void fill(void *block, size_t size)
{
    memset(used(block), 0x5a, size);
}

static bool all(const unsigned char *block, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != value)
            return false;
    return true;
}

static void plain(void)
{
    void *block;

    SHOW_POINTER(block, malloc(none), 16);
    SHOW_INT(malloc_usable_size(block));
    SHOW_VOID(free(block));
    SHOW_VOID(free(NULL));
    SHOW_POINTER(block, malloc(1), 16);
    free(block);
    SHOW_POINTER(block, malloc(huge), 16);
    SHOW_POINTER(block, malloc(too_large), 16);
    for (size_t size = 1; size < 3000000; size = size * 5 / 3 + 1) {
        SHOW_POINTER(block, malloc(size), 16);
        SHOW_INT(malloc_usable_size(block) >= size);
        fill(block, size);
        SHOW_VOID(free(block));
    }
    SHOW_INT(malloc_usable_size(NULL));
}

static void zeroed(void)
{
    void *block;

    SHOW_POINTER(block, calloc(none, none), 16);
    free(block);
    SHOW_POINTER(block, calloc(none, 8), 16);
    free(block);
    SHOW_POINTER(block, calloc(huge, 2), 16);
    SHOW_POINTER(block, calloc(huge / 2, odd), 16);
    SHOW_POINTER(block, calloc(1, huge), 16);
    for (size_t size = 1; size < 3000000; size = size * 7 / 3 + 1) {
        block = malloc(size);
        fill(block, size);
        free(block);
        SHOW_POINTER(block, calloc(size, 1), 16);
        SHOW_INT(all(block, size, 0));
        free(block);
    }
}

static void resized(void)
{
    unsigned char *block;
    unsigned char *moved;

    SHOW_POINTER(block, realloc(NULL, 100), 16);
    fill(block, 100);
    SHOW_POINTER(moved, realloc(block, huge), 16);
    SHOW_POINTER(moved, realloc(block, too_large), 16);
    SHOW_INT(all(block, 100, 0x5a));
    for (size_t size = 101; size < 3000000; size = size * 7 / 3 + 1) {
        SHOW_POINTER(block, realloc(block, size), 16);
        SHOW_INT(all(block, 100, 0x5a));
    }
    SHOW_POINTER(block, realloc(block, 50), 16);
    SHOW_INT(all(block, 50, 0x5a));
    SHOW_POINTER(moved, realloc(block, none), 16);

    SHOW_POINTER(block, reallocarray(NULL, 10, 10), 16);
    fill(block, 100);
    SHOW_POINTER(moved, reallocarray(block, huge, 2), 16);
    SHOW_POINTER(moved, reallocarray(block, huge / 2, 4), 16);
    SHOW_POINTER(moved, reallocarray(block, 1, huge), 16);
    SHOW_POINTER(block, reallocarray(block, 1000, 1000), 16);
    SHOW_INT(all(block, 100, 0x5a));
    SHOW_POINTER(moved, reallocarray(block, none, 8), 16);
}

static void aligned(void)
{
    void *block = NULL;

    for (size_t alignment = 0; alignment < 70; alignment++) {
        block = (void *)16;
        SHOW_INT(posix_memalign(&block, alignment, 100));
        SHOW_INT(block == (void *)16);
        if (block != (void *)16)
            free(block);
        SHOW_POINTER(block, memalign(alignment, 100), alignment ? alignment & -alignment : 1);
        free(block);
        SHOW_POINTER(block, aligned_alloc(alignment, 100), alignment ? alignment & -alignment : 1);
        free(block);
    }
    for (size_t alignment = sizeof(void *); alignment <= 1 << 21; alignment *= 2) {
        SHOW_INT(posix_memalign(&block, alignment, alignment + 5));
        SHOW_INT((uintptr_t)block % alignment);
        fill(block, alignment + 5);
        free(block);
        SHOW_POINTER(block, memalign(alignment, 5), alignment);
        free(block);
        SHOW_POINTER(block, aligned_alloc(alignment, 3 * alignment), alignment);
        fill(block, 3 * alignment);
        free(block);
    }
    block = NULL;
    SHOW_INT(posix_memalign(&block, 64, huge));
    SHOW_INT(posix_memalign(&block, (huge >> 1) + 1, 1));
    SHOW_INT(posix_memalign(&block, 64, none));
    free(block);
    SHOW_POINTER(block, memalign(64, huge), 1);
    SHOW_POINTER(block, memalign(huge, 1), 1);
    SHOW_POINTER(block, aligned_alloc(64, huge), 1);
    SHOW_POINTER(block, aligned_alloc(64, none), 64);
    free(block);
    SHOW_POINTER(block, valloc(none), PAGE);
    free(block);
    SHOW_POINTER(block, valloc(5000), PAGE);
    fill(block, 5000);
    free(block);
    SHOW_POINTER(block, valloc(huge), 1);
    SHOW_POINTER(block, pvalloc(1), PAGE);
    SHOW_INT(malloc_usable_size(block) >= PAGE);
    fill(block, PAGE);
    free(block);
    SHOW_POINTER(block, pvalloc(huge), 1);
    SHOW_POINTER(block, pvalloc(none), PAGE);
    free(block);
}

int main(void)
{
    plain();
    zeroed();
    resized();
    aligned();
    return 0;
}
