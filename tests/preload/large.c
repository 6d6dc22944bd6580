/*
 * Gets a large region, and tells what the kernel says of it, as one JSON object:
 *
 *     large HOW BYTES
 *
 * HOW: `mmap` anonymous memory; `opened`, reserved first and made accessible afterwards; `malloc`,
 * `calloc`, `aligned_alloc`; `heap`, a block that the main heap grows for; `thread`, by malloc in a
 * thread that had no memory before; `file`, `shared`, `readable` memory, which is not to be
 * written to; in large_bss also `bss`, which is there from the beginning. A second word that may
 * follow: `no-threads`, where no thread can be made.
 */
#include "expect.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

static size_t size;

static void *mapped(int protection, int flags, int fd)
{
    void *start = mmap(NULL, size, protection, flags, fd, 0);

    expect(start != MAP_FAILED);
    return start;
}

static void *opened(void)
{
    void *start = mapped(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

    expect(mprotect(start, size, PROT_READ | PROT_WRITE) == 0);
    return start;
}

static void *file(void)
{
    char name[] = "/tmp/autolock-large-XXXXXX";
    int fd = mkstemp(name);
    void *start;

    expect(fd >= 0 && unlink(name) == 0 && ftruncate(fd, (off_t)size) == 0);
    start = mapped(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    expect(close(fd) == 0);
    return start;
}

static void *heap(void)
{
    expect(mallopt(M_MMAP_THRESHOLD, 1 << 30) == 1);
    return malloc(size);
}

static void *by_thread(void *unused)
{
    (void)unused;
    return malloc(size);
}

static unsigned tasks(void)
{
    DIR *list = opendir("/proc/self/task");
    unsigned count = 0;

    expect(list != NULL);
    while (readdir(list))
        count++;
    expect(closedir(list) == 0);
    return count - 2;
}

static void *thread(void)
{
    pthread_t id;
    void *block;

    expect(pthread_create(&id, NULL, by_thread, NULL) == 0);
    expect(pthread_join(id, &block) == 0);
    /* The kernel has told of its end a little before it is gone. */
    while (tasks() > 1)
        sched_yield();
    return block;
}

#if defined(LARGE_BSS)
static char bss[(size_t)64 << 20];
#endif

static void *get(const char *how)
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

#if defined(LARGE_BSS)
    if (strcmp(how, "bss") == 0)
        return bss;
#endif
    if (strcmp(how, "mmap") == 0)
        return mapped(PROT_READ | PROT_WRITE, anonymous, -1);
    if (strcmp(how, "readable") == 0)
        return mapped(PROT_READ, anonymous, -1);
    if (strcmp(how, "shared") == 0)
        return mapped(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    if (strcmp(how, "opened") == 0)
        return opened();
    if (strcmp(how, "file") == 0)
        return file();
    if (strcmp(how, "malloc") == 0)
        return malloc(size);
    if (strcmp(how, "calloc") == 0)
        return calloc(1, size);
    if (strcmp(how, "aligned_alloc") == 0)
        return aligned_alloc(64, size);
    if (strcmp(how, "heap") == 0)
        return heap();
    expect(strcmp(how, "thread") == 0);
    return thread();
}

static long minor_faults(void)
{
    struct rusage usage;

    expect(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static unsigned status_kib(const char *name)
{
    char text[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof(text) - 1);
    const char *line;

    expect(length > 0 && close(fd) == 0);
    text[length] = '\0';
    line = strstr(text, name);
    expect(line != NULL);
    return (unsigned)strtoul(line + strlen(name) + 1, NULL, 10);
}

/* Sums over the mappings of the process that lie in the region, or share a page with it. */
static void sum_of_smaps(const char *start, unsigned *ret_resident, unsigned *ret_huge)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false;
    unsigned long from;
    unsigned long to;
    unsigned kib;

    expect(smaps != NULL);
    while (fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from < (uintptr_t)start + size && to > (uintptr_t)start;
        if (inside && sscanf(line, "Rss: %u kB", &kib) == 1)
            *ret_resident += kib;
        if (inside && sscanf(line, "AnonHugePages: %u kB", &kib) == 1)
            *ret_huge += kib;
    }
    expect(fclose(smaps) == 0);
}

static bool same_signals(const sigset_t *before)
{
    sigset_t now = {0};

    expect(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
    return memcmp(before, &now, sizeof(now)) == 0;
}

static void forbid_threads(void)
{
    const struct rlimit none = {0, 0};

    /* Of who is not root. */
    expect(setrlimit(RLIMIT_NPROC, &none) == 0);
}

static char touched(volatile char *start, bool write)
{
    char sum = 0;

    for (size_t i = 0; i < size; i += PAGE) {
        if (write)
            start[i] = (char)i;
        sum = (char)(sum + start[i]);
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned resident = 0;
    unsigned huge = 0;
    sigset_t signals = {0};
    unsigned own_tasks;
    long faults;
    char *start;

    expect(argc >= 3);
    size = strtoul(argv[2], NULL, 10);
    if (argc > 3)
        forbid_threads();
    free(malloc(100));
    expect(sigprocmask(SIG_BLOCK, NULL, &signals) == 0);
    own_tasks = tasks();
    errno = ERRNO_UNTOUCHED;
    start = get(argv[1]);
    expect(start != NULL);
    expect_equal(errno, ERRNO_UNTOUCHED);
    /* The very next thing: a helper that is on its way out would be counted. */
    expect_equal(tasks(), own_tasks);
    expect(same_signals(&signals));
    sum_of_smaps(start, &resident, &huge);
    faults = minor_faults();
    (void)touched(start, strcmp(argv[1], "readable") != 0);
    faults = minor_faults() - faults;
    printf("{\"resident\": %u, \"huge\": %u, \"faults\": %ld, \"locked\": %u}\n", resident * 1024,
           huge * 1024, faults, status_kib("VmLck:") * 1024);
    return 0;
}
