/*
 * On a thread's smallest stack, below which other memory of the program lies: what the hooks take
 * of it leaves that as it is. Scenarios: fork, identity (root), limit, map.
 */
#include "expect.h"

#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

/* That of glibc on most processors; musl's, of 2 KiB, is too small for any fork. */
enum { SMALLEST = 16 << 10 };

enum { BELOW = 64 << 10, PATTERN = 0x5a };

static unsigned char *area;

static size_t overwritten(void)
{
    size_t count = 0;

    for (size_t i = 0; i < BELOW; i++)
        count += area[i] != PATTERN;
    return count;
}

static void *fork_there(void *unused)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        expect_equal(overwritten(), 0);
        _exit(0);
    }
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
    return unused;
}

static void *give_up_rights(void *unused)
{
    expect(setresuid((uid_t)-1, 65534, (uid_t)-1) == 0);
    return unused;
}

static void *lower_the_limit(void *unused)
{
    expect(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){1 << 16, 1 << 16}) == 0);
    return unused;
}

static void *map_and_allocate(void *unused)
{
    for (size_t length = PAGE; length <= 8 << 20; length *= 2) {
        void *block = malloc(length);
        void *pages =
            mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        expect(block && pages != MAP_FAILED);
        free(block);
        pages = mremap(pages, length, 2 * length, MREMAP_MAYMOVE);
        expect(pages != MAP_FAILED && mprotect(pages, 2 * length, PROT_READ) == 0);
        expect(munmap(pages, 2 * length) == 0);
    }
    return unused;
}

static const struct {
    const char *name;
    void *(*routine)(void *);
} scenarios[] = {{"fork", fork_there},
                 {"identity", give_up_rights},
                 {"limit", lower_the_limit},
                 {"map", map_and_allocate}};

int main(int count, char **arguments)
{
    const long least = sysconf(_SC_THREAD_STACK_MIN);
    const size_t size = least > SMALLEST ? (size_t)least : SMALLEST;
    pthread_attr_t attributes;
    pthread_t thread;

    prove_loaded();
    expect_equal(count, 2);
    if (strcmp(arguments[1], "identity") == 0 && geteuid() != 0)
        skip("only root has rights to give up");
    area = mmap(NULL, BELOW + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(area != MAP_FAILED);
    memset(area, PATTERN, BELOW + size);
    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setstack(&attributes, area + BELOW, size) == 0);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(scenarios[i].name, arguments[1]) != 0)
            continue;
        expect(pthread_create(&thread, &attributes, scenarios[i].routine, NULL) == 0);
        expect(pthread_join(thread, NULL) == 0);
        expect_equal(overwritten(), 0);
        return 0;
    }
    end_with_1("%s: no such scenario\n", arguments[1]);
}
