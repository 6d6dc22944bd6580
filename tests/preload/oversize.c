/*
 * Takes far more address space than there is memory, in one way, and uses a little of it.
 *
 *     sparse WAY
 *
 * Afterwards small allocations are what they were. Prints the largest VmLck and VmRSS in KiB.
 */
#include "expect.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/shm.h>

static const size_t TERABYTE = (size_t)(UINT64_C(1) << 40);
static const size_t HUGE_RESERVATION = (size_t)(UINT64_C(200) << 30);

static const int rw = PROT_READ | PROT_WRITE;
static const int anon = MAP_PRIVATE | MAP_ANONYMOUS;

static void touch(char *start, size_t length)
{
    expect(start && start != MAP_FAILED);
    for (size_t at = 0; at < length; at += length / 8)
        start[at] = 7;
    for (size_t at = 0; at < length; at += length / 8)
        expect(start[at] == 7);
}

/* The most that the machine promises by default is all of its memory, for one mapping. */
static size_t much(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) / 4 * 3 * PAGE;
}

/* Where the machine does not promise that much, the program does without as well. */
static void *had(void *block)
{
    if (!block || block == MAP_FAILED)
        skip("the machine does not promise that much memory");
    return block;
}

static void need_address_space(void)
{
    if (sizeof(size_t) < 8)
        skip("a program of 32 bits has no such address space");
}

static void reservation(void)
{
    need_address_space();
    touch(mmap(NULL, TERABYTE, rw, anon | MAP_NORESERVE, -1, 0), TERABYTE);
}

static void shared_file(void)
{
    char name[] = "/tmp/autolock_sparse.XXXXXX";
    char *start;
    int fd;

    need_address_space();
    fd = mkstemp(name);
    expect(fd >= 0 && unlink(name) == 0);
    if (ftruncate(fd, (off_t)TERABYTE))
        skip("no file of a terabyte can be made here");
    start = mmap(NULL, TERABYTE, rw, MAP_SHARED, fd, 0);
    touch(start, TERABYTE);
    expect(munmap(start, TERABYTE) == 0);
}

static void by_malloc(void)
{
    touch(had(malloc(much())), much());
}

static void by_calloc(void)
{
    touch(had(calloc(much() / 8, 8)), much());
}

static void by_realloc(void)
{
    char *block = malloc(1 << 20);

    expect(block);
    memset(block, 5, 1 << 20);
    block = had(realloc(block, much()));
    expect(block[0] == 5 && block[(1 << 20) - 1] == 5);
    touch(block, much());
}

static void by_memalign(void)
{
    touch(had(memalign(1 << 21, much())), much());
}

static void by_mremap(void)
{
    char *start = mmap(NULL, 1 << 20, rw, anon, -1, 0);

    expect(start != MAP_FAILED);
    memset(start, 5, 1 << 20);
    start = had(mremap(start, 1 << 20, much(), MREMAP_MAYMOVE));
    expect(start[0] == 5 && start[(1 << 20) - 1] == 5);
    touch(start, much());
}

static void by_mprotect(void)
{
    char *start;

    need_address_space();
    start = mmap(NULL, HUGE_RESERVATION, PROT_NONE, anon | MAP_NORESERVE, -1, 0);
    expect(start != MAP_FAILED && mprotect(start, HUGE_RESERVATION, rw) == 0);
    touch(start, HUGE_RESERVATION);
}

/* As V8 has its large pages: each is somewhere else, and the one before is gone. */
static void random_places(void)
{
    const size_t length = (size_t)256 << 10;
    uint64_t random = UINT64_C(88172645463325252);

    need_address_space();
    for (size_t i = 0; i < 12000; i++) {
        char *start;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        start =
            mmap((void *)(uintptr_t)(random & UINT64_C(0x3ffffffff000)), length, rw, anon, -1, 0);
        expect(start != MAP_FAILED);
        start[0] = 7;
        expect(munmap(start, length) == 0);
    }
}

/* What the cgroup of these tests has, twice. */
static void twice(void)
{
    touch(mmap(NULL, (size_t)1 << 30, rw, anon, -1, 0), (size_t)1 << 30);
}

/* -- what is mapped and hardly touched, in a cgroup that has not much more -----------------------
 */

static const size_t HALF = (size_t)25 << 20; /* of the limit, or nearly */

static const size_t LITTLE = (size_t)512 << 10;

