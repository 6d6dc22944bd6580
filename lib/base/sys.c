#include "sys.h"

#include <sys/auxv.h>
#include <time.h>

size_t al_page_size(void)
{
    static size_t size;
    size_t known = __atomic_load_n(&size, __ATOMIC_RELAXED);

    if (!known) {
        known = getauxval(AT_PAGESZ);
        if (!known)
            known = 4096;
        __atomic_store_n(&size, known, __ATOMIC_RELAXED);
    }
    return known;
}

uint64_t al_now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now))
        return 0;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
