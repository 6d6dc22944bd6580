/*
 * Blocks that were allocated while the library was still looking for the real functions are
 * ordinary blocks: they can be measured, resized and freed.
 */
#include "expect.h"

#include <malloc.h>

enum { BLOCKS = 64 };

struct early_block {
    char *block;
    size_t size;
    int kind;
};

static bool all(const char *block, size_t size, int value)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != (char)value)
            return false;
    return true;
}

int main(void)
{
    struct early_block *early = dlsym(RTLD_DEFAULT, "early_blocks");
    const size_t *count = dlsym(RTLD_DEFAULT, "early_block_count");

    prove_loaded();
    expect(early && count && *count >= 10);
    for (size_t i = 0; i < *count; i++)
        expect(malloc_usable_size(early[i].block) >= early[i].size);
    for (size_t i = 0; i < *count; i++) {
        char *block = early[i].block;
        size_t size = early[i].size;

        expect(all(block, size, (int)i + 1));
        switch (i % 4) {
        case 0: /* grow, twice */
            block = realloc(block, size + 10000);
            expect(block && all(block, size, (int)i + 1));
            block = realloc(block, size + 100000);
            expect(block && all(block, size, (int)i + 1));
            free(block);
            break;
        case 1: /* shrink */
            block = reallocarray(block, 1, size / 2 + 1);
            expect(block && all(block, size / 2 + 1, (int)i + 1));
            free(block);
            break;
        case 2:
            free(block);
            break;
        default: /* realloc to 0 frees */
            errno = ERRNO_UNTOUCHED;
            expect(realloc(block, 0) == NULL);
            expect_equal(errno, ERRNO_UNTOUCHED);
        }
    }
    /* None of the blocks is handed out again as if it came from the real heap. */
    for (size_t i = 0; i < 1000; i++)
        free(used(malloc(i)));
    return 0;
}
