/*
 * One call of the mmap family after the other: what it makes accessible is locked, exactly that,
 * and at once. KINDS=anon,shared,file,stack unless the scenario says otherwise.
 */
#include "mappings.h"

#include <linux/perf_event.h>
#include <sys/shm.h>
#include <sys/syscall.h>

static int file_of(size_t length)
{
    char name[] = "/tmp/autolock_mappings.XXXXXX";
    int fd = mkstemp(name);

    expect(fd >= 0 && unlink(name) == 0 && ftruncate(fd, (off_t)length) == 0);
    return fd;
}

/* -- unmapping ------------------------------------------------------------------------------ */

static void unmap_parts(void)
{
    char *start = map(LENGTH, writable, anon);
    long locked_kb;

    expect_locked(start, LENGTH);
    locked_kb = status_kb("VmLck");
    expect(munmap(pages(start, 10), 5 * PAGE) == 0);
    expect_locked(start, 10 * PAGE);
    expect_locked(pages(start, 15), LENGTH - 15 * PAGE);
    expect(munmap(start, 3 * PAGE) == 0);
    expect(munmap(pages(start, PAGES - 4), 4 * PAGE) == 0);
    expect_locked(pages(start, 3), 7 * PAGE);
    expect_locked(pages(start, 15), LENGTH - 19 * PAGE);
    expect_equal(status_kb("VmLck"), locked_kb - 12 * PAGE / 1024);
    /* Over the holes too. */
    expect(munmap(start, LENGTH) == 0);
    expect_equal(status_kb("VmLck"), locked_kb - LENGTH / 1024);
}

static void unmap_fails(void)
{
    char *start = map(LENGTH, writable, anon);

    expect(munmap(start + 1, PAGE) == -1 && errno == EINVAL);
    expect(munmap(start, 0) == -1 && errno == EINVAL);
    expect_locked(start, LENGTH);
    expect(mmap(pages(start, 3) + 1, PAGE, writable, anon | MAP_FIXED, -1, 0) == MAP_FAILED);
    expect(mmap(pages(start, 3), 2 * PAGE, writable, MAP_PRIVATE | MAP_FIXED, 9999, 0) ==
           MAP_FAILED);
    expect(mremap(start, LENGTH, 0, MREMAP_MAYMOVE) == MAP_FAILED);
    expect(mprotect(start, LENGTH, 0x1000) == -1);
    expect_locked(start, LENGTH);
}

/* -- protection ----------------------------------------------------------------------------- */

static void reservation_opened_in_parts(void)
{
    char *start = map(1024L * PAGE, PROT_NONE, anon | MAP_NORESERVE);

    expect_unlocked(start, 1024L * PAGE);
    expect(mprotect(pages(start, 100), 50 * PAGE, writable) == 0);
    expect_unlocked(start, 100 * PAGE);
    expect_locked(pages(start, 100), 50 * PAGE);
    expect_unlocked(pages(start, 150), 874L * PAGE);
    expect(pkey_mprotect(pages(start, 200), 10 * PAGE, PROT_READ, -1) == 0);
    expect_locked(pages(start, 200), 10 * PAGE);
    expect_unlocked(pages(start, 150), 50 * PAGE);
    /* Half of it is open already. */
    expect(mprotect(pages(start, 140), 20 * PAGE, writable) == 0);
    expect_locked(pages(start, 100), 60 * PAGE);
    expect_unlocked(pages(start, 160), 40 * PAGE);
    expect(mmap(pages(start, 500), 7 * PAGE, writable, anon | MAP_FIXED, -1, 0) != MAP_FAILED);
    expect_locked(pages(start, 500), 7 * PAGE);
    expect_unlocked(pages(start, 507), 100 * PAGE);
    expect_unlocked(pages(start, 400), 100 * PAGE);
}

