/*
 * Under a memlock limit that the library has used up: what the program does is as without it.
 *
 *     limited SCENARIO
 */
#include "expect.h"

#include <pthread.h>
#include <sys/wait.h>

enum { MUCH = 16 << 20, OWN = 4 << 20 };

static const int rw = PROT_READ | PROT_WRITE;
static const int anon = MAP_PRIVATE | MAP_ANONYMOUS;

static void stays_below_the_limit(void)
{
    struct rlimit limit;

    expect(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    expect((rlim_t)status_kb("VmLck") * 1024 <= limit.rlim_cur);
}

static char *map(size_t length, int flags)
{
    char *start = mmap(NULL, length, rw, flags, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

static void use_up(void)
{
    memset(map(MUCH, anon), 1, MUCH);
    if (library_loaded())
        expect(status_kb("VmLck") > 6 << 10);
    stays_below_the_limit();
}

static void order(void)
{
    char *block = malloc(100);
    int here = 0;

    use_up();
    expect(is_locked((void *)order) && is_locked((void *)strlen) && is_locked(used(block)));
    expect(!is_locked(&here)); /* it has to grow */
}

static int deep(int levels)
{
    volatile char frame[4096];

    memset((void *)frame, levels, sizeof(frame));
    return levels ? deep(levels - 1) + frame[7] : 0;
}

/* Whoever wants to know how deep he may go reads the list of mappings, by himself or by libc. */
static void expect_stack_size(void)
{
    pthread_attr_t attributes;
    struct rlimit limit;
    void *start;
    size_t size;

    expect(getrlimit(RLIMIT_STACK, &limit) == 0);
    expect(pthread_getattr_np(pthread_self(), &attributes) == 0);
    expect(pthread_attr_getstack(&attributes, &start, &size) == 0);
#if defined(__GLIBC__)
    expect(limit.rlim_cur == RLIM_INFINITY || size >= limit.rlim_cur - ((size_t)1 << 20));
#endif
    expect(pthread_attr_destroy(&attributes) == 0);
}

static void stack_size(void)
{
    int here = 0;

    use_up();
    expect_stack_size();
    expect(!is_locked(&here));
}

/* Without a limit: what has grown since is as locked as the rest. */
static void stack_size_in_a_child(void)
{
    int status = -1;
    pid_t child;
    int here = 0;

    expect(deep((3 << 20) / 4096) != 12345);
    child = fork();
    if (child == 0) {
        expect_stack_size();
        expect(!library_loaded() || is_locked(&here));
        _exit(0);
    }
    expect(child > 0 && waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

static void own_mlock(void)
{
    char *start = map(OWN, anon);

    use_up();
    expect(mlock(start, OWN) == 0 && is_locked(start) && is_locked(start + OWN - 1));
    use_up();
    expect(is_locked(start) && is_locked(start + OWN - 1));
}

static void own_mlock2(void)
{
    char *start = map(OWN, anon);

    use_up();
    expect(mlock2(start, OWN, 1) == 0 && is_locked(start) && is_locked(start + OWN - 1));
    stays_below_the_limit();
}

static void own_map_locked(void)
{
    char *start;

    use_up();
    start = map(OWN, anon | MAP_LOCKED);
    expect(is_locked(start) && is_locked(start + OWN - 1));
    stays_below_the_limit();
}

static void own_mlock_grows(void)
{
    char *start = map(OWN / 4, anon);

    expect(mlock(start, OWN / 4) == 0);
    use_up();
    start = mremap(start, OWN / 4, OWN / 2, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED && is_locked(start) && is_locked(start + OWN / 2 - 1));
    stays_below_the_limit();
}

/* Neither of them fits without what we have. */
static void grows_beside_own_mlock(void)
{
    char *own = map(4 * MUCH, anon | MAP_NORESERVE);
    char *start;

    expect(mlock(own, OWN) == 0);
    start = map(OWN / 4, anon);
    start = mremap(start, OWN / 4, OWN, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED);
    expect(is_locked(own) && is_locked(own + OWN - 1));
    stays_below_the_limit();
}

static void secret_memory(void)
{
    int fd = (int)syscall(447 /* memfd_secret, Linux 5.14 */, 0);
    char *start;

    if (fd < 0)
        skip("the kernel has no secret memory");
    use_up();
    expect(ftruncate(fd, OWN / 4) == 0);
    start = mmap(NULL, OWN / 4, rw, MAP_SHARED, fd, 0);
    expect(start != MAP_FAILED);
    start[0] = 1;
    stays_below_the_limit();
}

/* All that exists does not fit, with the library or without. */
static void own_mlockall(void)
{
    use_up();
    errno = 0;
    expect(mlockall(1) == -1 && errno == ENOMEM);
    expect(munlockall() == 0);
    expect(malloc(MUCH));
}

static void own_mlockall_future(void)
{
    char *start;

    use_up();
    expect(mlockall(2) == 0);
    start = map(OWN, anon);
    expect(is_locked(start) && is_locked(start + OWN - 1));
    stays_below_the_limit();
}

static void without_reserve(void)
{
    enum { RESERVATION = 64 << 20, LOOKED_AT = 16 << 20 };
    char *start = map(RESERVATION, anon | MAP_NORESERVE);

    expect(!is_locked(start));
    expect_equal(resident_pages(start, LOOKED_AT), 0);
}

static void grows_down(void)
{
    enum { ROOM = 64 << 20, SMALL = 4 * PAGE, GROWTH = 6 << 20 };
    char *room;
    char *start;

    use_up();
    room = mmap(NULL, ROOM, PROT_NONE, anon, -1, 0);
    expect(room != MAP_FAILED && munmap(room, ROOM) == 0);
    start = mmap(room + ROOM - SMALL, SMALL, rw, anon | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    expect(start != MAP_FAILED);
    for (size_t below = 0; below < GROWTH; below += PAGE)
        *(volatile char *)(start - below) = 1;
    stays_below_the_limit();
}

static void stack(void)
{
    use_up();
    expect(deep((6 << 20) / 4096) != 12345);
    stays_below_the_limit();
}

static void *look_at_stack(void *unused)
{
    char here = 1;

    if (library_loaded() && !getenv("AUTOLOCK_FLAGS") &&
        strcmp(getenv("AUTOLOCK_MODE"), "all") == 0)
        expect(is_locked(&here));
    expect(!is_locked(&here - (2 << 20)));
    expect(deep((6 << 20) / 4096) != 12345);
    stays_below_the_limit();
    return unused;
}

static void thread_stack(void)
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, look_at_stack, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

/* What is locked in part, and has pages that came in meanwhile, is several mappings to the kernel.
 */
static void remap(size_t locked, int may_move)
{
    const size_t length = 2 << 20;
    char *start = map(length * 2, anon);
    char *moved;

    expect(munmap(start + length, length) == 0);
    memset(start, 1, length);
    if (library_loaded())
        expect(is_locked(start) && (locked == length || !is_locked(start + length - 1)));
    if (may_move == MREMAP_MAYMOVE)
        expect(mmap(start + length, 4096, rw, anon | MAP_FIXED, -1, 0) == start + length);
    moved = mremap(start, length, length * 2, may_move);
    expect(moved != MAP_FAILED && (moved == start) == !may_move);
    expect(moved[0] == 1 && moved[length - 1] == 1 && moved[length] == 0);
    memset(moved, 2, 2 * length);
    stays_below_the_limit();
}

static void remap_of_parts(void)
{
    char *room = map(MUCH, anon);

    memset(room, 1, MUCH);
    for (int i = 0; i < 4; i++) {
        /* Half of it has room. */
        expect(munmap(room + (size_t)i * (1 << 20), 1 << 20) == 0);
        remap(1 << 20, i & 1 ? MREMAP_MAYMOVE : 0);
    }
}

static pthread_barrier_t all_there;

static void *meet(void *unused)
{
    char *block = malloc(5000);

    expect(block);
    memset(used(block), 3, 5000);
    (void)pthread_barrier_wait(&all_there);
    expect(block[4999] == 3);
    free(block);
    return unused;
}

static void thousand_threads(void)
{
    enum { THREADS = 1000 };
    static pthread_t threads[THREADS];

    expect(pthread_barrier_init(&all_there, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        expect_equal(pthread_create(&threads[i], NULL, meet, NULL), 0);
    stays_below_the_limit();
    (void)pthread_barrier_wait(&all_there);
    for (int i = 0; i < THREADS; i++)
        expect_equal(pthread_join(threads[i], NULL), 0);
    stays_below_the_limit();
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {{"order", order},
                 {"stack_size", stack_size},
                 {"stack_size_in_a_child", stack_size_in_a_child},
                 {"own_mlock", own_mlock},
                 {"own_mlock2", own_mlock2},
                 {"own_map_locked", own_map_locked},
                 {"own_mlock_grows", own_mlock_grows},
                 {"grows_beside_own_mlock", grows_beside_own_mlock},
                 {"secret_memory", secret_memory},
                 {"own_mlockall", own_mlockall},
                 {"own_mlockall_future", own_mlockall_future},
                 {"without_reserve", without_reserve},
                 {"grows_down", grows_down},
                 {"remap_of_parts", remap_of_parts},
                 {"stack", stack},
                 {"thread_stack", thread_stack},
                 {"thousand_threads", thousand_threads}};

int main(int argc, char **argv)
{
    expect(argc > 1);
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        scenarios[i].run();
        return 0;
    }
    end_with_1("no scenario %s\n", argv[1]);
}
