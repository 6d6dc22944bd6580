/*
 * What the program itself wants locked, or not, where the kernel locks for us (mode all, with
 * privilege): as without the library, also after the program has given its privilege up.
 *
 *     own_wishes SCENARIO
 */
#include "expect.h"

#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

enum { LENGTH = 16 * PAGE, NOBODY = 65534, LIMIT = 8 << 20 };

static const int rw = PROT_READ | PROT_WRITE;
static const int private = MAP_PRIVATE | MAP_ANONYMOUS;

static char *map(size_t length, int flags)
{
    char *start = mmap(NULL, length, rw, flags, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

static void need_root(void)
{
    const struct rlimit limit = {LIMIT, LIMIT};

    if (geteuid())
        skip("only root can become another user");
    expect(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    need_privilege();
}

static void become_nobody(void)
{
    expect(setuid(NOBODY) == 0);
    expect(prctl(PR_SET_DUMPABLE, 1) == 0); /* /proc is its own again */
}

/* More than the limit, of what we lock before mappings. */
static void have_much_heap(void)
{
    for (size_t i = 0; i < 2 * LIMIT / 1024; i++)
        memset(used(malloc(1000)), 7, 1000);
}

static void ranges_survive(void)
{
    char *gone;
    char *locked;
    char *shared;
    char *at_once;

    need_root();
    have_much_heap();
    gone = map(LIMIT, private);
    locked = map(LENGTH, private);
    shared = map(LENGTH, MAP_SHARED | MAP_ANONYMOUS);
    at_once = map(LENGTH, private | MAP_LOCKED);
    expect(mlock(gone, LIMIT) == 0 && mlock(locked, LENGTH) == 0 && mlock(shared, LENGTH) == 0);
    expect(munmap(gone, LIMIT) == 0);
    become_nobody();
    expect(is_locked(locked) && is_locked(locked + LENGTH - 1));
    expect(is_locked(shared) && is_locked(shared + LENGTH - 1));
    expect(is_locked(at_once) && is_locked(at_once + LENGTH - 1));
    expect(status_kb("VmLck") * 1024 <= LIMIT);
}

static void everything_survives(void)
{
    long before;

    need_root();
    have_much_heap();
    expect(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    before = status_kb("VmLck");
    expect(before * 1024 > 2 * LIMIT);
    become_nobody();
    expect(mmap(NULL, LIMIT, rw, private, -1, 0) == MAP_FAILED && errno == EAGAIN);
    expect_equal(status_kb("VmLck"), before);
}

/* Of what exists the program has said nothing: it is ours, and must not fill its limit. */
static void what_comes(void)
{
    need_root();
    have_much_heap();
    expect(mlockall(MCL_FUTURE) == 0);
    become_nobody();
    (void)map(LIMIT / 2, private);
    expect(status_kb("VmLck") * 1024 <= LIMIT);
}

/* Too large for any budget, so that the kernel is told to lock less, for the moment. */
static void nothing_stays_nothing(void)
{
    struct sysinfo machine;
    uint64_t length;

    need_privilege();
    expect(sysinfo(&machine) == 0);
    length = (uint64_t)machine.totalram * machine.mem_unit;
    expect(munlockall() == 0);
    /* All of the memory, or half of a small address space. */
    (void)map(length < SIZE_MAX / 2 ? (size_t)length : SIZE_MAX / 2, private | MAP_NORESERVE);
    (void)map(1 << 20, private);
    expect_equal(status_kb("VmLck"), 0);
    if (geteuid() == 0)
        become_nobody();
    (void)map(1 << 20, private);
    expect_equal(status_kb("VmLck"), 0);
}

static char *map_file(void)
{
    char name[] = "/tmp/own_wishes.XXXXXX";
    int fd = mkstemp(name);
    char *start;

    expect(fd >= 0 && unlink(name) == 0 && ftruncate(fd, LENGTH) == 0);
    start = mmap(NULL, LENGTH, rw, MAP_SHARED, fd, 0);
    expect(start != MAP_FAILED);
    close(fd);
    return start;
}

static void expect_written(char *start)
{
    *start = 1;
    errno = ERRNO_UNTOUCHED;
    expect(msync(start, LENGTH, MS_SYNC | MS_INVALIDATE) == 0);
    expect(msync(start, LENGTH, MS_INVALIDATE) == 0 && errno == ERRNO_UNTOUCHED);
}

static void invalidate(void)
{
    char *start;

    need_privilege();
    start = map_file();
    expect(is_locked(start));
    expect_written(start);
    expect(is_locked(start));
    expect(msync(start + 1, LENGTH, MS_INVALIDATE) == -1 && errno == EINVAL);
    expect(mlock(start, LENGTH) == 0);
    expect(msync(start, LENGTH, MS_SYNC | MS_INVALIDATE) == -1 && errno == EBUSY);
    expect_written(map_file());
    expect(munmap(start, LENGTH) == 0);
}

static void invalidate_in_child(void)
{
    char *start;
    int status;
    pid_t child;

    need_privilege();
    start = map_file();
    expect(mlock(start, LENGTH) == 0);
    child = fork();
    if (child == 0) {
        expect_written(start);
        _exit(3);
    }
    expect(waitpid(child, &status, 0) == child && status == 3 << 8);
}

/* An end that the kernel does not take unmaps nothing: what a child has again is all of it. */
static void below_the_heap(void)
{
    char *end = sbrk(0);
    static char variable[LENGTH] = {1};
    int status;
    pid_t child;

    need_privilege();
    expect(is_locked(used(variable)));
    expect(brk(NULL) == 0 && sbrk(0) == end);
    child = fork();
    if (child == 0) {
        expect(is_locked(variable));
        _exit(3);
    }
    expect(waitpid(child, &status, 0) == child && status == 3 << 8);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"ranges_survive", ranges_survive},
                     {"everything_survives", everything_survives},
                     {"what_comes", what_comes},
                     {"nothing_stays_nothing", nothing_stays_nothing},
                     {"invalidate", invalidate},
                     {"below_the_heap", below_the_heap},
                     {"invalidate_in_child", invalidate_in_child}};

    prove_loaded();
    for (size_t i = 0; argc > 1 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    return 1;
}