/* Nothing of a terabyte that is only reserved is counted, walked or locked. */
static void huge_reservation(void)
{
    /* Where there is no such address space, a gigabyte. */
    enum { MANY = sizeof(size_t) > 4 ? 1024 : 1 };
    size_t length = (size_t)MANY << 30;
    char *start = map(length, PROT_NONE, anon | MAP_NORESERVE);
    char *part = start + length / 4 * 3;

    expect_equal(mapping_of(start).locked, false);
    expect(mprotect(part, LENGTH, writable) == 0);
    expect_locked(part, LENGTH);
    expect_unlocked(part - 10 * PAGE, 10 * PAGE);
    expect_unlocked(part + LENGTH, 10 * PAGE);
    expect(munmap(start, length) == 0);
}

static void closed_and_opened_again(void)
{
    enum { LONG = 4096 * PAGE };
    char *start = map(LONG, writable, anon);
    long locked_kb;

    expect_locked(start, LONG);
    locked_kb = status_kb("VmLck");
    expect(mprotect(start, LONG - 10 * PAGE, PROT_NONE) == 0);
    /* Nobody can touch it: it is no longer worth a lock, but for the slack. */
    expect(status_kb("VmLck") <= locked_kb - LONG / 1024 + 40 + SPARE_KB);
    expect_locked(pages(start, 4086), 10 * PAGE);
    expect(mprotect(pages(start, 50), 100 * PAGE, PROT_READ) == 0);
    expect_locked(pages(start, 50), 100 * PAGE);
    expect(mprotect(start, LONG, writable) == 0);
    expect_locked(start, LONG);
}

static void protection_changes_nothing_else(void)
{
    char *start = map(LENGTH, PROT_READ, anon);

    expect_locked(start, LENGTH);
    expect(mprotect(start, LENGTH, writable) == 0);
    expect_locked(start, LENGTH);
    expect(mprotect(pages(start, 5), 5 * PAGE, PROT_READ) == 0);
    expect_locked(start, LENGTH);
    expect(mprotect(pages(start, 5), 5 * PAGE, PROT_READ | PROT_EXEC) == 0);
    expect_locked(start, LENGTH);
}

/* -- MAP_FIXED ------------------------------------------------------------------------------ */

static void fixed_over_half(void)
{
    char *start = map(LENGTH, writable, anon);

    expect(mmap(start, LENGTH / 2, PROT_NONE, anon | MAP_FIXED, -1, 0) == start);
    expect_unlocked(start, LENGTH / 2);
    expect_locked(start + LENGTH / 2, LENGTH / 2);
    expect(mprotect(start, LENGTH / 2, writable) == 0);
    expect_locked(start, LENGTH);
    /* The same again, as allocators do to give memory back. */
    expect(mmap(start, LENGTH, writable, anon | MAP_FIXED, -1, 0) == start);
    expect_locked(start, LENGTH);
}

/* With a kind that is not locked over one that is, and back. KINDS=anon. */
static void fixed_changes_kind(void)
{
    int fd = file_of(LENGTH);
    char *start = map(LENGTH, writable, anon);

    expect_locked(start, LENGTH);
    expect(mmap(pages(start, 8), 16 * PAGE, writable, MAP_SHARED | MAP_FIXED, fd, 0) ==
           pages(start, 8));
    expect_locked(start, 8 * PAGE);
    expect_unlocked(pages(start, 8), 16 * PAGE);
    expect_locked(pages(start, 24), LENGTH - 24 * PAGE);
    expect(mmap(pages(start, 12), 4 * PAGE, writable, anon | MAP_FIXED, -1, 0) == pages(start, 12));
    expect_locked(pages(start, 12), 4 * PAGE);
    expect_unlocked(pages(start, 8), 4 * PAGE);
    expect_unlocked(pages(start, 16), 8 * PAGE);
}

/* -- sorts ---------------------------------------------------------------------------------- */

