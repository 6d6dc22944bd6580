/*
 * Makes a known number of calls in 8 threads, and prints how many of each it made.
 *
 *     known_calls all N               every function whose call makes no other call that is counted
 *     known_calls fork|dlopen|pthread_create N
 *     known_calls signals N           mappings in a signal handler that interrupts the hooks
 *     known_calls short N             4,400 short threads, each with N calls, and N as it ends
 */
#include "expect.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

enum { THREADS = 8 };

extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));

/* Which row of the report's "calls" a function belongs to, and how often it was called. */
/* clang-format off */
#define ROWS                                                                                       \
    ROW(malloc) ROW(calloc) ROW(realloc) ROW(free) ROW(memalign) ROW(malloc_usable_size)           \
    ROW(mmap) ROW(munmap) ROW(mremap) ROW(mprotect) ROW(madvise) ROW(brk) ROW(shmat) ROW(shmdt)    \
    ROW(pthread_create) ROW(dlopen) ROW(fork) ROW(mlock) ROW(munlock) ROW(mlockall) ROW(munlockall)

#define ROW(name) static long count_of_##name;
ROWS
#undef ROW
/* clang-format on */

#define DO(name, call) (__atomic_fetch_add(&count_of_##name, 1, __ATOMIC_RELAXED), (call))

    static long times;
static int segment;

