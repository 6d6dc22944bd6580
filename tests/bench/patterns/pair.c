/*
 * pair ITERATIONS [SIZE [touch]]
 *
 * One operation: malloc and free of SIZE bytes (64). With `touch` every page of the block is
 * written, as a program does that wants so large a block.
 */
#include "pattern.h"

#include <string.h>

enum { PAGE = 4096 };

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t size = argument(count, arguments, 2, 64);
    size_t touched = count > 3 && strcmp(arguments[3], "touch") == 0 ? size : 1;
    uint64_t begin = now_ns();

    for (size_t i = 0; i < iterations; i++) {
        volatile char *block = used(malloc(size));

        for (size_t at = PAGE; at < touched; at += PAGE)
            block[at] = 1;
        free((void *)block);
    }
    print_result(now_ns() - begin, iterations);
    return 0;
}
