/* What is refused for good is not asked for any more; what is sparse is not brought in. */
#include "locker_check.h"

#include <errno.h>

/* -- giving up ------------------------------------------------------------------------------ */

static const int forbidden[] = {-EPERM, -ENOSYS};

/* Who may not lock at all does not ask for each block. */
START_TEST(given_up_at_once)
{
    own(10, 5);
    kernel_model.refusal = forbidden[_i];
    ck_assert_int_eq(lock(10, 5), forbidden[_i]);
    ck_assert_uint_eq(al_books.budget_pages, 0);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    ck_assert_int_eq(lock(20, 5), -ENOMEM);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 2);
    check_only_locked(0, 0);
    check_books();
}
END_TEST

static void be_refused(unsigned times)
{
    kernel_model.refusal = -ENOMEM;
    al_books.unlimited = false; /* else each is asked for twice */
    for (unsigned i = 0; i < times; i++)
        ck_assert_int_eq(lock(10, 5), -ENOMEM);
    kernel_model.refusal = 0;
}

START_TEST(given_up_after_many)
{
    own(10, 5);
    be_refused(64);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 64);
    ck_assert_uint_eq(al_books.budget_pages, 0);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 64);
}
END_TEST

START_TEST(not_after_fewer)
{
    own(10, 5);
    be_refused(63);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    ck_assert_int_eq(lock(10, 5), 0);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

/* A lock between them shows that some can be had. */
START_TEST(not_if_some_are_had)
{
    own(10, 5);
    own(20, 5);
    for (unsigned i = 0; i < 5; i++) {
        be_refused(60);
        ck_assert_int_eq(lock(20, 5), 0);
    }
    ck_assert_uint_eq(al_downgrades_count(), 0);
    ck_assert_uint_eq(al_books.in_vain, 0);
    ck_assert_int_eq(lock(10, 5), 0);
    check_books();
}
END_TEST

/* What is locked by then stays. */
START_TEST(what_was_had_is_kept)
{
    own_and_lock(20, 5);
    own(10, 5);
    kernel_model.refusal = -EPERM;
    ck_assert_int_eq(lock(10, 5), -EPERM);
    check_only_locked(20, 5);
    check_books();
}
END_TEST

/* -- sparse --------------------------------------------------------------------------------- */

static int lock_sparse(size_t index, size_t count)
{
    return al_locker_lock_sparse(page_at(index), page_at(index + count));
}

START_TEST(sparse_is_on_fault)
{
    own(10, 5);
    ck_assert_int_eq(lock_sparse(10, 5), 0);
    ck_assert_uint_eq(kernel_model.last_flags, 1);
    check_only_locked(10, 5);
    check_books();
    own_and_lock(20, 5);
    ck_assert_uint_eq(kernel_model.last_flags, 0);
}
END_TEST

/* A kernel that cannot lock on fault brings nothing in instead, and goes on locking the rest. */
START_TEST(sparse_on_an_old_kernel)
{
    kernel_model.old = true;
    own(10, 5);
    ck_assert_int_eq(lock_sparse(10, 5), -ENOSYS);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    check_only_locked(0, 0);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    own_and_lock(20, 5);
    check_only_locked(20, 5);
    check_books();
}
END_TEST

START_TEST(sparse_within_the_budget)
{
    al_books.budget_pages = 3;
    own(10, 5);
    ck_assert_int_eq(lock_sparse(10, 5), -ENOMEM);
    check_only_locked(0, 0);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker_refusals");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_loop_test(tests, given_up_at_once, 0, 2);
    tcase_add_test(tests, given_up_after_many);
    tcase_add_test(tests, not_after_fewer);
    tcase_add_test(tests, not_if_some_are_had);
    tcase_add_test(tests, what_was_had_is_kept);
    tcase_add_test(tests, sparse_is_on_fault);
    tcase_add_test(tests, sparse_on_an_old_kernel);
    tcase_add_test(tests, sparse_within_the_budget);
    return unit_run(tests);
}
