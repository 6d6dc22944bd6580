/*
 * bring_in ITERATIONS WAY SIZE
 *
 * One operation: SIZE bytes of new memory are mapped and brought in; giving them back is not timed.
 *
 *     map          nothing but mmap: who stands behind it locks
 *     touch        every page is written
 *     mlock        mlock
 *     onfault      mlock2 on fault, then every page is written
 *     memset       nothing is mapped: memory that is resident is written, in small pages
 *     memset-huge  the same in huge pages
 */
#include "pattern.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        die("the memory cannot be mapped");
    return at;
}

static void touch(char *at, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < size; i += page)
        *(volatile char *)&at[i] = 1;
}

/* What the kernel says is locked in this process. */
static size_t locked_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long long kib = 0;
    char line[256];

    if (!status)
        die("no /proc/self/status");
    while (fgets(line, sizeof(line), status)) {
        if (strncmp(line, "VmLck:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    }
    fclose(status);
    return (size_t)kib << 10;
}

static void prove_brought_in(char *at, size_t size, bool locked)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (size + page - 1) / page;
    unsigned char *resident = calloc(pages, 1);

    if (!resident || mincore(at, size, resident))
        die("mincore does not work");
    for (size_t i = 0; i < pages; i++) {
        if (!(resident[i] & 1))
            die("not all of it was brought in");
    }
    free(resident);
    if (locked && locked_bytes() < size)
        die("not all of it was locked");
}

static bool is(const char *way, const char *name)
{
    return strcmp(way, name) == 0;
}

static uint64_t bring_in(const char *way, size_t size, bool prove)
{
    uint64_t elapsed;
    uint64_t begin = now_ns();
    char *at = map(size);

    if (is(way, "mlock") && mlock(at, size))
        die("mlock failed");
    if (is(way, "onfault") && mlock2(at, size, MLOCK_ONFAULT))
        die("mlock2 failed");
    if (is(way, "touch") || is(way, "onfault"))
        touch(at, size);
    elapsed = now_ns() - begin;
    if (prove)
        prove_brought_in(at, size, !is(way, "touch"));
    munmap(at, size);
    return elapsed;
}

static uint64_t write_resident(bool huge, size_t size, size_t iterations)
{
    char *at = map(size);
    uint64_t begin;

    madvise(at, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memset(at, 1, size);
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++)
        memset(at, (int)(i & 1), size);
    return now_ns() - begin;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    const char *way = count > 2 ? arguments[2] : "map";
    size_t size = argument(count, arguments, 3, (size_t)1 << 20);
    uint64_t elapsed = 0;

    if (is(way, "memset") || is(way, "memset-huge")) {
        elapsed = write_resident(is(way, "memset-huge"), size, iterations);
    } else {
        for (size_t i = 0; i < iterations; i++)
            elapsed += bring_in(way, size, i == 0);
    }
    print_result(elapsed, iterations);
    return 0;
}
