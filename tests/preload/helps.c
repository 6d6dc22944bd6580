/*
 * A program that uses autolock/autolock.h, and knows from elsewhere what it should be told.
 *
 *     helps SCENARIO
 */
#include "helps.h"

#include <sys/wait.h>

static struct rusage faults(void)
{
    struct rusage usage;

    expect(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage;
}

/* As many minor faults, for sure, by memory that no hook sees and nothing locks. */
static void take_faults(size_t count)
{
    char *pages = (char *)syscall(SYS_mmap, NULL, count * PAGE, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);

    expect(pages != MAP_FAILED);
    (void)syscall(SYS_madvise, pages, count * PAGE, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < count; i++)
        pages[i * PAGE] = 1;
    expect(syscall(SYS_munmap, pages, count * PAGE) == 0);
}

/* -- what the numbers are --------------------------------------------------------------------- */

static void memory_is_the_kernels(void)
{
    const size_t size = 64 * PAGE;
    struct autolock_stats before;
    struct autolock_stats after;
    struct rlimit limit;
    long resident;
    void *pages;

    need_privilege();
    expect(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    before = snapshot();
    /* Once more, with all that it touches resident. */
    before = snapshot();
    expect_equal(before.locked_kernel_bytes, status_kb("VmLck") * 1024);
    resident = status_kb("VmRSS") * 1024;
    /* The kernel counts pages by processor, and adds up now and then. */
    expect(labs((long)before.memory_rss_bytes - resident) < 2 << 20);
    expect_equal(before.memory_swap_bytes, status_kb("VmSwap") * 1024);
    expect_equal(before.memory_limit_bytes,
                 limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur);
    expect(before.locked_peak_kernel_bytes >= before.locked_kernel_bytes);

    pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(pages != MAP_FAILED);
    expect(is_locked(pages));
    after = snapshot();
    expect_equal(after.locked_kernel_bytes, status_kb("VmLck") * 1024);
    expect(after.locked_kernel_bytes >= before.locked_kernel_bytes + size);
    expect_equal(after.failures_total, 0);
    expect_equal(after.skipped_budget, 0);
    expect(after.syscalls_mlock2_count + after.syscalls_mlockall_count > 0);
    expect(after.syscalls_mlock2_time_ns + after.syscalls_mlockall_time_ns > 0);
    if (after.locked_tracked_bytes) {
        /* By the hooks: this mapping was one of their stretches. */
        expect(after.locked_tracked_bytes >= before.locked_tracked_bytes + size);
        expect(after.locked_peak_tracked_bytes >= after.locked_tracked_bytes);
        expect(after.locked_regions > 0);
        expect(after.syscalls_mlock2_count > before.syscalls_mlock2_count);
        expect(after.hooks_slow_count > before.hooks_slow_count);
        expect(after.hooks_slow_time_ns > before.hooks_slow_time_ns);
    }
}

static void calls_are_counted(void)
{
    struct autolock_stats before = snapshot();
    struct autolock_stats after;

    for (int i = 0; i < 1000; i++)
        free(used(malloc(100)));
    for (int i = 0; i < 3; i++)
        (void)used(malloc(100));
    for (int i = 0; i < 7; i++) {
        void *pages = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        expect(pages != MAP_FAILED);
        if (i < 5)
            expect(munmap(pages, PAGE) == 0);
    }
    after = snapshot();
    expect_equal(after.calls_malloc - before.calls_malloc, 1003);
    expect_equal(after.calls_free - before.calls_free, 1000);
    expect_equal(after.calls_mmap - before.calls_mmap, 7);
    expect_equal(after.calls_munmap - before.calls_munmap, 5);
}

/* -- the mark --------------------------------------------------------------------------------- */

static void expect_no_mark(void)
{
    struct autolock_stats stats = snapshot();

    expect_equal(stats.faults_minor_after_mark, stats.faults_minor_after_lock);
    expect_equal(stats.faults_major_after_mark, stats.faults_major_after_lock);
    expect(stats.faults_minor_after_lock < stats.faults_minor);
}

/* What has come since a mark that was made between `before` and `after`, as the kernel counts. */
static void expect_marked_between(struct rusage before, struct rusage after)
{
    struct rusage first = faults();
    struct autolock_stats stats = snapshot();
    struct rusage last = faults();

    expect((long)stats.faults_minor >= first.ru_minflt);
    expect((long)stats.faults_minor <= last.ru_minflt);
    expect((long)stats.faults_major >= first.ru_majflt);
    expect((long)stats.faults_major <= last.ru_majflt);
    expect((long)(stats.faults_minor - stats.faults_minor_after_mark) >= before.ru_minflt);
    expect((long)(stats.faults_minor - stats.faults_minor_after_mark) <= after.ru_minflt);
    expect((long)(stats.faults_major - stats.faults_major_after_mark) >= before.ru_majflt);
    expect((long)(stats.faults_major - stats.faults_major_after_mark) <= after.ru_majflt);
}

static void last_mark_holds(void)
{
    expect_no_mark();
    take_faults(100);
    expect_no_mark();
    for (int i = 0; i < 3; i++) {
        struct rusage before = faults();
        struct rusage after;

        mark(i ? "again" : NULL);
        after = faults();
        take_faults(200);
        expect_marked_between(before, after);
        expect(snapshot().faults_minor_after_mark >= 200);
        expect(snapshot().faults_minor_after_lock >= 300 + (unsigned)i * 200);
    }
}

/* Faults that had to read, by a file that is pushed out of the page cache. */
static void take_major_faults(void)
{
    enum { FILE_PAGES = 64 };
    int file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    long before = faults().ru_majflt;
    char *pages;

    if (file < 0)
        skip("no file can be made here");
    for (int i = 0; i < FILE_PAGES; i++) {
        char page[PAGE] = {1};

        expect_equal(write(file, page, PAGE), PAGE);
    }
    expect(fsync(file) == 0);
    expect(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
    pages = (char *)syscall(SYS_mmap, NULL, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE, file, 0L);
    expect(pages != MAP_FAILED);
    for (int i = 0; i < FILE_PAGES; i++)
        expect_equal(*(volatile char *)(pages + (size_t)i * PAGE), 1);
    if (faults().ru_majflt == before)
        skip("files of this directory are never out of memory");
    expect(close(file) == 0);
}

static void major_faults_after_the_mark(void)
{
    struct rusage before;
    struct rusage after;
    struct autolock_stats stats;

    take_major_faults();
    expect_no_mark();
    expect(snapshot().faults_major_after_lock > 0);
    before = faults();
    mark("read");
    after = faults();
    expect_marked_between(before, after);
    take_major_faults();
    expect_marked_between(before, after);
    stats = snapshot();
    expect(stats.faults_major_after_mark > 0);
    expect(stats.faults_major_after_mark < stats.faults_major_after_lock);
}

static void expect_child(pid_t child)
{
    int status;

    expect(child > 0);
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

static void child_begins_without(void)
{
    struct rusage before;
    struct rusage after;
    pid_t child;

    before = faults();
    mark("parent");
    after = faults();
    child = fork();
    if (child == 0) {
        take_faults(50);
        expect_no_mark();
        before = faults();
        mark("child");
        after = faults();
        take_faults(50);
        expect_marked_between(before, after);
        _exit(0);
    }
    expect_child(child);
    expect_marked_between(before, after);
}

/* It shares our memory: what it said would be said of us. */
static void not_in_a_vfork_child(void)
{
    static volatile int answer;
    static struct autolock_stats stats;
    pid_t child;

    take_faults(50);
    child = vfork();
    if (child == 0) {
        /* More than we have: a mark of them would be seen. */
        take_faults(5000);
        autolock_mark("vfork");
        answer = autolock_snapshot(&stats, sizeof(stats));
        _exit(0);
    }
    expect_child(child);
    expect_equal(answer, -ENOSYS);
    expect_equal(stats.known_bytes, 0);
    expect_no_mark();
}

/* -- the caller's size ------------------------------------------------------------------------ */

static void any_size(void)
{
    enum { MEMBERS = sizeof(struct autolock_stats) / sizeof(uint64_t), MORE = 8 };
    uint64_t place[MEMBERS + MORE];
    uint64_t untouched;

    memset(&untouched, 0xAA, sizeof(untouched));
    for (size_t size = 0; size <= sizeof(place); size++) {
        int answer;

        memset(place, 0xAA, sizeof(place));
        answer = autolock_snapshot((struct autolock_stats *)place, size);
        if (size < sizeof(uint64_t)) {
            expect_equal(answer, -EINVAL);
            expect_equal(place[0], untouched);
            continue;
        }
        expect_equal(answer, 0);
        expect_equal(place[0], sizeof(struct autolock_stats));
        /* What is whole and known, then nothing, then what is not the caller's. */
        for (size_t i = size / sizeof(uint64_t) < MEMBERS ? size / sizeof(uint64_t) : MEMBERS;
             i < size / sizeof(uint64_t); i++)
            expect_equal(place[i], 0);
        for (size_t i = size - size % sizeof(uint64_t); i < size; i++)
            expect_equal(((unsigned char *)place)[i], 0);
        for (size_t i = size; i < sizeof(place); i++)
            expect_equal(((unsigned char *)place)[i], 0xAA);
    }
    expect_equal(autolock_snapshot(NULL, sizeof(struct autolock_stats)), -EINVAL);
}

/* A prefix has the same members as the whole. */
static void prefix_is_the_same(void)
{
    size_t size = offsetof(struct autolock_stats, faults_major_after_lock);
    struct autolock_stats first = {0};
    struct autolock_stats whole;

    expect_equal(autolock_snapshot(&first, size), 0);
    whole = snapshot();
    expect_equal(first.locked_kernel_bytes, whole.locked_kernel_bytes);
    expect(first.faults_minor && first.faults_minor <= whole.faults_minor);
    expect(first.faults_minor_after_lock <= whole.faults_minor_after_lock);
    expect_equal(first.faults_major_after_lock, 0);
    expect_equal(first.calls_malloc, 0);
}

/* -- for those who look from outside ---------------------------------------------------------- */

/* Of what failed or was left out; the report must say the same. */
static void told(void)
{
    struct autolock_stats stats;

    for (int i = 0; i < 100; i++)
        (void)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stats = snapshot();
    dprintf(STDOUT_FILENO, "%llu %llu %llu %llu\n", (unsigned long long)stats.failures_total,
            (unsigned long long)stats.skipped_total, (unsigned long long)stats.skipped_budget,
            (unsigned long long)stats.downgrades);
}

/* Marks and prints the kernel's figures around it, and at the end. */
static void marked(void)
{
    struct rusage before = faults();
    struct rusage after;

    autolock_mark(getenv("PHASE"));
    after = faults();
    take_faults(300);
    dprintf(STDOUT_FILENO, "%ld %ld %ld\n", before.ru_minflt, after.ru_minflt, faults().ru_minflt);
}

int main(int argc, char *argv[])
{
    static const struct scenario scenarios[] = {
        {"memory_is_the_kernels", memory_is_the_kernels},
        {"calls_are_counted", calls_are_counted},
        {"last_mark_holds", last_mark_holds},
        {"major_faults_after_the_mark", major_faults_after_the_mark},
        {"child_begins_without", child_begins_without},
        {"not_in_a_vfork_child", not_in_a_vfork_child},
        {"any_size", any_size},
        {"prefix_is_the_same", prefix_is_the_same},
        {"told", told},
        {"marked", marked},
    };

    run_scenario(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc == 2 ? argv[1] : NULL);
    return 0;
}
