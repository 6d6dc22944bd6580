/* What is asked of the kernel for all memory, and what is made of its refusals. */
#include "downgrades.h"
#include "kernel_double.h"
#include "lock_all.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static const unsigned current = AL_FLAG_CURRENT;
static const unsigned future = AL_FLAG_FUTURE;
static const unsigned onfault = AL_FLAG_ONFAULT;

static struct al_lock_all lock;

static void modern_kernel(void)
{
    al_downgrades_begin(0);
    memset(&kernel_double, 0, sizeof(kernel_double));
    kernel_double.knows_onfault = true;
}

static void start(unsigned flags)
{
    lock = al_lock_all_start(flags);
}

static void expect_locked(unsigned flags, size_t downgrades)
{
    ck_assert_int_eq(lock.error, 0);
    ck_assert_uint_eq(lock.flags, flags);
    ck_assert_uint_eq(kernel_double.in_force, flags);
    ck_assert_uint_eq(al_downgrades_count(), downgrades);
}

static void expect_nothing(int error)
{
    ck_assert_int_eq(lock.error, error);
    ck_assert_uint_eq(lock.flags, 0);
    ck_assert_uint_eq(kernel_double.in_force, 0);
}

START_TEST(all_that_is_asked_for)
{
    start(current | future);
    expect_locked(current | future, 0);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
}
END_TEST

START_TEST(an_old_kernel_brings_pages_in)
{
    kernel_double.knows_onfault = false;
    start(current | future | onfault);
    expect_locked(current | future, 1);
    ck_assert_ptr_nonnull(strstr(al_downgrade_at(&al_live.head, 0)->reason, "onfault not had"));
}
END_TEST

START_TEST(an_old_kernel_that_refuses_the_rest_too)
{
    kernel_double.knows_onfault = false;
    kernel_double.mlockall_error = -ENOMEM;
    start(current | onfault);
    expect_nothing(-ENOMEM);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 2);
}
END_TEST

static const int errors[] = {-EPERM, -ENOMEM, -EAGAIN, -ENOSYS, -EINVAL, -EFAULT};

START_TEST(an_error_is_handed_on)
{
    kernel_double.mlockall_error = errors[_i];
    start(current | future);
    expect_nothing(errors[_i]);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
}
END_TEST

/* For every wish, kernel and failure: rules that always hold. */
START_TEST(rules)
{
    unsigned flags = (unsigned)_i & 7;

    if (!(flags & (current | future)))
        return;
    for (size_t i = 0; i <= sizeof(errors) / sizeof(errors[0]); i++) {
        modern_kernel();
        kernel_double.knows_onfault = _i & 8;
        kernel_double.mlockall_error = i ? errors[i - 1] : 0;
        start(flags);

        /* never more than was asked for, and the result is what the kernel has */
        ck_assert_uint_eq(lock.flags & ~flags, 0);
        ck_assert_uint_eq(lock.flags, kernel_double.in_force);
        ck_assert_int_eq(lock.error == 0, lock.flags != 0);
        /* when to lock is never left out, how to is not without a word */
        if (!lock.error) {
            ck_assert_uint_eq(lock.flags & ~onfault, flags & ~onfault);
            ck_assert_uint_eq(al_downgrades_count(), lock.flags != flags);
        }
        /* what is locked by the kernel is its own: nothing is taken out */
        ck_assert_uint_eq(kernel_double.other_calls + kernel_double.mlock2_calls, 0);
    }
}
END_TEST

START_TEST(again_in_a_child)
{
    lock = al_lock_all_again(current | future, true);
    expect_locked(current | future | onfault, 0);
    lock = al_lock_all_again(current | future, false);
    expect_locked(current | future, 0);
}
END_TEST

/* Bringing the pages in would copy all that is shared with the parent. */
START_TEST(an_old_kernel_locks_nothing_on_fault_in_a_child)
{
    kernel_double.knows_onfault = false;
    lock = al_lock_all_again(current | future, true);
    expect_nothing(-EINVAL);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    lock = al_lock_all_again(current | future, false);
    expect_locked(current | future, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lock_all");

    tcase_add_checked_fixture(tests, modern_kernel, NULL);
    tcase_add_test(tests, all_that_is_asked_for);
    tcase_add_test(tests, an_old_kernel_brings_pages_in);
    tcase_add_test(tests, an_old_kernel_that_refuses_the_rest_too);
    tcase_add_loop_test(tests, an_error_is_handed_on, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_loop_test(tests, rules, 0, 16);
    tcase_add_test(tests, again_in_a_child);
    tcase_add_test(tests, an_old_kernel_locks_nothing_on_fault_in_a_child);
    return unit_run(tests);
}