static char *map_little(void)
{
    char *start = mmap(NULL, LITTLE, rw, anon, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

static void fill_some(char *start)
{
    expect(start && start != MAP_FAILED);
    memset(start, 7, HALF / 2);
}

static void two_mapped(void)
{
    char *one = mmap(NULL, HALF, rw, anon, -1, 0);

    fill_some(mmap(NULL, HALF, rw, anon, -1, 0));
    fill_some(one);
}

static void two_written(void)
{
    char *one = mmap(NULL, HALF, rw, anon, -1, 0);
    char *other = mmap(NULL, HALF, rw, anon, -1, 0);

    expect(one != MAP_FAILED && other != MAP_FAILED);
    memset(one, 7, HALF);
    memset(other, 7, HALF);
    for (size_t at = 0; at < HALF; at += PAGE)
        expect(one[at] == 7 && other[at] == 7);
}

static void two_allocated(void)
{
    char *one = malloc(HALF);

    fill_some(malloc(HALF));
    fill_some(one);
}

static void two_grown(void)
{
    char *one = map_little();
    char *other = map_little();

    one = mremap(one, LITTLE, HALF, MREMAP_MAYMOVE);
    other = mremap(other, LITTLE, HALF, MREMAP_MAYMOVE);
    fill_some(other);
    fill_some(one);
}

/* What is one mapping to the kernel, and of which we have locked each half in another way; the
 * program has locked a page of its own elsewhere. */
static void neighbours_moved(void)
{
    char *both = mmap(NULL, HALF + LITTLE, PROT_NONE, anon, -1, 0);

    expect(both != MAP_FAILED && mlock(map_little(), PAGE) == 0);
    expect(munmap(both, HALF + LITTLE) == 0);
    expect(mmap(both + HALF, LITTLE, rw, anon | MAP_FIXED, -1, 0) == both + HALF);
    expect(mmap(both, HALF, rw, anon | MAP_FIXED, -1, 0) == both);
    fill_some(both);
    both = mremap(both, HALF + LITTLE, HALF + 2 * LITTLE, MREMAP_MAYMOVE);
    expect(both != MAP_FAILED && both[0] == 7);
}

/* By steps that are small each. */
static void two_grown_slowly(void)
{
    char *both[2] = {map_little(), map_little()};

    for (size_t i = 0; i < 2; i++)
        for (size_t length = LITTLE; length < HALF; length += LITTLE)
            expect((both[i] = mremap(both[i], length, length + LITTLE, MREMAP_MAYMOVE)) !=
                   MAP_FAILED);
    fill_some(both[0]);
    fill_some(both[1]);
}

static void two_reallocated(void)
{
    char *one = realloc(malloc(LITTLE), HALF);

    fill_some(realloc(malloc(LITTLE), HALF));
    fill_some(one);
}

static void heap_moved(void)
{
    char *one = sbrk((intptr_t)HALF);

    if (one == (char *)-1)
        skip("this libc lets nobody but its allocator move the heap's end");
    fill_some(sbrk((intptr_t)HALF));
    fill_some(one);
}

static void two_attached(void)
{
    int id[] = {shmget(IPC_PRIVATE, HALF, IPC_CREAT | 0600),
                shmget(IPC_PRIVATE, HALF, IPC_CREAT | 0600)};
    char *start[2];

    for (size_t i = 0; i < 2; i++) {
        start[i] = shmat(id[i], NULL, 0);
        expect(shmctl(id[i], IPC_RMID, NULL) == 0 && start[i] != (char *)-1);
    }
    fill_some(start[1]);
    fill_some(start[0]);
}

static void two_opened(void)
{
    char *both = mmap(NULL, 2 * HALF, PROT_NONE, anon, -1, 0);

    expect(both != MAP_FAILED);
    expect(mprotect(both, HALF, rw) == 0 && mprotect(both + HALF, HALF, rw) == 0);
    fill_some(both);
    fill_some(both + HALF);
}

static void file_and_memory(void)
{
    char name[] = "/tmp/autolock_sparse.XXXXXX";
    int fd = mkstemp(name);
    char *start;

    expect(fd >= 0 && unlink(name) == 0 && ftruncate(fd, (off_t)HALF) == 0);
    start = mmap(NULL, HALF, rw, MAP_SHARED, fd, 0);
    expect(start != MAP_FAILED);
    fill_some(mmap(NULL, HALF, rw, anon, -1, 0));
}

static void *wait_at(void *barrier)
{
    (void)pthread_barrier_wait(barrier);
    return NULL;
}

/* Their stacks are more than the cgroup has. */
static void many_threads(void)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;

    expect(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_create(&threads[i], NULL, wait_at, &barrier) == 0);
    fill_some(mmap(NULL, HALF / 2, rw, anon, -1, 0));
    (void)pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(threads[i], NULL) == 0);
}

static const struct {
    const char *name;
    void (*use)(void);
    bool leaves_no_room;
} ways[] = {{"reservation", reservation, false},
            {"shared_file", shared_file, false},
            {"malloc", by_malloc, false},
            {"calloc", by_calloc, false},
            {"realloc", by_realloc, false},
            {"memalign", by_memalign, false},
            {"mremap", by_mremap, false},
            {"mprotect", by_mprotect, false},
            {"twice", twice, false},
            {"random_places", random_places, false},
            {"two_mapped", two_mapped, true},
            {"two_written", two_written, true},
            {"two_allocated", two_allocated, true},
            {"two_grown", two_grown, true},
            {"two_grown_slowly", two_grown_slowly, true},
            {"two_reallocated", two_reallocated, true},
            {"neighbours_moved", neighbours_moved, true},
            {"heap_moved", heap_moved, true},
            {"two_attached", two_attached, true},
            {"two_opened", two_opened, true},
            {"file_and_memory", file_and_memory, true},
            {"many_threads", many_threads, true}};

static void still_locked(void)
{
    char *mapping = mmap(NULL, 1 << 20, rw, anon, -1, 0);
    char *block = malloc(3000);

    expect(block && mapping != MAP_FAILED);
    memset(block, 1, 3000);
    if (!library_loaded())
        return;
    expect(is_locked(mapping));
    expect(is_locked(block) && is_locked(block + 2999));
}

int main(int argc, char **argv)
{
    expect(argc > 1);
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) != 0)
            continue;
        ways[i].use();
        if (!ways[i].leaves_no_room)
            still_locked();
        dprintf(STDOUT_FILENO, "%ld %ld\n", status_kb("VmLck"), status_kb("VmHWM"));
        return 0;
    }
    end_with_1("no way %s\n", argv[1]);
}
