/*
 * Grows up to its cgroup's limit while another thread looks, all the time, at how much is locked.
 *
 *     step_keeps KEPT_MIB GROWN_MIB
 *
 * Prints how much the kernel counted as locked (VmLck, KiB) at the least while it grew, and at the
 * end.
 */
#include "expect.h"

#include <pthread.h>

enum { STEP = 64 << 10 };

static long least;
static int looks;
static int over;

static void *look(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        long locked = status_kb("VmLck");

        if (locked < __atomic_load_n(&least, __ATOMIC_RELAXED))
            __atomic_store_n(&least, locked, __ATOMIC_RELAXED);
        __atomic_fetch_add(&looks, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static char *taken(size_t size)
{
    char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(start != MAP_FAILED);
    memset(start, 1, size);
    return start;
}

static size_t mebibytes(const char *argument)
{
    return strtoul(argument, NULL, 10) << 20;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t looker;

    expect(argc == 3);
    prove_loaded();
    (void)taken(mebibytes(argv[1]));
    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setstacksize(&attributes, 128 << 10) == 0);
    least = status_kb("VmLck");
    expect(pthread_create(&looker, &attributes, look, NULL) == 0);
    while (!__atomic_load_n(&looks, __ATOMIC_ACQUIRE))
        ;
    for (size_t grown = 0; grown < mebibytes(argv[2]); grown += STEP)
        (void)taken(STEP);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    expect(pthread_join(looker, NULL) == 0);
    dprintf(STDOUT_FILENO, "%ld %ld\n", least, status_kb("VmLck"));
    return 0;
}
