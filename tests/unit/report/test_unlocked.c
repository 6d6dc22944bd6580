/* The ways to what is resident and not locked, held against the test's own reading of smaps. */
#include "io.h"
#include "residence.h"
#include "smaps.h"
#include "sys.h"
#include "unit.h"
#include "unlocked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PAGE_COUNT = 40 };

/* On fault, as a sanitizer has mapped more than there is. */
static const int all = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;

static size_t page;

static char *map(size_t pages, int flags, int fd)
{
    char *start = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, flags, fd, 0);

    ck_assert_ptr_ne(start, MAP_FAILED);
    return start;
}

/* Mappings of every sort, locked and not, one in two of whose pages is there. */
static void make_mappings(void)
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    FILE *file = fopen("pages", "w+");
    volatile char seen;

    ck_assert_int_eq(ftruncate(fileno(file), (off_t)(PAGE_COUNT * page)), 0);
    for (unsigned i = 0; i < 12; i++) {
        int flags = i % 3 == 0 ? anonymous : i % 3 == 1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE;
        char *start = map(PAGE_COUNT, flags, i % 3 == 2 ? fileno(file) : -1);

        for (unsigned at = 0; at < PAGE_COUNT; at += 2)
            start[at * page] = 1;
        /* The page of zeros, where the mapping has no file. */
        seen = start[page];
        (void)seen;
        if (i & 1)
            ck_assert_int_eq(mlock(start + i * page, (PAGE_COUNT - 2 * i) * page), 0);
        if (i > 8)
            ck_assert_int_eq(mprotect(start, 3 * page, PROT_NONE), 0);
    }
    (void)map((size_t)1 << 20, anonymous | MAP_NORESERVE, -1)[5 * page];
}

/* By stdio, and by nothing of the library's. */
static uint64_t unlocked_by_smaps(void)
{
    static char buffer[1 << 16];
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[8192];
    uint64_t sum = 0;
    unsigned long long resident = 0;
    int kernels = 0;

    /* What stdio needs for it is there before the first line is read. */
    setvbuf(smaps, buffer, _IOFBF, sizeof(buffer));
    while (fgets(line, sizeof(line), smaps)) {
        unsigned long long first;
        unsigned long long end;

        if (sscanf(line, "%llx-%llx ", &first, &end) == 2)
            kernels = strstr(line, " [v") != NULL;
        (void)sscanf(line, "Rss: %llu kB", &resident);
        if (strncmp(line, "VmFlags:", 8) == 0 && !strstr(line, " lo") && !kernels)
            sum += resident * 1024;
    }
    fclose(smaps);
    return sum;
}

static struct al_memory_status status_now(void)
{
    struct al_memory_status status;

    ck_assert_int_eq(al_memory_status_read(&status), 0);
    return status;
}

static uint64_t unlocked(struct al_memory_status status, bool whole)
{
    uint64_t bytes = 1;

    errno = 1234;
    ck_assert_int_eq(al_unlocked_resident(&status, whole, &bytes), 0);
    ck_assert_int_eq(errno, 1234);
    return bytes;
}

/* Twice, so that what the first look touches is there when it counts. */
#define SETTLED(expression) ((void)(expression), (expression))

START_TEST(as_smaps_has_it)
{
    uint64_t wanted;

    make_mappings();
    wanted = SETTLED(unlocked_by_smaps());
    (void)unlocked(status_now(), false);
    ck_assert_uint_gt(status_now().locked, 0);
    wanted = unlocked_by_smaps();
    ck_assert_uint_eq(unlocked(status_now(), false), wanted);
    ck_assert_uint_eq(unlocked(status_now(), true), wanted);
}
END_TEST

