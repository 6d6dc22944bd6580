/*
 * Comes under a memlock limit while it runs, and goes on as if there were no lock.
 *
 *     rescue WAY [WHAT]   gives up its rights in that way, and uses memory in all ways, or in one
 *     rescue threads      while four threads allocate
 *     rescue vfork        in a child that shares the memory; the parent keeps all it has
 *     rescue lower        halves a limit that holds
 *     rescue lower_soft   halves the soft limit, and keeps the hard one
 *     rescue address_space   calls fail, but not for the lock's sake
 */
#include "rescue.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static rlim_t limit_bytes(void)
{
    struct rlimit limit;

    expect(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    return limit.rlim_cur;
}

/* -- giving up ------------------------------------------------------------------------------ */

/* As the kernel has it, with CAP_IPC_LOCK missing. */
static void without_capability(struct __user_cap_header_struct *header,
                               struct __user_cap_data_struct data[2])
{
    *header = (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
    expect(syscall(SYS_capget, header, data) == 0);
    data[0].effective &= ~(1U << CAP_IPC_LOCK);
    data[0].permitted &= ~(1U << CAP_IPC_LOCK);
}

static void by_setuid(void)
{
    expect(setuid(NOBODY) == 0);
}

static void by_seteuid(void)
{
    expect(seteuid(NOBODY) == 0);
}

static void by_setreuid(void)
{
    expect(setreuid(NOBODY, NOBODY) == 0);
}

static void by_setresuid(void)
{
    expect(setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void by_capset(void)
{
    int (*set)(cap_user_header_t, const cap_user_data_t);
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];

    *(void **)&set = dlsym(RTLD_DEFAULT, "capset");
    expect(set);
    without_capability(&header, data);
    expect(set(&header, data) == 0);
}

static void by_unshare(void)
{
    if (unshare(CLONE_NEWUSER))
        skip("no user namespace can be made here");
}

static void by_setrlimit(void)
{
    const struct rlimit lower = {8 << 20, 8 << 20};

    if (limit_bytes() != RLIM_INFINITY)
        skip("the limit is no exemption here, and cannot be raised");
    by_capset();
    expect(setrlimit(RLIMIT_MEMLOCK, &lower) == 0);
}

/* As servers do of whose threads each may be another user. */
static void by_syscall(void)
{
    expect(syscall(SYS_setresuid, (long)NOBODY, (long)NOBODY, (long)NOBODY) == 0);
}

/* Past every hook: by libc's own function. */
static void by_system_call(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    long (*call)(long, ...);

    if (!libc)
        skip("libc is not libc.so.6 here");
    *(void **)&call = dlsym(libc, "syscall");
    expect(call && call(SYS_setresuid, (long)NOBODY, (long)NOBODY, (long)NOBODY) == 0);
}

static const struct {
    const char *name;
    void (*give_up)(void);
} ways[] = {{"setuid", by_setuid},       {"seteuid", by_seteuid}, {"setreuid", by_setreuid},
            {"setresuid", by_setresuid}, {"capset", by_capset},   {"unshare", by_unshare},
            {"setrlimit", by_setrlimit}, {"syscall", by_syscall}, {"raw", by_system_call}};

/* -- all of it ------------------------------------------------------------------------------ */

static void stays_below_the_limit(const char *after)
{
    long locked = status_kb("VmLck");

    if ((rlim_t)locked * 1024 > limit_bytes())
        end_with_1("%ld KiB are locked after %s\n", locked, after);
}

static void use_all(const char *what)
{
    bool done = false;

    for (size_t i = 0; i < rescue_uses_count; i++) {
        if (what && strcmp(what, rescue_uses[i].name) != 0)
            continue;
        rescue_uses[i].use();
        stays_below_the_limit(rescue_uses[i].name);
        done = true;
    }
    expect(done);
}

/* Whether more is locked than the limit allows: what a step down has to give back. */
static void have_more_than_the_limit(void)
{
    filled(mmap(NULL, MUCH, rw, anon, -1, 0), MUCH);
    if (library_loaded() && !getenv("RESCUE_UNLOCKED"))
        expect((rlim_t)status_kb("VmLck") * 1024 > limit_bytes() || limit_bytes() == RLIM_INFINITY);
}

static void give_up(const char *way, const char *what)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(way, ways[i].name) != 0)
            continue;
        have_more_than_the_limit();
        ways[i].give_up();
        if (ways[i].give_up != by_system_call)
            stays_below_the_limit(way);
        use_all(what);
        return;
    }
    end_with_1("no way %s\n", way);
}

/* -- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 300 };

static volatile bool given_up;
static unsigned long rounds[THREADS];

static void one_round(unsigned char mark, unsigned long round)
{
    size_t size = 100 + round * 7919 % 300000;
    unsigned char *block = malloc(size);
    unsigned char *mapping = mmap(NULL, 1 << 18, rw, anon, -1, 0);

    expect(block && mapping != MAP_FAILED);
    memset(block, mark, size);
    memset(mapping, mark, 1 << 18);
    block = realloc(block, 2 * size);
    expect(block && block[0] == mark && block[size - 1] == mark);
    expect(mapping[0] == mark && mapping[(1 << 18) - 1] == mark);
    expect(munmap(mapping, 1 << 18) == 0);
    free(block);
}

static void *allocate(void *data)
{
    unsigned long *mine = data;
    unsigned long after = 0;

    for (unsigned long round = 0; after < ROUNDS; round++) {
        one_round((unsigned char)(mine - rounds + 1), round);
        after += given_up;
        __atomic_store_n(mine, round, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void among_threads(void)
{
    pthread_t threads[THREADS];

    have_more_than_the_limit();
    for (size_t i = 0; i < THREADS; i++)
        expect_equal(pthread_create(&threads[i], NULL, allocate, &rounds[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        while (__atomic_load_n(&rounds[i], __ATOMIC_RELAXED) < 10)
            sched_yield();
    by_setuid();
    given_up = true;
    for (size_t i = 0; i < THREADS; i++)
        expect_equal(pthread_join(threads[i], NULL), 0);
    stays_below_the_limit("threads");
}

/* -- the rest ------------------------------------------------------------------------------- */

