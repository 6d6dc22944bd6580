/*
 * Has the library lock, unlock and ask, first with one thread, then with another that only waits;
 * it makes no such call itself but N of madvise.
 *
 *     locking_work N          N mappings that come and stay, N that go, blocks of all sizes
 *     locking_work N fork     the same, and then a child that ends at once
 *     locking_work clock      reads the clock as the library does
 */
#include "expect.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <time.h>

enum { LENGTH = 5 * PAGE, QUICK = 100000 };

static char *map(void)
{
    char *mapping = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(mapping != MAP_FAILED);
    return mapping;
}

static void use_mappings(void)
{
    char *mapping = map();

    expect(mprotect(map(), LENGTH, PROT_READ) == 0);
    /* Of locked memory the kernel refuses that. */
    expect(madvise(mapping, LENGTH, MADV_DONTNEED) == 0);
    expect(munmap(mapping, LENGTH) == 0);
}

/* Up to 300 KB: in the heap, and in mappings of their own. */
static void use_blocks(long times)
{
    for (long i = 0; i < times; i++) {
        char *block = malloc((size_t)(i * 7919 % 300000));

        expect(block);
        block = realloc(used(block), (size_t)(i * 104729 % 300000 + 1));
        expect(block);
        free(block);
    }
}

/* So many that their pages are given back. */
static void use_much(void)
{
    enum { BLOCKS = 100, SIZE = 100000 };
    static char *blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        expect(blocks[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(used(blocks[i]));
}

/* Its page is locked once. */
static void use_one_page(void)
{
    for (unsigned i = 0; i < QUICK; i++)
        free(used(malloc(64)));
}

static sem_t has_begun;

/* By then the library has done with its stack. */
static void *wait_for_the_end(void *unused)
{
    expect(sem_post(&has_begun) == 0);
    for (;;)
        pause();
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t waiting;
    struct timespec now;
    long times;

    expect(argc >= 2);
    if (strcmp(argv[1], "clock") == 0)
        return clock_gettime(CLOCK_MONOTONIC, &now);
    prove_loaded();
    times = strtol(argv[1], NULL, 10);
    for (long i = 0; i < times; i++)
        use_mappings();
    use_blocks(times);
    expect(pthread_create(&waiting, NULL, wait_for_the_end, NULL) == 0);
    while (sem_wait(&has_begun) != 0)
        expect(errno == EINTR);
    use_blocks(times);
    use_much();
    use_one_page();
    if (argc > 2 && fork() == 0)
        exit(0);
    while (argc > 2 && wait(NULL) < 0)
        expect(errno == EINTR);
    return 0;
}
