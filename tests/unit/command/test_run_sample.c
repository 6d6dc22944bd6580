/* Samples of a process: what the kernel says, and a list that never grows. */
#include "run_sample.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct run_samples samples;

/* Looks one after the other, a millisecond apart; each has one fault more. */
static void add(uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last; i++) {
        struct run_sample sample = {.when_ns = (int64_t)i * 1000000, .minor = i, .major = i / 2};

        run_samples_add(&samples, &sample);
    }
}

START_TEST(what_fits_stays_as_it_is)
{
    add(0, RUN_SAMPLES_MAX - 1);
    ck_assert_uint_eq(samples.count, RUN_SAMPLES_MAX);
    ck_assert_uint_eq(samples.looks, 1);
    for (uint64_t i = 0; i < RUN_SAMPLES_MAX; i++)
        ck_assert_uint_eq(samples.list[i].minor, i);
}
END_TEST

START_TEST(a_long_run_has_as_many)
{
    for (uint64_t last = 0; last < 100 * (uint64_t)RUN_SAMPLES_MAX; last++) {
        add(last, last);
        ck_assert_uint_le(samples.count, RUN_SAMPLES_MAX);
        /* Nothing is lost at the ends. */
        ck_assert_uint_eq(samples.list[0].minor, 0);
        ck_assert_uint_eq(samples.list[samples.count - 1].minor, last);
    }
    ck_assert_uint_ge(samples.count, RUN_SAMPLES_MAX / 2);
    ck_assert_uint_eq(samples.looks, 128);
    /* And each but the first and the last stands for as many looks as the others. */
    for (size_t i = 1; i + 1 < samples.count; i++) {
        ck_assert_uint_eq(samples.list[i].minor, i * samples.looks);
        ck_assert_int_eq(samples.list[i].when_ns, (int64_t)(i * samples.looks) * 1000000);
    }
}
END_TEST

START_TEST(what_was_high_stays_high)
{
    struct run_sample high = {.when_ns = 5000000500, .locked = 7, .resident = 8, .swapped = 9};

    add(0, 5000);
    high.minor = 5001;
    run_samples_add(&samples, &high);
    add(5002, 50000);
    for (size_t i = 0; i < samples.count; i++) {
        if (!samples.list[i].locked)
            continue;
        ck_assert_uint_eq(samples.list[i].locked, 7);
        ck_assert_uint_eq(samples.list[i].resident, 8);
        ck_assert_uint_eq(samples.list[i].swapped, 9);
        ck_assert_uint_ge(samples.list[i].minor, 5001);
        ck_assert_uint_lt(samples.list[i - 1].minor, 5001);
        ck_assert_uint_eq(samples.most_locked, 7);
        ck_assert_uint_eq(samples.most_swapped, 9);
        return;
    }
    ck_abort_msg("it is gone");
}
END_TEST

START_TEST(of_this_process)
{
    struct run_sample before;
    struct run_sample after;
    size_t size = (size_t)16 << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert(run_sample_take(getpid(), &before));
    memset(memory, 1, size);
    ck_assert(run_sample_take(getpid(), &after));
    ck_assert_uint_ge(after.resident, before.resident + size / 2);
    ck_assert_uint_gt(after.minor, before.minor);
}
END_TEST

START_TEST(of_one_that_is_gone)
{
    struct run_sample sample;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    /* First it has no memory, and then it is not there. */
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    ck_assert(!run_sample_take(pid, &sample));
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert(!run_sample_take(pid, &sample));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("run_sample");

    tcase_add_test(tests, what_fits_stays_as_it_is);
    tcase_add_test(tests, a_long_run_has_as_many);
    tcase_add_test(tests, what_was_high_stays_high);
    tcase_add_test(tests, of_this_process);
    tcase_add_test(tests, of_one_that_is_gone);
    return unit_run(tests);
}