static void in_a_child_that_shares(void)
{
    char *start;
    int status = -1;
    long before;
    pid_t child;

    have_more_than_the_limit();
    before = status_kb("VmLck");
    child = vfork();
    if (child == 0)
        _exit(setuid(NOBODY) || setuid(NOBODY) ? 1 : 3);
    expect(child > 0 && waitpid(child, &status, 0) == child && status == 3 << 8);
    expect_equal(status_kb("VmLck"), before);
    start = mmap(NULL, MUCH, rw, anon, -1, 0);
    expect(start != MAP_FAILED);
    expect_equal(status_kb("VmLck"), before + MUCH / 1024);
}

static void lower(void)
{
    const struct rlimit half = {limit_bytes() / 2, limit_bytes() / 2};

    filled(mmap(NULL, MUCH, rw, anon, -1, 0), MUCH);
    expect((rlim_t)status_kb("VmLck") * 1024 > half.rlim_cur);
    expect(setrlimit(RLIMIT_MEMLOCK, &half) == 0);
    stays_below_the_limit("setrlimit");
    use_all(NULL);
}

/* Nothing tells us, and what is locked is more than the limit from then on. */
static void lowered_from_outside(void)
{
    const struct rlimit little = {64 << 10, 64 << 10};
    pid_t other;
    int status;

    filled(mmap(NULL, MUCH, rw, anon, -1, 0), MUCH);
    other = fork();
    expect(other >= 0);
    if (other == 0)
        _exit(syscall(SYS_prlimit64, getppid(), RLIMIT_MEMLOCK, &little, NULL) ? 1 : 0);
    expect(waitpid(other, &status, 0) == other);
    expect_equal(status, 0);
    expect_equal(limit_bytes(), little.rlim_cur);
    for (size_t i = 0; i < rescue_uses_count; i++)
        rescue_uses[i].use();
}

/* It is the program's own choice, and stays what it is, in children too. */
static void lower_soft(void)
{
    const rlim_t half = limit_bytes() / 2;
    const struct rlimit soft = {half, limit_bytes()};
    int status;
    pid_t child;

    expect(setrlimit(RLIMIT_MEMLOCK, &soft) == 0);
    expect_equal(limit_bytes(), half);
    expect((rlim_t)status_kb("VmLck") * 1024 <= half);
    child = fork();
    if (child == 0) {
        expect_equal(limit_bytes(), half);
        _exit(3);
    }
    expect(child > 0 && waitpid(child, &status, 0) == child && status == 3 << 8);
    expect_equal(limit_bytes(), half);
    expect(setuid(geteuid()) == 0);
    expect_equal(limit_bytes(), half);
}

/* There is no room for a trial of what may be locked either. */
static void address_space(void)
{
    const struct rlimit limit = {200 << 20, 200 << 20};

    have_more_than_the_limit();
    free(used(malloc(1000)));
    expect(setrlimit(RLIMIT_AS, &limit) == 0);
    for (size_t size = MUCH; size >= PAGE; size /= 2)
        while (mmap(NULL, size, rw, anon, -1, 0) != MAP_FAILED)
            ;
    expect((rlim_t)status_kb("VmLck") * 1024 > limit_bytes());
}

/* A child that shares our memory reaches the budget, and gives all of it back. */
static void in_a_child_that_grows(void)
{
    enum { PIECE = 512 << 10, PIECES = 116 };
    static void *pieces[PIECES];
    pid_t child;
    int status;

    free(used(malloc(1)));
    child = vfork();
    if (child == 0) {
        for (size_t i = 0; i < PIECES; i++)
            pieces[i] = filled(mmap(NULL, PIECE, rw, anon, -1, 0), PIECE);
        for (size_t i = 0; i < PIECES; i++)
            munmap(pieces[i], PIECE);
        _exit(0);
    }
    expect(child > 0 && waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

int main(int argc, char **argv)
{
    expect(argc > 1);
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(argv[1], "threads") == 0)
        among_threads();
    else if (strcmp(argv[1], "vfork") == 0)
        in_a_child_that_shares();
    else if (strcmp(argv[1], "vfork_grows") == 0)
        in_a_child_that_grows();
    else if (strcmp(argv[1], "lower") == 0)
        lower();
    else if (strcmp(argv[1], "outside") == 0)
        lowered_from_outside();
    else if (strcmp(argv[1], "lower_soft") == 0)
        lower_soft();
    else if (strcmp(argv[1], "address_space") == 0)
        address_space();
    else
        give_up(argv[1], argc > 2 ? argv[2] : NULL);
    return 0;
}
