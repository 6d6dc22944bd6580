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

static const struct al_privilege exempt = {.soft_limit = 4096, .capable = true, .exempt = true};
static const struct al_privilege limited = {.soft_limit = 8 << 20, .hard_limit = 8 << 20};

static struct al_lock_all lock;

static void modern_kernel(void)
{
    al_downgrades_begin(0);
    memset(&kernel_double, 0, sizeof(kernel_double));
    kernel_double.knows_onfault = true;
}

static void start(unsigned flags, const struct al_privilege *privilege)
{
    lock = al_lock_all_start(flags, privilege);
}

static void expect_locked(unsigned flags, size_t downgrades)
{
    ck_assert_int_eq(lock.error, 0);
    ck_assert_int_eq(lock.backend, AL_BACKEND_KERNEL);
    ck_assert_uint_eq(lock.flags, flags);
    ck_assert_uint_eq(kernel_double.in_force, flags);
    ck_assert_uint_eq(al_downgrades_count(), downgrades);
}

static void expect_nothing(int error)
{
    ck_assert_int_eq(lock.error, error);
    ck_assert_int_eq(lock.backend, AL_BACKEND_NONE);
    ck_assert_uint_eq(lock.flags, 0);
    ck_assert_uint_eq(kernel_double.in_force, 0);
}

START_TEST(all_that_is_asked_for)
{
    start(current | future, &exempt);
    expect_locked(current | future, 0);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
}
END_TEST

START_TEST(under_a_limit_the_future_is_left_out)
{
    start(current | future, &limited);
    expect_locked(current, 2);
    ck_assert_ptr_nonnull(strstr(al_downgrade_at(0).reason, "future not locked"));
    /* a locked stack that grows past the limit is a SIGSEGV */
    ck_assert_ptr_nonnull(strstr(al_downgrade_at(1).reason, "main stack not locked"));
    ck_assert_uint_eq(kernel_double.other_calls, 1);
}
END_TEST

START_TEST(under_a_limit_nothing_is_left_of_future_alone)
{
    start(future, &limited);
    expect_nothing(-EPERM);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 0);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    start(future | onfault, &limited);
    expect_nothing(-EPERM);
}
END_TEST

START_TEST(an_old_kernel_brings_pages_in)
{
    kernel_double.knows_onfault = false;
    start(current | future | onfault, &exempt);
    expect_locked(current | future, 1);
    ck_assert_ptr_nonnull(strstr(al_downgrade_at(0).reason, "onfault not had"));
}
END_TEST

START_TEST(an_old_kernel_under_a_limit)
{
    kernel_double.knows_onfault = false;
    start(current | future | onfault, &limited);
    expect_locked(current, 3);
}
END_TEST

START_TEST(an_old_kernel_under_a_limit_that_is_too_small)
{
    kernel_double.knows_onfault = false;
    kernel_double.mlockall_error = -ENOMEM;
    start(current | onfault, &limited);
    expect_nothing(-ENOMEM);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 2);
}
END_TEST

static const int errors[] = {-EPERM, -ENOMEM, -EAGAIN, -ENOSYS, -EINVAL, -EFAULT};

START_TEST(an_error_is_handed_on)
{
    kernel_double.mlockall_error = errors[_i];
    start(current | future, &exempt);
    expect_nothing(errors[_i]);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
}
END_TEST

/* For every wish, privilege, kernel and failure: rules that always hold. */
START_TEST(rules)
{
    unsigned flags = (unsigned)_i & 7;
    const struct al_privilege *privilege = _i & 8 ? &exempt : &limited;

    if (!(flags & (current | future)))
        return;
    for (size_t i = 0; i <= sizeof(errors) / sizeof(errors[0]); i++) {
        modern_kernel();
        kernel_double.knows_onfault = _i & 16;
        kernel_double.mlockall_error = i ? errors[i - 1] : 0;
        start(flags, privilege);

        /* never more than was asked for, and the result is what the kernel has */
        ck_assert_uint_eq(lock.flags & ~flags, 0);
        ck_assert_uint_eq(lock.flags, kernel_double.in_force);
        ck_assert_int_eq(lock.backend == AL_BACKEND_KERNEL, lock.flags != 0);
        ck_assert_int_eq(lock.error == 0, lock.flags != 0);
        /* what could make the program's own calls fail is not left behind */
        if (!privilege->exempt)
            ck_assert_uint_eq(lock.flags & future, 0);
        /* less is never without a word */
        if (!lock.error && lock.flags != flags)
            ck_assert_uint_gt(al_downgrades_count(), 0);
        /* the main stack is unlocked where it could not grow */
        ck_assert_uint_eq(kernel_double.other_calls, !lock.error && !privilege->exempt);
        ck_assert_uint_eq(kernel_double.mlock2_calls, 0);
    }
}
END_TEST

START_TEST(again_in_a_child)
{
    lock = al_lock_all_again(current | future, true, &exempt);
    expect_locked(current | future | onfault, 0);
    lock = al_lock_all_again(current | future, false, &exempt);
    expect_locked(current | future, 0);
    lock = al_lock_all_again(current | future, true, &limited);
    expect_locked(current | onfault, 2);
}
END_TEST

/* Bringing the pages in would copy all that is shared with the parent. */
START_TEST(an_old_kernel_locks_nothing_on_fault_in_a_child)
{
    kernel_double.knows_onfault = false;
    lock = al_lock_all_again(current | future, true, &exempt);
    expect_nothing(-EINVAL);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    lock = al_lock_all_again(current | future, false, &exempt);
    expect_locked(current | future, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lock_all");

    tcase_add_checked_fixture(tests, modern_kernel, NULL);
    tcase_add_test(tests, all_that_is_asked_for);
    tcase_add_test(tests, under_a_limit_the_future_is_left_out);
    tcase_add_test(tests, under_a_limit_nothing_is_left_of_future_alone);
    tcase_add_test(tests, an_old_kernel_brings_pages_in);
    tcase_add_test(tests, an_old_kernel_under_a_limit);
    tcase_add_test(tests, an_old_kernel_under_a_limit_that_is_too_small);
    tcase_add_loop_test(tests, an_error_is_handed_on, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_loop_test(tests, rules, 0, 32);
    tcase_add_test(tests, again_in_a_child);
    tcase_add_test(tests, an_old_kernel_locks_nothing_on_fault_in_a_child);
    return unit_run(tests);
}
