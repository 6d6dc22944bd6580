/* What is gathered of the running process. */
#include "mark.h"
#include "snapshot.h"
#include "sys.h"
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct al_config config;
static struct al_run run;
static struct al_snapshot snapshot;

static void begin(void)
{
    char problem_bytes[64];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    al_config_read(&config, NULL, &problems);
    config.stats = AL_STATS_JSON;
    run = (struct al_run){.pid = getpid(),
                          .config = &config,
                          .program = "p",
                          .backend = "none",
                          .limit_bytes = 4711,
                          .cgroup_limit_bytes = 4712};
    memset(&snapshot, 0xAA, sizeof(snapshot));
}

static uint64_t taken(enum al_field field)
{
    al_snapshot_take(&snapshot, &run, "exit");
    return snapshot.field[field];
}

START_TEST(who_and_how)
{
    errno = 1234;
    al_snapshot_take(&snapshot, &run, "quick_exit");
    ck_assert_int_eq(errno, 1234);
    ck_assert_ptr_eq(snapshot.run, &run);
    ck_assert_str_eq(snapshot.ended, "quick_exit");
    ck_assert_int_eq(snapshot.pid, getpid());
    ck_assert_int_eq(snapshot.ppid, getppid());
    ck_assert_ptr_eq(snapshot.head, &al_live.head);
}
END_TEST

START_TEST(counters_are_in_it)
{
    al_count_add(AL_COUNT_calls_malloc, 7);
    al_count_add(AL_COUNT_children_exec, 1);
    ck_assert_uint_eq(taken(AL_FIELD_calls_malloc), 7);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_children_exec], 1);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_calls_free], 0);
}
END_TEST

/* Also for who reads them from outside. */
START_TEST(blocks_from_before_make_no_count_negative)
{
    uint64_t sum[AL_COUNTER_TOTAL] = {0};

    al_count_add(AL_COUNT_by_kind_heap_requested_bytes, (uint64_t)-24);
    al_count_add(AL_COUNT_by_kind_heap_regions, (uint64_t)-1);
    ck_assert_uint_eq(taken(AL_FIELD_by_kind_heap_requested_bytes), 0);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_by_kind_heap_regions], 0);
    al_counters_sum(sum);
    al_snapshot_look(&snapshot, &al_live);
    al_snapshot_count(&snapshot, sum);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_by_kind_heap_requested_bytes], 0);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_by_kind_heap_regions], 0);
    al_count_add(AL_COUNT_by_kind_heap_regions, 3);
    ck_assert_uint_eq(taken(AL_FIELD_by_kind_heap_regions), 2);
}
END_TEST

START_TEST(memory_is_in_it)
{
    ck_assert_uint_gt(taken(AL_FIELD_memory_rss_bytes), 0);
    ck_assert_uint_ge(snapshot.field[AL_FIELD_memory_peak_rss_bytes],
                      snapshot.field[AL_FIELD_memory_rss_bytes]);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_memory_limit_bytes], 4711);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_memory_cgroup_limit_bytes], 4712);
    ck_assert_uint_gt(snapshot.field[AL_FIELD_need_memlock_bytes],
                      snapshot.field[AL_FIELD_memory_rss_bytes]);
}
END_TEST

START_TEST(locked_memory_and_its_peak)
{
    const size_t size = 8192;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    /* Not libc's: the thread sanitizer makes that one do nothing. */
    if (al_sys2(SYS_mlock, pages, size))
        return; /* a limit of nothing */
    ck_assert_uint_eq(taken(AL_FIELD_locked_kernel_bytes), size);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_memory_locked_bytes], size);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_locked_peak_kernel_bytes], size);
    al_sys2(SYS_munlock, pages, size);
    ck_assert_uint_eq(taken(AL_FIELD_locked_kernel_bytes), 0);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_locked_peak_kernel_bytes], size);
    ck_assert_uint_eq(run.peak_kernel_bytes, size);
}
END_TEST

START_TEST(faults_since_the_lock)
{
    enum { PAGES = 64 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    madvise(pages, PAGES * page, MADV_NOHUGEPAGE);
    al_faults_read(&run.minor_at_lock, &run.major_at_lock);
    for (size_t i = 0; i < PAGES; i++)
        pages[i * page] = 1;
    ck_assert_uint_ge(taken(AL_FIELD_faults_minor_after_lock), PAGES);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_faults_minor],
                      snapshot.field[AL_FIELD_faults_minor_after_lock] + run.minor_at_lock);
    ck_assert_uint_ge(snapshot.field[AL_FIELD_faults_major],
                      snapshot.field[AL_FIELD_faults_major_after_lock]);
}
END_TEST

/* Faults that the process takes for sure. */
static void take_faults(size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    madvise(pages, count * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < count; i++)
        pages[i * page] = 1;
}

START_TEST(without_a_mark_faults_count_from_the_lock)
{
    al_mark_begin(&run);
    take_faults(32);
    ck_assert_uint_ge(taken(AL_FIELD_faults_minor_after_mark), 32);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_faults_minor_after_mark],
                      snapshot.field[AL_FIELD_faults_minor_after_lock]);
    ck_assert_uint_eq(snapshot.field[AL_FIELD_faults_major_after_mark],
                      snapshot.field[AL_FIELD_faults_major_after_lock]);
}
END_TEST

START_TEST(faults_since_the_last_mark)
{
    uint64_t minor;
    uint64_t major;

    al_mark_begin(&run);
    al_mark_set(&run);
    take_faults(64);
    al_faults_read(&minor, &major);
    al_mark_set(&run);
    take_faults(32);
    ck_assert_uint_ge(taken(AL_FIELD_faults_minor_after_mark), 32);
    ck_assert_uint_le(snapshot.field[AL_FIELD_faults_minor_after_mark],
                      snapshot.field[AL_FIELD_faults_minor] - minor);
    ck_assert_uint_ge(snapshot.field[AL_FIELD_faults_minor_after_lock], 96);
}
END_TEST

/* Whoever has read its faults before another mark, and comes to an end after it. */
START_TEST(mark_does_not_go_back)
{
    al_mark_begin(&run);
    run.minor_at_mark += 1000000;
    run.major_at_mark += 1000000;
    al_mark_set(&run);
    ck_assert_uint_eq(run.minor_at_mark, run.minor_at_lock + 1000000);
    ck_assert_uint_eq(run.major_at_mark, run.major_at_lock + 1000000);
}
END_TEST

START_TEST(beginning_anew_takes_the_mark_away)
{
    al_mark_begin(&run);
    take_faults(16);
    al_mark_set(&run);
    al_mark_begin(&run);
    ck_assert_uint_eq(run.minor_at_mark, run.minor_at_lock);
    ck_assert_uint_eq(run.major_at_mark, run.major_at_lock);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("snapshot");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, who_and_how);
    tcase_add_test(tests, counters_are_in_it);
    tcase_add_test(tests, blocks_from_before_make_no_count_negative);
    tcase_add_test(tests, memory_is_in_it);
    tcase_add_test(tests, locked_memory_and_its_peak);
    tcase_add_test(tests, faults_since_the_lock);
    tcase_add_test(tests, without_a_mark_faults_count_from_the_lock);
    tcase_add_test(tests, faults_since_the_last_mark);
    tcase_add_test(tests, mark_does_not_go_back);
    tcase_add_test(tests, beginning_anew_takes_the_mark_away);
    return unit_run(tests);
}
