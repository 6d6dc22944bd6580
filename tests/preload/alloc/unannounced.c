/*
 * Children that come into being past libc's fork handlers, by _Fork or the bare system call, while
 * other threads are busy with what such a child does not have: it waits for nobody, and locks
 * nothing. KINDS=heap,anon.
 */
#include "scenario.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 2, CHILDREN = 300, AREA = 16 * PAGE };

pid_t _Fork(void) __attribute__((weak));

static volatile bool stop;

static void map_and_unmap(void)
{
    char *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(area != MAP_FAILED);
    *area = 1;
    expect(munmap(area, AREA) == 0);
}

static void *be_busy(void *unused)
{
    for (unsigned i = 0; !stop; i++) {
        char *block = malloc(9000 + i * 4001 % 200000);

        expect(block);
        *(char *)used(block) = 1;
        map_and_unmap();
        free(block);
    }
    return unused;
}

/* After _Fork out of several threads nothing but what is safe in signal handlers may be called. */
static void __attribute__((noreturn)) live_as_child(void)
{
    const char *fork = getenv("AUTOLOCK_FORK");
    const bool locks = !fork || strcmp(fork, "none") != 0;
    long before;

    for (int i = 0; i < 4; i++)
        map_and_unmap();
    before = status_kb("VmLck");
    expect_equal(before > 0, locks);
    expect(mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED);
    expect_equal(status_kb("VmLck") - before, locks ? AREA / 1024 : 0);
    _exit(7);
}

static pid_t clone_child(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
}

static void make_children(pid_t (*make)(void))
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_create(&thread[i], NULL, be_busy, NULL) == 0);
    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        pid_t child = make();

        if (child == 0)
            live_as_child();
        expect(child > 0 && waitpid(child, &status, 0) == child);
        expect_equal(status, 7 << 8);
    }
    stop = true;
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(thread[i], NULL) == 0);
}

static void by_fork_without_handlers(void)
{
    /* Ours is there whatever libc has. */
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

    expect(libc);
    if (!dlsym(libc, "_Fork"))
        skip("this libc has no _Fork");
    make_children(_Fork);
}

static void by_system_call(void)
{
    make_children(clone_child);
}

/* One thread, one child, which may use everything; for a look at the reports. */
static void one_child(void)
{
    int status = 0;
    pid_t child = clone_child();

    if (child == 0) {
        for (int i = 0; i < 10; i++)
            free(used(malloc(300000)));
        _exit(0);
    }
    expect(child > 0 && waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
    free(used(malloc(10)));
}

SCENARIOS(SCENARIO(by_fork_without_handlers), SCENARIO(by_system_call), SCENARIO(one_child))