/* Of msync nothing but that it is not EBUSY; false if the kernel takes no filter. */
static bool make_msync_say_nothing(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_msync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Where msync or another thread makes the quick way disagree with VmLck, and with huge pages. */
START_TEST(the_slow_way_says_the_same)
{
    struct al_memory_status status;
    uint64_t quick;
    uint64_t slow = 0;

    make_mappings();
    quick = SETTLED(unlocked(status_now(), false));
    ck_assert_int_eq(SETTLED(al_smaps_unlocked(&slow)), 0);
    quick = unlocked(status_now(), false);
    ck_assert_int_eq(al_smaps_unlocked(&slow), 0);
    ck_assert_uint_eq(slow, quick);
    status = status_now();
    status.huge = page;
    ck_assert_uint_eq(unlocked(status, false), quick);
    if (make_msync_say_nothing()) {
        (void)al_smaps_unlocked(&slow);
        ck_assert_uint_eq(unlocked(status_now(), false), slow);
    } else {
        puts("without a filter of system calls: the kernel takes none");
    }
}
END_TEST

/* What looking brings in is in both figures. Older kernels tell the status with an error of some
 * pages. */
START_TEST(the_status_is_of_behind_the_look)
{
    const size_t pages = 2000;
    char *start = map(1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    struct al_memory_status before;
    struct al_memory_status status;
    uint64_t bytes;

    ck_assert_int_eq(mlock(start, page), 0);
    (void)SETTLED(unlocked(status_now(), false));
    before = status = status_now();
    memset(map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1), 1, pages * page);
    ck_assert_int_eq(al_unlocked_resident(&status, false, &bytes), 0);
    ck_assert_uint_eq(status.resident, status_now().resident);
    ck_assert_uint_ge(status.resident, before.resident + pages * page / 2);
}
END_TEST

START_TEST(nothing_is_locked)
{
    struct al_memory_status status = status_now();

    ck_assert_uint_eq(status.locked, 0);
    ck_assert_uint_eq(unlocked(status, false), status.resident);
    ck_assert_uint_eq(unlocked(status, true), status.resident);
}
END_TEST

/* All but the kernel's own: nothing is looked at if nobody can have unlocked anything. */
START_TEST(all_is_locked)
{
    struct al_memory_status status;

    ck_assert_int_eq(mlockall(all), 0);
    status = status_now();
    ck_assert_uint_gt(status.locked, 0);
    ck_assert_uint_eq(unlocked(status, false), 0);
    ck_assert_uint_eq(unlocked(status, true), 0);
}
END_TEST

START_TEST(one_page_is_not_locked)
{
    char *start = map(1, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    *start = 1;
    ck_assert_int_eq(mlockall(all), 0);
    ck_assert_int_eq(munlock(start, page), 0);
    ck_assert_uint_eq(unlocked(status_now(), false), page);
}
END_TEST

START_TEST(pages_of_a_range)
{
    int fd = al_residence_open();
    char *start = map(1000, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uintptr_t first = (uintptr_t)start;
    uint64_t bytes = 0;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(madvise(start, 1000 * page, MADV_NOHUGEPAGE), 0);
    ck_assert_int_eq(al_residence_add(fd, first, first + 1000 * page, &bytes), 0);
    ck_assert_uint_eq(bytes, 0);
    /* More stretches than are told at once. */
    for (unsigned i = 0; i < 1000; i += 2)
        start[i * page] = 1;
    ck_assert_int_eq(al_residence_add(fd, first, first + 1000 * page, &bytes), 0);
    ck_assert_uint_eq(bytes, 500 * page);
    /* It is added. */
    ck_assert_int_eq(al_residence_add(fd, first + 2 * page, first + 4 * page, &bytes), 0);
    ck_assert_uint_eq(bytes, 501 * page);
    ck_assert_int_eq(al_residence_add(fd, first, first, &bytes), 0);
    ck_assert_uint_eq(bytes, 501 * page);
    ck_assert_int_eq(al_residence_add(-1, first, first + page, &bytes), -EBADF);
    al_io_close(fd);
}
END_TEST

/* Before Linux 6.7 it cannot. */
static bool kernel_can_be_asked(void)
{
    int fd = al_residence_open();
    uint64_t bytes = 0;
    uintptr_t here = (uintptr_t)&bytes & ~(uintptr_t)(page - 1);
    int error = al_residence_add(fd, here, here + page, &bytes);

    al_io_close(fd);
    return error != -ENOTTY;
}

static bool all_may_be_locked(void)
{
    bool may = mlockall(all) == 0;

    munlockall();
    return may;
}

int main(void)
{
    TCase *tests = tcase_create("unlocked");

    page = al_page_size();
    if (UNIT_SANITIZED) {
        puts("skipped: a sanitizer replaces mlock by nothing");
        return UNIT_SKIP;
    }
    if (!all_may_be_locked()) {
        puts("skipped: not all may be locked here");
        return UNIT_SKIP;
    }
    unit_in_directory(tests);
    tcase_add_test(tests, as_smaps_has_it);
    tcase_add_test(tests, the_slow_way_says_the_same);
    tcase_add_test(tests, the_status_is_of_behind_the_look);
    tcase_add_test(tests, nothing_is_locked);
    tcase_add_test(tests, all_is_locked);
    tcase_add_test(tests, one_page_is_not_locked);
    if (kernel_can_be_asked())
        tcase_add_test(tests, pages_of_a_range);
    return unit_run(tests);
}
