/*
 * mappings ITERATIONS [COUNT]
 *
 * COUNT mappings (10) of one page are there all the time. One operation: one more of 16 pages is
 * mapped, all of it written, and unmapped.
 */
#include "pattern.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 16 };

static char *map(size_t size, int protection)
{
    void *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        die("the memory cannot be mapped");
    return at;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t mappings = argument(count, arguments, 2, 10);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t begin;

    /* Neighbours that may be used in different ways stay mappings of their own. */
    for (size_t i = 0; i < mappings; i++)
        map(page, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++) {
        char *at = map(PAGES * page, PROT_READ | PROT_WRITE);

        for (size_t j = 0; j < PAGES; j++)
            *(volatile char *)&at[j * page] = 1;
        munmap(at, PAGES * page);
    }
    print_result(now_ns() - begin, iterations);
    return 0;
}
