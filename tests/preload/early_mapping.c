/* A library that maps before ours is there, past every hook: more than fits into a cgroup. */
#include <stdlib.h>
#include <unistd.h>

static void __attribute__((constructor)) map(void)
{
    size_t size = (size_t)sysconf(_SC_PHYS_PAGES) / 4 * 3 * (size_t)sysconf(_SC_PAGESIZE);
    static void *volatile block;

    block = malloc(size);
    (void)block;
}
