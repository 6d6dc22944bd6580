/*
 * What the kernel brings in for a call that does not look as if it would, in a cgroup that has no
 * room for it:
 *
 *     unasked WAY
 *
 * WAY: steps (a reservation is opened a little at a time), pages (every second page of what is
 * shared is closed and opened), read (pages that were only read become writable), stack (of the
 * size that libc has for all threads), aligned (a small block far from the one before it), ended
 * (many threads that have allocated a little, and ended), fork (without libc, while another thread
 * maps), refused (an mlockall that fails, the same). Hardly anything of it is used.
 */
#include "patterns.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    MUCH = 128 << 20,
    STEP = 512 << 10,
    READ = 12 << 20,
    READS = 8,
    THREADS = 150,
    CHILDREN = 60
};

static const int readable = PROT_READ | PROT_WRITE;

static char *map_of(size_t length, int protection, int more_flags)
{
    char *start = mmap(NULL, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

static unsigned open_in_steps(void)
{
    char *start = map_of(MUCH, PROT_NONE, 0);

    for (size_t at = 0; at < MUCH; at += STEP) {
        expect(mprotect(start + at, STEP, readable) == 0);
        start[at] = 1;
    }
    return MUCH / STEP;
}

/* As many mappings as the kernel lets a process have would not be enough. */
static unsigned open_pages(void)
{
    enum { PAGES = 80000 };
    char *start = mmap(NULL, (size_t)PAGES * PAGE, readable, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    expect(start != MAP_FAILED);
    for (size_t i = 0; i < PAGES; i += 2) {
        expect(mprotect(start + i * PAGE, PAGE, PROT_READ) == 0);
        expect(mprotect(start + i * PAGE, PAGE, readable) == 0);
    }
    return PAGES / 2;
}

static unsigned open_what_was_read(void)
{
    char *start[READS];

    for (size_t i = 0; i < READS; i++)
        start[i] = map_of(READ, PROT_READ, 0);
    for (size_t i = 0; i < READS; i++) {
        expect(mprotect(start[i], READ, readable) == 0);
        start[i][0] = 1;
    }
    return READS;
}

static void *do_nothing(void *data)
{
    return data;
}

static unsigned make_a_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    expect(pthread_getattr_default_np(&attributes) == 0);
    expect(pthread_attr_setstacksize(&attributes, MUCH) == 0);
    expect(pthread_setattr_default_np(&attributes) == 0);
    expect(pthread_create(&thread, NULL, do_nothing, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
    return 1;
}

static unsigned align_far(void)
{
    void *volatile block = memalign(MUCH, 100);

    expect(block);
    expect((block = aligned_alloc(MUCH, 100)) != NULL);
    expect(posix_memalign((void **)&block, MUCH, 100) == 0);
    return 3;
}

static void *allocate_a_little(void *data)
{
    void *volatile block = malloc(100);

    expect(block);
    return data;
}

static unsigned end_threads(void)
{
    for (size_t i = 0; i < THREADS; i++) {
        pthread_t thread;

        expect(pthread_create(&thread, NULL, allocate_a_little, NULL) == 0);
        expect(pthread_join(thread, NULL) == 0);
    }
    for (size_t i = 0; i < 1000; i++) {
        void *volatile block = malloc(8 << 10);

        expect(block);
    }
    return THREADS;
}

static volatile bool over;

/* Without a claim to memory: each time the kernel is told to lock on fault, and then not any more.
 */
static void map_and_unmap(void)
{
    expect(munmap(map_of(MUCH, readable, MAP_NORESERVE), MUCH) == 0);
}

static void *map_often(void *data)
{
    while (!over)
        map_and_unmap();
    return data;
}

static unsigned fork_without_libc(void)
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, map_often, NULL) == 0);
    for (size_t i = 0; i < CHILDREN; i++) {
        int status = -1;
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

        if (child == 0) {
            map_and_unmap();
            _exit(0);
        }
        expect(child > 0 && waitpid(child, &status, 0) == child);
        expect_equal(status, 0);
    }
    over = true;
    expect(pthread_join(thread, NULL) == 0);
    return CHILDREN;
}

static unsigned be_refused(void)
{
    enum { NO_FLAG = 64, TIMES = 300 };
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        expect(pthread_create(&threads[i], NULL, map_often, NULL) == 0);
    for (size_t i = 0; i < TIMES; i++)
        expect(mlockall(MCL_CURRENT | NO_FLAG) == -1 && errno == EINVAL);
    over = true;
    for (size_t i = 0; i < 2; i++)
        expect(pthread_join(threads[i], NULL) == 0);
    return TIMES;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        unsigned (*go)(void);
    } ways[] = {{"steps", open_in_steps}, {"read", open_what_was_read}, {"stack", make_a_stack},
                {"aligned", align_far},   {"ended", end_threads},       {"pages", open_pages},
                {"refused", be_refused},  {"fork", fork_without_libc}};
    unsigned calls = 0;

    prove_loaded();
    expect(count == 2);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(arguments[1], ways[i].name) == 0)
            calls = ways[i].go();
    expect(calls);
    dprintf(STDOUT_FILENO, "COUNT: %u calls for which the kernel may bring in more than there is\n",
            calls);
    return 0;
}
