/*
 * beside ITERATIONS [LIVE]
 *
 * LIVE blocks (1,000) of 64 bytes are there all the time. One operation: malloc and free of one
 * more.
 */
#include "pattern.h"

enum { SIZE = 64 };

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t live = argument(count, arguments, 2, 1000);
    void **blocks = calloc(live, sizeof(*blocks));
    uint64_t begin;

    if (!blocks)
        die("out of memory");
    for (size_t i = 0; i < live; i++)
        blocks[i] = used(malloc(SIZE));
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++)
        free(used(malloc(SIZE)));
    print_result(now_ns() - begin, iterations);
    for (size_t i = 0; i < live; i++)
        free(blocks[i]);
    free(blocks);
    return 0;
}
