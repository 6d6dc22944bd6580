/* Each run of its own costs the kernel mappings: past a bound a run must begin at another. */
#include "locker_check.h"

#include <errno.h>

START_TEST(no_more_runs)
{
    al_books.runs_max = 2;
    own_and_lock(1000, 1);
    own_and_lock(2000, 1);
    own(3000, 1);
    ck_assert_int_eq(lock(3000, 1), -ENOMEM);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
    /* but those there are may grow, at both ends, and over what lies between */
    own_and_lock(1001, 3);
    own_and_lock(998, 2);
    own_and_lock(1003, 4);
    own_and_lock(997, 20);
    check_books();
    ck_assert_int_eq(al_books.runs, 2);
    ck_assert_uint_eq(al_books.locked_pages, 21);
}
END_TEST

START_TEST(what_is_locked_is_no_new_run)
{
    al_books.runs_max = 1;
    own_and_lock(1000, 1);
    set(1000, 1, AL_PAGE_UNSURE);
    kernel_model_unlock(page_at(1000), page_at(1001));
    ck_assert_int_eq(lock(1000, 1), 0);
    own_and_lock(998, 5);
    own_and_lock(998, 3);
    check_only_locked(998, 5);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 0);
}
END_TEST

START_TEST(small_gaps_are_closed)
{
    al_books.runs_max = 1;
    own_and_lock(1000, 1);
    own_and_lock(1021, 2);
    check_only_locked(1000, 23);
    check_books();
    ck_assert_int_eq(al_books.runs, 1);
    ck_assert_uint_eq(al_books.unowned_pages, 20);
    /* nobody tells when it goes */
    ck_assert_uint_eq(bits_of(1010), AL_PAGE_LOCKED | AL_PAGE_UNSURE);
    own(1100, 1);
    ck_assert_int_eq(lock(1100, 1), -ENOMEM);
}
END_TEST

START_TEST(gaps_count_against_the_slack)
{
    al_books.runs_max = 1;
    own_and_lock(1000, 1);
    own_and_lock(1001, al_books_slack());
    disown(1001, al_books_slack());
    own(1021 + al_books_slack(), 1);
    ck_assert_int_eq(lock(1021 + al_books_slack(), 1), -ENOMEM);
    check_books();
}
END_TEST

START_TEST(a_gap_that_is_not_mapped)
{
    al_books.runs_max = 1;
    own_and_lock(1000, 1);
    kernel_model_unmap(page_at(1005), page_at(1006));
    own(1010, 1);
    ck_assert_int_eq(lock(1010, 1), -ENOMEM);
    check_only_locked(1000, 1);
    check_books();
}
END_TEST

START_TEST(reservations_are_no_gap)
{
    al_books.runs_max = 1;
    own_and_lock(1000, 1);
    set(1005, 2, AL_PAGE_CLOSED);
    own(1010, 1);
    ck_assert_int_eq(lock(1010, 1), -ENOMEM);
    check_only_locked(1000, 1);
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker_runs");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, no_more_runs);
    tcase_add_test(tests, what_is_locked_is_no_new_run);
    tcase_add_test(tests, small_gaps_are_closed);
    tcase_add_test(tests, gaps_count_against_the_slack);
    tcase_add_test(tests, a_gap_that_is_not_mapped);
    tcase_add_test(tests, reservations_are_no_gap);
    return unit_run(tests);
}