static void *with_every_function(void *unused)
{
    for (long i = 0; i < times; i++) {
        void *block = DO(malloc, malloc(100));
        void *second = NULL;
        char *page;
        void *attached;

        DO(malloc_usable_size, malloc_usable_size(block));
        block = DO(realloc, realloc(block, 1000));
        block = DO(realloc, reallocarray(block, 10, 20));
        DO(free, free(block));
        block = DO(calloc, calloc(3, 5));
        DO(free, free_sized(used(block), 15));
        block = DO(memalign, memalign(64, 10));
        DO(free, free(used(block)));
        block = DO(memalign, aligned_alloc(64, 64));
        DO(free, free_aligned_sized(used(block), 64, 64));
        expect(DO(memalign, posix_memalign(&second, 64, 10)) == 0);
        DO(free, free(second));
        block = DO(memalign, valloc(10));
        DO(free, free(used(block)));
        block = DO(memalign, pvalloc(10));
        DO(free, free(used(block)));
        DO(free, free(NULL));

        page = DO(mmap, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        expect(page != MAP_FAILED);
        expect(DO(mprotect, mprotect(page, PAGE, PROT_READ | PROT_WRITE)) == 0);
        expect(DO(madvise, madvise(page, PAGE, MADV_NORMAL)) == 0);
        (void)DO(mlock, mlock(page, PAGE));
        (void)DO(mlock, mlock2(page, PAGE, 1));
        expect(DO(munlock, munlock(page, PAGE)) == 0);
        page = DO(mremap, mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
        expect(page != MAP_FAILED);
        expect(DO(munmap, munmap(page, 2 * PAGE)) == 0);
        page = DO(mmap, mmap64(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        expect(DO(munmap, munmap(page, PAGE)) == 0);
        /* Failures are calls too. */
        expect(DO(mmap, mmap(NULL, 0, 0, 0, -1, 0)) == MAP_FAILED);

        (void)DO(brk, sbrk(0));
        (void)DO(brk, brk((void *)UINTPTR_MAX));
        attached = DO(shmat, shmat(segment, NULL, 0));
        (void)DO(shmdt, shmdt(attached));
        if (i % 10 == 0) {
            (void)DO(mlockall, mlockall(0));
            (void)DO(munlockall, munlockall());
        }
    }
    return unused;
}

static void *with_fork(void *unused)
{
    for (long i = 0; i < times; i++) {
        pid_t child = DO(fork, fork());
        int status = -1;

        if (child == 0)
            _exit(0);
        expect(waitpid(child, &status, 0) == child && status == 0);
    }
    return unused;
}

static void *with_dlopen(void *unused)
{
    for (long i = 0; i < times; i++)
        expect(DO(dlopen, dlopen("libc.so.6", RTLD_NOW)));
    return unused;
}

static void *nothing(void *unused)
{
    return unused;
}

static void *with_threads(void *unused)
{
    for (long i = 0; i < times; i++) {
        pthread_t thread;

        expect(DO(pthread_create, pthread_create(&thread, NULL, nothing, NULL)) == 0);
        expect(pthread_join(thread, NULL) == 0);
    }
    return unused;
}

static void in_eight_threads(void *(*routine)(void *))
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        expect(DO(pthread_create, pthread_create(&thread[i], NULL, routine, NULL)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(thread[i], NULL) == 0);
}

/* -- signals -------------------------------------------------------------------------------- */

static volatile bool handled_enough;
static long handled;

static void map_a_page(int signal_number)
{
    char *page = DO(mmap, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    (void)signal_number;
    expect(page != MAP_FAILED);
    expect(DO(mprotect, mprotect(page, PAGE, PROT_NONE)) == 0);
    expect(DO(munmap, munmap(page, PAGE)) == 0);
    if (__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED) >= times)
        handled_enough = true;
}

/* Is interrupted in its hooks, the first of each thread included. */
static void *be_interrupted(void *unused)
{
    do {
        void *block = DO(malloc, malloc(50));
        char *page;

        expect(block);
        DO(free, free(used(block)));
        page = DO(mmap, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        expect(page != MAP_FAILED);
        expect(DO(madvise, madvise(page, PAGE, MADV_NORMAL)) == 0);
        expect(DO(munmap, munmap(page, PAGE)) == 0);
    } while (!handled_enough);
    return unused;
}

static void with_signals(void)
{
    struct sigaction action = {.sa_handler = map_a_page, .sa_flags = SA_RESTART};
    pthread_t thread[2];

    handled_enough = times == 0;
    expect(sigaction(SIGUSR1, &action, NULL) == 0);
    for (size_t i = 0; i < 2; i++)
        expect(DO(pthread_create, pthread_create(&thread[i], NULL, be_interrupted, NULL)) == 0);
    while (!handled_enough) {
        for (size_t i = 0; i < 2; i++)
            expect(pthread_kill(thread[i], SIGUSR1) == 0);
        /* Who holds a lock must come to run, where there are few processors. */
        sched_yield();
    }
    for (size_t i = 0; i < 2; i++)
        expect(pthread_join(thread[i], NULL) == 0);
}

/* -- short threads -------------------------------------------------------------------------- */

static pthread_key_t key;
static pthread_barrier_t all_live;

/* Runs when the thread ends, after the library's own end of it or before. */
static void last_words(void *block)
{
    free(block);
    for (long i = 0; i < times; i++)
        DO(free, free(used(DO(calloc, calloc(1, 30)))));
}

static void *live_shortly(void *unused)
{
    /* All of them at a time, so that there is a stack for each from the beginning. */
    pthread_barrier_wait(&all_live);
    expect(pthread_setspecific(key, malloc(10)) == 0);
    for (long i = 0; i < times; i++)
        DO(free, free(used(DO(malloc, malloc(30)))));
    return unused;
}

static void with_short_threads(long count)
{
    for (long i = 0; i < count; i += THREADS)
        in_eight_threads(live_shortly);
}

static void check_short_threads(void)
{
    long size_kb;

    expect(mallopt(M_ARENA_MAX, 1) == 1);
    expect(pthread_key_create(&key, last_words) == 0);
    expect(pthread_barrier_init(&all_live, NULL, THREADS) == 0);
    /* libc's stacks first: what comes later must find everything there. */
    with_short_threads(400);
    size_kb = status_kb("VmSize");
    with_short_threads(4000);
    if (status_kb("VmSize") > size_kb + 512)
        end_with_1("grown from %ld to %ld kB\n", size_kb, status_kb("VmSize"));
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    prove_loaded();
    expect(argc == 3);
    times = strtol(argv[2], NULL, 10);
    segment = shmget(IPC_PRIVATE, PAGE, 0600);
    if (strcmp(what, "all") == 0)
        in_eight_threads(with_every_function);
    else if (strcmp(what, "fork") == 0)
        in_eight_threads(with_fork);
    else if (strcmp(what, "dlopen") == 0)
        in_eight_threads(with_dlopen);
    else if (strcmp(what, "pthread_create") == 0)
        in_eight_threads(with_threads);
    else if (strcmp(what, "signals") == 0)
        with_signals();
    else if (strcmp(what, "short") == 0)
        check_short_threads();
    else
        expect(false);
    (void)shmctl(segment, IPC_RMID, NULL);

#define ROW(name) dprintf(STDOUT_FILENO, "%s %ld\n", #name, count_of_##name);
    ROWS;
#undef ROW
    return 0;
}
