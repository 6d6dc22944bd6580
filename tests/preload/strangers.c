/*
 * Allocates a little, uses it and tells what it read back. Built plainly, with sanitizers, and
 * (with OWN_ALLOCATOR) with an allocator of its own, which takes its memory by mmap.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(OWN_ALLOCATOR)
#    include <sys/mman.h>

void *malloc(size_t size)
{
    size_t *block = mmap(NULL, size + sizeof(size_t) * 2, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (block == MAP_FAILED)
        return NULL;
    *block = size;
    return block + 2;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    size_t old_size = block ? ((size_t *)block)[-2] : 0;

    if (moved && block)
        memcpy(moved, block, old_size < size ? old_size : size);
    return moved;
}
#endif

enum { BLOCKS = 64, BYTES = 16384 };

int main(void)
{
    long sum = 0;

    for (int i = 0; i < BLOCKS; i++) {
        char *block = malloc(BYTES);

        if (!block)
            return 1;
        memset(block, i, BYTES);
        sum += block[BYTES - 1];
        free(block);
    }
    printf("%ld\n", sum);
    return 3;
}