static void each_sort(void)
{
    int fd = file_of(LENGTH);

    expect_locked(map(LENGTH, writable, anon), LENGTH);
    expect_locked(map(LENGTH, PROT_READ, anon), LENGTH);
    expect_locked(map(LENGTH, writable, anon | MAP_POPULATE), LENGTH);
    expect_locked(map(LENGTH, writable, anon | MAP_STACK), LENGTH);
    expect_locked(map(LENGTH, writable, anon | MAP_NORESERVE), LENGTH);
    expect_locked(map(LENGTH, writable, anon | MAP_32BIT), LENGTH);
    expect_locked(map(LENGTH, writable, MAP_SHARED | MAP_ANONYMOUS), LENGTH);
    expect_locked(map_fd(LENGTH, writable, MAP_SHARED, fd), LENGTH);
    expect_locked(map_fd(LENGTH, writable, MAP_PRIVATE, fd), LENGTH);
    expect_locked(map_fd(LENGTH, PROT_READ, MAP_SHARED, fd), LENGTH);
    expect_locked(map_fd(LENGTH, PROT_READ, MAP_PRIVATE, fd), LENGTH);
    expect_locked(map(1, writable, anon), 1);
}

/* As large as a reservation, and made without a claim to memory: locked, but brought in only as it
 * is used. */
static void without_reserve(void)
{
    enum { RESERVATION = 64 << 20, LOOKED_AT = 16 << 20 };
    char *start = map(RESERVATION, writable, anon | MAP_NORESERVE);

    expect(is_locked(start));
    expect_equal(resident_pages(start, LOOKED_AT), 0);
    *start = 1;
    expect_equal(mapping_of(start).locked_kb, PAGE / 1024);
    expect_equal(resident_pages(start, LOOKED_AT), 1);
}

/* Two pages of the file, and behind its end what can only be touched at the price of a signal. */
static void beyond_the_end_of_a_file(void)
{
    int fd = file_of(2 * PAGE);
    char *start = map_fd(LENGTH, writable, MAP_SHARED, fd);
    char *next = map(LENGTH, writable, anon);

    expect_marked(start, 2 * PAGE);
    expect_locked(next, LENGTH);
    expect(ftruncate(fd, LENGTH) == 0);
    start[LENGTH - 1] = 'x';
    expect(munmap(start, LENGTH) == 0);
    expect_locked(next, LENGTH);
}

/* Where pages that cannot be brought in cannot be locked on fault either: nothing else suffers. */
static void beyond_the_end_without_mlock2(void)
{
    char *start = map_fd(LENGTH, writable, MAP_SHARED, file_of(2 * PAGE));
    char *next;

    expect(syscall(SYS_mlock2, start, (long)PAGE, 1L) == -1 && errno == ENOSYS);
    next = map(LENGTH, writable, anon);
    expect_locked(next, LENGTH);
    expect_unlocked(start, PAGE);
    expect(munmap(start, LENGTH) == 0);
    expect_locked(next, LENGTH);
}

static void grows_down(void)
{
    char *start = map(LENGTH, writable, anon | MAP_GROWSDOWN);

    expect_locked(start, LENGTH);
    expect(munmap(start, LENGTH) == 0);
}

/* They are in memory for ever anyway: only that nothing goes wrong. */
static void huge_pages(void)
{
    enum { HUGE = 2 << 20 };
    char *start = mmap(NULL, HUGE, writable, anon | MAP_HUGETLB, -1, 0);

    if (start == MAP_FAILED)
        skip("no huge pages are set aside");
    memset(start, 1, HUGE);
    expect(munmap(start, HUGE) == 0);
    expect_locked(map(LENGTH, writable, anon), LENGTH);
}

/* They need not be there to be put over other memory, as long as nobody touches them. */
static void huge_pages_over_others(void)
{
    enum { HUGE = 2 << 20 };
    char *others = map(8 * HUGE, writable, anon);
    char *huge = (char *)(((uintptr_t)others + HUGE - 1) & ~(uintptr_t)(HUGE - 1));

    expect_locked(others, 8 * HUGE);
    if (mmap(huge, 4 * HUGE, writable, anon | MAP_HUGETLB | MAP_NORESERVE | MAP_FIXED, -1, 0) !=
        huge)
        skip("the kernel has no huge pages");
    expect_locked(huge + 4 * HUGE, HUGE);
}

