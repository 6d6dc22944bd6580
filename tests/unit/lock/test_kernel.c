/* The door itself, with the kernel behind it: each call is counted, timed, its failure booked. */
#include "counters.h"
#include "kernel.h"
#include "sys.h"
#include "unit.h"

#include <sys/mman.h>

static uint64_t sum[AL_COUNTER_TOTAL];

static void look(void)
{
    al_counters_sum(sum);
}

static void *map_pages(size_t count)
{
    long start = al_sys_mmap(NULL, count * al_page_size(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert(!al_sys_failed(start));
    return (void *)start;
}

START_TEST(a_page_is_locked_and_unlocked)
{
    void *page = map_pages(1);

    if (al_kernel_mlock2(page, 1, 0) != 0)
        return; /* a limit of nothing: see below */
    ck_assert_int_eq(al_kernel_munlock(page, 1), 0);
    look();
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_mlock2_count], 1);
    ck_assert_uint_gt(sum[AL_COUNT_syscalls_mlock2_time_ns], 0);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_munlock_count], 1);
    ck_assert_uint_gt(sum[AL_COUNT_syscalls_munlock_time_ns], 0);
    ck_assert_uint_eq(sum[AL_COUNT_failures_ENOMEM], 0);
}
END_TEST

START_TEST(failures_are_booked_by_errno)
{
    char *page = map_pages(1);
    int gone;

    munmap(page, al_page_size());
    errno = 1234;
    gone = al_kernel_mlock2(page, 1, 0);
    ck_assert_int_eq(al_kernel_mlock2(page, 1, ~0U), -EINVAL);
    ck_assert_int_eq(al_kernel_mlockall(0), -EINVAL);
    ck_assert_int_eq(al_kernel_mlockall(~0U), -EINVAL);
    ck_assert_int_eq(errno, 1234);
    look();
    /* under a limit of nothing the kernel does not even look */
    ck_assert_int_eq(gone, sum[AL_COUNT_failures_EPERM] ? -EPERM : -ENOMEM);
    ck_assert_uint_eq(sum[AL_COUNT_failures_ENOMEM] + sum[AL_COUNT_failures_EPERM], 1);
    ck_assert_uint_eq(sum[AL_COUNT_failures_EINVAL], 3);
    ck_assert_uint_eq(sum[AL_COUNT_failures_other], 0);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_mlock2_count], 2);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_mlockall_count], 2);
}
END_TEST

/* Nothing that was to be locked is unlocked because of them. */
START_TEST(failures_of_a_trial_are_not_booked)
{
    ck_assert_int_lt(al_kernel_try_mlock2((const void *)1, SIZE_MAX / 2, AL_MLOCK_ONFAULT), 0);
    ck_assert_int_lt(al_kernel_try_mlock2((const void *)1, SIZE_MAX / 2, 0), 0);
    look();
    for (enum al_counter i = AL_COUNT_failures_EPERM; i <= AL_COUNT_failures_other; i++)
        ck_assert_uint_eq(sum[i], 0);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_mlock2_count], 2);
}
END_TEST

START_TEST(failures_to_unlock_or_advise_are_not_booked)
{
    char *page = map_pages(1);

    munmap(page, al_page_size());
    ck_assert_int_eq(al_kernel_munlock(page, 1), -ENOMEM);
    ck_assert_int_eq(al_kernel_madvise(page, 1, -1), -EINVAL);
    look();
    ck_assert_uint_eq(sum[AL_COUNT_failures_ENOMEM] + sum[AL_COUNT_failures_EINVAL], 0);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_munlock_count], 1);
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_madvise_count], 1);
}
END_TEST

START_TEST(unlocking_everything_counts_as_unlocking)
{
    ck_assert_int_eq(al_kernel_munlockall(), 0);
    look();
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_munlock_count], 1);
}
END_TEST

/* In a child of its own, which libcheck makes: all that there is of it would be locked. */
START_TEST(what_is_locked_is_kept_and_nothing_is_to_come)
{
    void *before = map_pages(1);
    void *after;

    if (al_kernel_mlockall(AL_MCL_CURRENT | AL_MCL_FUTURE | AL_MCL_ONFAULT) != 0)
        return; /* a limit, or a kernel before 4.4 */
    ck_assert_int_eq(al_kernel_keep_all(), 0);
    after = map_pages(1);
    ck_assert(al_kernel_is_locked(before, al_page_size()));
    ck_assert(!al_kernel_is_locked(after, al_page_size()));
    look();
    ck_assert_uint_eq(sum[AL_COUNT_syscalls_mlockall_count], 2);
    ck_assert_int_eq(al_kernel_munlockall(), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("kernel");

    tcase_add_test(tests, a_page_is_locked_and_unlocked);
    tcase_add_test(tests, failures_are_booked_by_errno);
    tcase_add_test(tests, failures_of_a_trial_are_not_booked);
    tcase_add_test(tests, failures_to_unlock_or_advise_are_not_booked);
    tcase_add_test(tests, unlocking_everything_counts_as_unlocking);
    tcase_add_test(tests, what_is_locked_is_kept_and_nothing_is_to_come);
    return unit_run(tests);
}
