/*
 * What a report costs in a process with so many mappings: an exec that fails for its arguments'
 * sake, which nobody but the kernel finds out, has one made before it.
 *
 *     report ITERATIONS [MAPPINGS [munlock]]
 *
 * Of the mappings every other one is twice as large; with `munlock` it is unlocked.
 */
#include "pattern.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 16 << 10 };

/* Neighbours differ in what may be done with them, or the kernel would make them one. */
static void map(size_t index, int unlock)
{
    int protection = PROT_READ | PROT_WRITE | (index & 1 ? PROT_EXEC : 0);
    size_t length = index & 1 ? 2 * SMALL : SMALL;
    char *start = mmap(NULL, length, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED)
        die("no more mappings");
    memset(start, 1, length);
    if (unlock && index & 1 && munlock(start, length))
        die("munlock failed");
}

int main(int argc, char *argv[])
{
    size_t iterations = argument(argc, argv, 1, 1);
    size_t mappings = argument(argc, argv, 2, 1000);
    int unlock = argc > 3 && strcmp(argv[3], "munlock") == 0;
    char *nowhere[] = {(char *)1, NULL};
    uint64_t begin;

    for (size_t i = 0; i < mappings; i++)
        map(i, unlock);
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++)
        if (execv("/proc/self/exe", nowhere) != -1 || errno != EFAULT)
            die("the exec did not fail as it should");
    print_result(now_ns() - begin, iterations);
    return 0;
}