/* The kernel says that it locks them. */
static void passed_over(void)
{
    const int droppable = 8;
    struct perf_event_attr clock = {.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(clock),
                                    .config = PERF_COUNT_SW_CPU_CLOCK,
                                    .exclude_kernel = 1};
    int fd = (int)syscall(SYS_perf_event_open, &clock, 0, -1, -1, 0);
    bool any = false;

    if (fd >= 0) {
        char *ring = mmap(NULL, 9 * PAGE, writable, MAP_SHARED, fd, 0);

        any = ring != MAP_FAILED;
        expect(!any || !is_locked(ring));
    }
    any |= mmap(NULL, LENGTH, writable, MAP_ANONYMOUS | droppable, -1, 0) != MAP_FAILED;
    if (!any)
        skip("neither perf's rings nor MAP_DROPPABLE can be had");
    expect_locked(map(LENGTH, writable, MAP_SHARED | MAP_ANONYMOUS), LENGTH);
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, LENGTH, IPC_CREAT | 0600);
    char *start = shmat(id, NULL, 0);
    char *again = shmat(id, NULL, SHM_RDONLY);
    long locked_kb;

    expect(id >= 0 && start != (void *)-1 && again != (void *)-1);
    expect(shmctl(id, IPC_RMID, NULL) == 0);
    expect_locked(start, LENGTH);
    expect_locked(again, LENGTH);
    locked_kb = status_kb("VmLck");
    expect(shmdt(start) == 0);
    expect_equal(status_kb("VmLck"), locked_kb - LENGTH / 1024);
    expect_locked(again, LENGTH);
    expect(shmdt(again) == 0);
    expect_equal(status_kb("VmLck"), locked_kb - 2 * LENGTH / 1024);
    expect(shmdt(start) == -1 && errno == EINVAL);
}

/* `heap` is the malloc family: what the program itself takes is `anon`. */
static void heap_end_moved(void)
{
    enum { LONG = 1 << 20 };
    char *start = sbrk(LONG + 100);

    expect(start != (void *)-1);
    expect_locked(start, LONG + 100);
    expect(sbrk(-LONG / 2) != (void *)-1);
    expect_locked(start, LONG / 2);
    expect(brk(start + 2 * LONG) == 0);
    expect_locked(start, 2 * LONG);
    expect(brk(start + PAGE) == 0);
    expect_locked(start, PAGE);
    expect_equal(sbrk(0) == start + PAGE, true);
    expect(sbrk(LONG) == start + PAGE);
    expect_locked(start, LONG + PAGE);
}

/* Given back to the middle of a page, and taken by malloc: KINDS=heap,anon. */
static void heap_end_moved_before_malloc(void)
{
    enum { LONG = 1 << 20, BLOCKS = 500, SIZE = 3000 };
    static char *block[BLOCKS];
    char *start = sbrk(LONG);

    expect(start != (void *)-1);
    expect(sbrk(-(LONG - 100)) == start + LONG);
    for (size_t i = 0; i < BLOCKS; i++)
        expect((block[i] = malloc(SIZE)));
    expect(block[BLOCKS - 1] > start);
    watch_take();
    for (size_t i = 0; i < BLOCKS; i++)
        expect(watch_all_locked(block[i], SIZE));
    expect_locked(start, 100);
    for (size_t i = 0; i < BLOCKS; i++)
        free(block[i]);
    expect_locked(start, 100);
}

/* -- the policy ----------------------------------------------------------------------------- */

/* MIN_SIZE=64K MAX_SIZE=1M: sizes as they are asked for, in whole pages. */
static void by_size(void)
{
    int fd = file_of(4 << 20);

    expect_unlocked(map(60 << 10, writable, anon), 60 << 10);
    expect_locked(map((60 << 10) + 1, writable, anon), 64 << 10);
    expect_locked(map(64 << 10, writable, anon), 64 << 10);
    expect_locked(map(1 << 20, writable, anon), 1 << 20);
    expect_unlocked(map((1 << 20) + 1, writable, anon), (1 << 20) + PAGE);
    expect_unlocked(map_fd(60 << 10, writable, MAP_SHARED, fd), 60 << 10);
    expect_locked(map_fd(1 << 20, writable, MAP_SHARED, fd), 1 << 20);
    expect_unlocked(map_fd(4 << 20, writable, MAP_PRIVATE, fd), 4 << 20);
}

