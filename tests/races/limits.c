/*
 * A limit comes to hold while threads allocate:
 *
 *     limits WAY ROUNDS
 *
 * WAY: setuid, capset (both give up the right to lock more than the limit), lower (the limit
 * itself, from outside, by prlimit), room (a cgroup in which there is not enough for what is mapped
 * and hardly used), advance (the same, and many threads have been told in advance that they may
 * allocate). No call fails, no byte is lost, and no more is locked than the limit from then
 * on.
 */
#include "patterns.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 4, NOBODY = 65534, PIECES = 8, WAYS = 3, MUCH = 8 << 20, LIMIT = 8 << 20 };

static volatile bool holds;
static unsigned long rounds;
static unsigned long done[THREADS];

static void *allocate(void *data)
{
    unsigned long *mine = data;
    unsigned char mark = (unsigned char)(mine - done + 1);
    unsigned long after = 0;

    for (unsigned long round = 0; after < rounds; round++) {
        pieces_turn(round * 12, 12, mark);
        after += holds;
        __atomic_store_n(mine, round + 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* By one of the ways in which a mapping comes to its size. */
static char *map_by(size_t way)
{
    const int readable = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *start;

    if (way == 0)
        return mmap(NULL, MUCH, readable, flags, -1, 0);
    start = way == 1 ? mmap(NULL, MUCH, PROT_NONE, flags, -1, 0)
                     : mmap(NULL, PAGE, readable, flags, -1, 0);
    expect(start != MAP_FAILED);
    if (way != 1)
        return mremap(start, PAGE, MUCH, MREMAP_MAYMOVE);
    expect(mprotect(start, MUCH, readable) == 0);
    return start;
}

/* Large mappings that are hardly used: locked, they would all be in memory. */
static void *map_much(void *data)
{
    unsigned long *mine = data;
    char *piece[PIECES];

    for (unsigned long round = 0; round < rounds; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            piece[i] = map_by((round + i) % WAYS);
            expect(piece[i] != MAP_FAILED);
            piece[i][i * PAGE] = (char)(i + 1);
            pieces_turn(round + i, 3, (unsigned char)i);
        }
        for (size_t i = 0; i < PIECES; i++) {
            expect(piece[i][i * PAGE] == (char)(i + 1));
            expect(munmap(piece[i], MUCH) == 0);
        }
        __atomic_store_n(mine, round + 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* -- in advance ----------------------------------------------------------------------------- */

enum { MANY = 64, BLOCK = 100 << 10, BLOCKS = 9, FILLING = 4 << 20, FILLINGS = 40 };

static pthread_barrier_t asked;
static pthread_barrier_t full;

/* One small block, for which it takes room for more; and as much as that room, when there is none
 * left, of which hardly anything is used. */
static void *allocate_late(void *data)
{
    char *volatile block = malloc(1);

    expect(block);
    (void)pthread_barrier_wait(&asked);
    (void)pthread_barrier_wait(&full);
    for (size_t i = 0; i < BLOCKS; i++) {
        block = malloc(BLOCK);
        expect(block);
        block[0] = 1;
    }
    return data;
}

static void take_in_advance(void)
{
    pthread_t threads[MANY];
    pthread_attr_t little;

    expect(pthread_attr_init(&little) == 0);
    expect(pthread_attr_setstacksize(&little, 64 << 10) == 0);
    expect(pthread_barrier_init(&asked, NULL, MANY + 1) == 0);
    expect(pthread_barrier_init(&full, NULL, MANY + 1) == 0);
    for (size_t i = 0; i < MANY; i++)
        expect(pthread_create(&threads[i], &little, allocate_late, NULL) == 0);
    (void)pthread_barrier_wait(&asked);
    for (size_t i = 0; i < FILLINGS; i++) {
        char *filling =
            mmap(NULL, FILLING, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        expect(filling != MAP_FAILED);
        filling[0] = 1;
    }
    (void)pthread_barrier_wait(&full);
    for (size_t i = 0; i < MANY; i++)
        expect(pthread_join(threads[i], NULL) == 0);
    dprintf(STDOUT_FILENO, "COUNT: %d threads that had been told in advance\n", MANY);
}

/* -- how a limit comes to hold --------------------------------------------------------------- */

static void by_capset(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    int (*set)(cap_user_header_t, const cap_user_data_t);

    *(void **)&set = dlsym(RTLD_DEFAULT, "capset");
    expect(set && syscall(SYS_capget, &header, data) == 0);
    data[0].effective &= ~(1U << CAP_IPC_LOCK);
    data[0].permitted &= ~(1U << CAP_IPC_LOCK);
    expect(set(&header, data) == 0);
}

/* Of this process, by another one. */
static void from_outside(void)
{
    const struct rlimit little = {LIMIT / 2, LIMIT / 2};
    pid_t parent = getpid();
    int status = -1;
    pid_t other = fork();

    if (other == 0)
        _exit(syscall(SYS_prlimit64, parent, RLIMIT_MEMLOCK, &little, NULL) ? 1 : 0);
    expect(other > 0 && waitpid(other, &status, 0) == other);
    expect_equal(status, 0);
}

static void make_it_hold(const char *way)
{
    if (strcmp(way, "setuid") == 0)
        expect(setuid(NOBODY) == 0);
    else if (strcmp(way, "capset") == 0)
        by_capset();
    else if (strcmp(way, "lower") == 0)
        from_outside();
    else
        expect(strcmp(way, "room") == 0);
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    unsigned long total = 0;
    bool room;

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    expect(count == 3);
    if (strcmp(arguments[1], "advance") == 0) {
        take_in_advance();
        return 0;
    }
    room = strcmp(arguments[1], "room") == 0;
    rounds = strtoul(arguments[2], NULL, 10);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_create(&threads[i], NULL, room ? map_much : allocate, &done[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        while (__atomic_load_n(&done[i], __ATOMIC_RELAXED) < 1)
            (void)sched_yield();
    make_it_hold(arguments[1]);
    holds = true;
    for (size_t i = 0; i < THREADS; i++) {
        expect(pthread_join(threads[i], NULL) == 0);
        total += done[i];
    }
    if (!room && strcmp(arguments[1], "lower") != 0 && status_kb("VmLck") > LIMIT >> 10)
        end_with_1("%ld kB are locked\n", status_kb("VmLck"));
    dprintf(STDOUT_FILENO, "COUNT: %lu rounds of threads around a limit that comes to hold\n",
            total);
    return 0;
}
