/* What is made of a program's advice on memory that is locked for it. */
#include "advise.h"
#include "kernel.h"
#include "kernel_double.h"
#include "sys.h"
#include "unit.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* The kernel's own values, as advise.c has them. */
enum { GUARD_INSTALL = 102, DONTNEED_LOCKED = 24, COLD = 20, PAGEOUT = 21 };

static char *const start = (char *)(1 << 24);
static const size_t length = 1 << 16;

static void modern_kernel(void)
{
    memset(&kernel_double, 0, sizeof(kernel_double));
    kernel_double.locked = true;
}

START_TEST(what_the_kernel_refuses)
{
    static const int refused[] = {MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
                                  COLD,          PAGEOUT,   GUARD_INSTALL};

    for (int advice = 0; advice < 128; advice++) {
        bool wanted = false;

        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
            wanted = wanted || refused[i] == advice;
        ck_assert_int_eq(al_advise_is_refused(advice), wanted);
    }
}
END_TEST

START_TEST(pages_are_given_back_under_the_lock)
{
    ck_assert_int_eq(al_advise_locked(start, length, MADV_DONTNEED), 0);
    ck_assert_int_eq(kernel_double.advice, DONTNEED_LOCKED);
    ck_assert_uint_eq(kernel_double.other_calls + kernel_double.mlock2_calls, 0);
}
END_TEST

/* Unlocked, advised, locked again on fault. */
START_TEST(an_old_kernel_gives_pages_back_without_it)
{
    kernel_double.unknown_advice = DONTNEED_LOCKED;
    ck_assert_int_eq(al_advise_locked(start, length, MADV_DONTNEED), 0);
    ck_assert_int_eq(kernel_double.advice, MADV_DONTNEED);
    ck_assert_uint_eq(kernel_double.mlock2_calls, 1);
    ck_assert_uint_eq(kernel_double.mlock2_length, length);
    ck_assert_uint_eq(kernel_double.mlock2_flags, AL_MLOCK_ONFAULT);
}
END_TEST

START_TEST(guards_are_installed_without_it)
{
    ck_assert_int_eq(al_advise_locked(start, length, GUARD_INSTALL), 0);
    ck_assert_int_eq(kernel_double.advice, GUARD_INSTALL);
    ck_assert_uint_eq(kernel_double.mlock2_calls, 1);
}
END_TEST

START_TEST(a_failure_leaves_it_locked)
{
    kernel_double.unknown_advice = GUARD_INSTALL;
    ck_assert_int_eq(al_advise_locked(start, length, GUARD_INSTALL), -EINVAL);
    ck_assert_uint_eq(kernel_double.mlock2_calls, 1);
}
END_TEST

START_TEST(what_may_be_left_is_left)
{
    ck_assert_int_eq(al_advise_locked(start, length, MADV_FREE), 0);
    ck_assert_int_eq(al_advise_locked(start, length, COLD), 0);
    ck_assert_int_eq(al_advise_locked(start, length, PAGEOUT), 0);
    ck_assert_int_eq(kernel_double.advice, 0);
    ck_assert_uint_eq(kernel_double.other_calls, 0);
}
END_TEST

/* Where the memory is not locked, the kernel meant something else by its refusal. */
START_TEST(unlocked_memory_is_not_our_business)
{
    kernel_double.locked = false;
    ck_assert_int_eq(al_advise_locked(start, length, MADV_FREE), -EINVAL);
    ck_assert_int_eq(al_advise_locked(start, length, MADV_DONTNEED), -EINVAL);
    ck_assert_uint_eq(kernel_double.other_calls + kernel_double.mlock2_calls, 0);
}
END_TEST

START_TEST(what_was_wrong_stays_wrong)
{
    ck_assert_int_eq(al_advise_locked(start + 1, length, MADV_DONTNEED), -EINVAL);
    ck_assert_int_eq(al_advise_locked(start, SIZE_MAX, MADV_FREE), -EINVAL);
    ck_assert_uint_eq(kernel_double.madvise_calls, 0);
    ck_assert_int_eq(al_advise_locked(start, length, MADV_WILLNEED), -EINVAL);
    ck_assert_uint_eq(kernel_double.other_calls, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("advise");

    tcase_add_checked_fixture(tests, modern_kernel, NULL);
    tcase_add_test(tests, what_the_kernel_refuses);
    tcase_add_test(tests, pages_are_given_back_under_the_lock);
    tcase_add_test(tests, an_old_kernel_gives_pages_back_without_it);
    tcase_add_test(tests, guards_are_installed_without_it);
    tcase_add_test(tests, a_failure_leaves_it_locked);
    tcase_add_test(tests, what_may_be_left_is_left);
    tcase_add_test(tests, unlocked_memory_is_not_our_business);
    tcase_add_test(tests, what_was_wrong_stays_wrong);
    return unit_run(tests);
}
