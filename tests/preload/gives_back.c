/*
 * Takes and frees as many small blocks as make MIB, so that the heap's end goes back, and ends
 * without another allocation:
 *
 *     gives_back MIB
 */
#include "expect.h"

enum { SIZE = 1000, MOST = 1 << 15 };

static char *blocks[MOST];

int main(int argc, char **argv)
{
    size_t count = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * (1 << 20) / SIZE;
    long before;

    expect(count < MOST);
    for (size_t i = 0; i < count; i++) {
        blocks[i] = malloc(SIZE);
        expect(blocks[i] != NULL);
    }
    before = syscall(SYS_brk, 0); /* the library is not asked */
    /* The first ones stay in a thread's cache; it must not be the highest. */
    for (size_t i = 0; i < count; i++)
        free(blocks[i]);
    if (syscall(SYS_brk, 0) >= before)
        _exit(77); /* the allocator keeps it */
    _exit(0);
}
