/*
 * churn ITERATIONS [LIVE [LARGEST [vmas]]]
 *
 * LIVE blocks (20,000) of 16 to LARGEST bytes (1040) are there all the time. One operation: free a
 * random one and allocate another, of another size, in its place. With `vmas` the number of the
 * kernel's mappings of the process is printed afterwards, not the time.
 */
#include "pattern.h"

enum { SMALLEST = 16 };

static uint64_t random_state = 88172645463325252;

static void *new_block(size_t largest)
{
    uint64_t span = largest - SMALLEST + 1;

    return used(malloc(SMALLEST + (size_t)((next_random(&random_state) >> 32) % span)));
}

static void replace_one(void **blocks, size_t live, size_t largest)
{
    size_t index = (size_t)((next_random(&random_state) >> 16) % live);

    free(blocks[index]);
    blocks[index] = new_block(largest);
}

static unsigned mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned lines = 0;

    if (!maps)
        die("no /proc/self/maps");
    for (int c; (c = getc(maps)) != EOF;)
        lines += c == '\n';
    fclose(maps);
    return lines;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t live = argument(count, arguments, 2, 20000);
    size_t largest = argument(count, arguments, 3, 1040);
    void **blocks = calloc(live, sizeof(*blocks));
    uint64_t begin;

    if (largest < SMALLEST)
        die("LARGEST is at least 16");
    if (!blocks)
        die("out of memory");
    for (size_t i = 0; i < live; i++)
        blocks[i] = new_block(largest);
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++)
        replace_one(blocks, live, largest);
    if (count > 4)
        printf("%u\n", mappings());
    else
        print_result(now_ns() - begin, iterations);
    for (size_t i = 0; i < live; i++)
        free(blocks[i]);
    free(blocks);
    return 0;
}