/* What is left of a mapping is judged by what it was. MIN_SIZE=64K. */
static void by_size_after_parting(void)
{
    char *start = map(LENGTH, writable, anon);

    expect(munmap(pages(start, 4), LENGTH - 8 * PAGE) == 0);
    expect_locked(start, 4 * PAGE);
    expect_locked(pages(start, PAGES - 4), 4 * PAGE);
}

/* One mapping of each kind; AUTOLOCK_KINDS names one. */
static void by_kind(void)
{
    const char *kind = getenv("AUTOLOCK_KINDS");
    int fd = file_of(LENGTH);
    int id = shmget(IPC_PRIVATE, LENGTH, IPC_CREAT | 0600);
    const struct {
        const char *kind;
        char *start;
    } maps[] = {
        {"anon", map(LENGTH, writable, anon)},
        {"file", map_fd(LENGTH, writable, MAP_SHARED, fd)},
        {"file", map_fd(LENGTH, PROT_READ, MAP_PRIVATE, fd)},
        {"shared", map(LENGTH, writable, MAP_SHARED | MAP_ANONYMOUS)},
        {"shared", shmat(id, NULL, 0)},
        {"stack", map(LENGTH, writable, anon | MAP_STACK)},
        {"heap", malloc(LENGTH)},
    };

    expect(kind);
    for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
        if (strcmp(maps[i].kind, kind) == 0)
            expect_locked(maps[i].start, LENGTH);
        else
            expect_unlocked(maps[i].start, LENGTH);
    }
    expect(shmctl(id, IPC_RMID, NULL) == 0);
}

/* FLAGS=current: nothing that appears later. */
static void current_only(void)
{
    expect_unlocked(map(LENGTH, writable, anon), LENGTH);
    expect_unlocked(used(malloc(LENGTH)), LENGTH);
}

/* FLAGS=future,onfault: marked, and brought in by touching. */
static void on_fault(void)
{
    char *start = map(LENGTH, writable, anon);
    char *block = malloc(LENGTH);

    expect_marked(start, LENGTH);
    expect(resident_pages(start, LENGTH) == 0);
    start[10 * PAGE] = 1;
    expect(resident_pages(start, LENGTH) == 1);
    expect_marked(block, LENGTH);
    expect(resident_pages(block, LENGTH) <= 2);
    start = mremap(start, LENGTH, 2 * LENGTH, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED);
    expect_marked(start, 2 * LENGTH);
    expect(resident_pages(start, 2 * LENGTH) <= 1);
}

SCENARIOS(SCENARIO(unmap_parts), SCENARIO(unmap_fails), SCENARIO(reservation_opened_in_parts),
          SCENARIO(huge_reservation), SCENARIO(closed_and_opened_again),
          SCENARIO(protection_changes_nothing_else), SCENARIO(fixed_over_half),
          SCENARIO(fixed_changes_kind), SCENARIO(remap_grows), SCENARIO(remap_shrinks),
          SCENARIO(remap_moves), SCENARIO(remap_leaves), SCENARIO(remap_leaves_in_the_middle),
          SCENARIO(remap_duplicates), SCENARIO(remap_of_reservation), SCENARIO(each_sort),
          SCENARIO(without_reserve), SCENARIO(beyond_the_end_of_a_file),
          SCENARIO(beyond_the_end_without_mlock2), SCENARIO(grows_down), SCENARIO(huge_pages),
          SCENARIO(huge_pages_over_others), SCENARIO(passed_over), SCENARIO(segments),
          SCENARIO(heap_end_moved), SCENARIO(heap_end_moved_before_malloc), SCENARIO(by_size),
          SCENARIO(by_size_after_parting), SCENARIO(by_kind), SCENARIO(current_only),
          SCENARIO(on_fault))
