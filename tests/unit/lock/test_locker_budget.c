/* The budget: what it lets through, in parts too, and how it shrinks. */
#include "locker_check.h"

#include <errno.h>

START_TEST(the_budget)
{
    al_books.budget_pages = 10;
    own_and_lock(10, 6);
    own(20, 5);
    ck_assert_int_eq(lock(20, 5), -ENOMEM);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    own_and_lock(30, 4);
    ck_assert_uint_eq(al_books.locked_pages, 10);
    ck_assert_uint_eq(al_books.peak_pages, 10);
    check_books();
}
END_TEST

START_TEST(what_is_locked_already_needs_no_budget)
{
    al_books.budget_pages = 10;
    own_and_lock(10, 9);
    own_and_lock(18, 2);
    ck_assert_uint_eq(al_books.locked_pages, 10);
    ck_assert_int_eq(lock(10, 10), 0);
    ck_assert_uint_eq(al_books.peak_pages, 10);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 0);
    check_books();
}
END_TEST

/* -- by parts ------------------------------------------------------------------------------- */

static void by_parts(uint64_t budget_pages)
{
    al_books.unlimited = false;
    al_books.by_parts = true;
    al_books.budget_pages = budget_pages;
}

START_TEST(of_what_does_not_fit_the_beginning)
{
    by_parts(7);
    own(10, 20);
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    check_only_locked(10, 7);
    check_books();
    ck_assert_uint_eq(al_books.peak_pages, 7);
    ck_assert_uint_eq(al_books.total_pages, 7);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
}
END_TEST

/* Pages that are locked for others already take nothing of what is left. */
START_TEST(of_what_is_locked_in_part_more)
{
    by_parts(12);
    own_and_lock(13, 3);
    own_and_lock(20, 2);
    own(10, 20);
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    check_only_locked(10, 12);
    check_books();
}
END_TEST

/* The budget has them, the kernel may not: what does not fit is beside them. */
START_TEST(what_is_in_doubt_is_asked_for_all_the_same)
{
    by_parts(12);
    own_and_lock(20, 4);
    set(20, 4, AL_PAGE_UNSURE);
    kernel_model_map(page_at(20), page_at(24), true);
    own(10, 20);
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    ck_assert_uint_eq(kernel_model_locked(page_at(10), page_at(18)), 8);
    ck_assert_uint_eq(kernel_model_locked(page_at(20), page_at(24)), 4);
    ck_assert_uint_eq(bits_of(20), AL_PAGE_LOCKED);
    check_books();
}
END_TEST

START_TEST(over_leaves)
{
    by_parts(AL_LEAF_PAGES + 7);
    own(AL_LEAF_PAGES - 3, 2 * AL_LEAF_PAGES);
    ck_assert_int_eq(lock(AL_LEAF_PAGES - 3, 2 * AL_LEAF_PAGES), -ENOMEM);
    check_only_locked(AL_LEAF_PAGES - 3, AL_LEAF_PAGES + 7);
    check_books();
}
END_TEST

START_TEST(of_nothing_no_part)
{
    by_parts(5);
    own_and_lock(10, 5);
    own(20, 5);
    ck_assert_int_eq(lock(20, 5), -ENOMEM);
    check_only_locked(10, 5);
    check_books();
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
}
END_TEST

/* The part is refused: nothing of it stays. */
START_TEST(a_part_that_is_refused)
{
    by_parts(7);
    own(10, 20);
    kernel_model.refusal = -EAGAIN;
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

START_TEST(not_by_parts_where_no_limit_holds)
{
    al_books.budget_pages = 7;
    own(10, 20);
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    check_only_locked(0, 0);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
}
END_TEST

/* -- lowering ------------------------------------------------------------------------------- */

START_TEST(a_budget_is_lowered_never_raised)
{
    al_books.budget_pages = 100;
    al_books_lower_budget(200);
    ck_assert_uint_eq(al_books.budget_pages, 100);
    al_books_lower_budget(40);
    ck_assert_uint_eq(al_books.budget_pages, 40);
    al_books_lower_budget(40);
    al_books_lower_budget(41);
    ck_assert_uint_eq(al_books.budget_pages, 40);
}
END_TEST

/* More is locked than that: it stays, and nothing is added. */
START_TEST(below_what_is_locked)
{
    by_parts(100);
    own_and_lock(10, 20);
    al_books_lower_budget(5);
    ck_assert_uint_eq(al_books_left(), 0);
    own(40, 1);
    ck_assert_int_eq(lock(40, 1), -ENOMEM);
    ck_assert_int_eq(lock(10, 20), 0); /* asked for again, it takes nothing */
    check_only_locked(10, 20);
    check_books();
}
END_TEST

/* -- releasing ------------------------------------------------------------------------------ */

START_TEST(released_for_the_program)
{
    own_and_lock(10, 20);
    own_and_lock(50, 20);
    ck_assert(al_locker_release(25));
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 15);
    ck_assert_uint_eq(al_books.locked_pages, 15);
    ck_assert_uint_eq(al_books.budget_pages, 15);
    check_books();
    /* its owners are there still, and get it no more */
    ck_assert_uint_eq(owners_of(12), 1);
    ck_assert_int_eq(lock(10, 20), -ENOMEM);
    ck_assert_uint_eq(al_books.locked_pages, 15);
}
END_TEST

START_TEST(released_of_leaves_and_spans)
{
    own_and_lock(in_leaf(1, 0), AL_LEAF_PAGES); /* a span */
    own_and_lock(in_leaf(3, 100), 20);
    ck_assert(al_locker_release(10));
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, AL_LEAF_PAGES + 10);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), AL_LEAF_PAGES + 10);
    ck_assert(al_locker_release(AL_LEAF_PAGES));
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 10);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 10);
}
END_TEST

/* Unowned pages are ours as well, and the slack with them. */
START_TEST(released_without_an_owner)
{
    own_and_lock(10, 20);
    disown(10, 20);
    ck_assert(al_locker_release(20));
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(al_books.unowned_pages, 0);
}
END_TEST

/* What the program has locked itself counts for it: unlocking it would help nobody. */
START_TEST(the_programs_own_are_kept)
{
    own_and_lock(10, 20);
    set(12, 5, AL_PAGE_PROGRAM);
    ck_assert(al_locker_release(100));
    check_only_locked(12, 5);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 5);
    ck_assert_uint_eq(al_books.budget_pages, 5);
    ck_assert(!al_locker_release(1));
    check_only_locked(12, 5);
}
END_TEST

START_TEST(nothing_to_release)
{
    uint64_t budget = al_books.budget_pages;

    ck_assert(!al_locker_release(10));
    ck_assert_uint_eq(al_books.budget_pages, budget);
    own_and_lock(10, 5);
    al_books.observe = true;
    ck_assert(!al_locker_release(5));
    al_books.observe = false;
    ck_assert(al_locker_enter());
    ck_assert(!al_locker_release(5)); /* in a signal handler */
    al_locker_leave();
    check_only_locked(10, 5);
    ck_assert_uint_eq(al_books.budget_pages, budget);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker_budget");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, the_budget);
    tcase_add_test(tests, what_is_locked_already_needs_no_budget);
    tcase_add_test(tests, of_what_does_not_fit_the_beginning);
    tcase_add_test(tests, of_what_is_locked_in_part_more);
    tcase_add_test(tests, what_is_in_doubt_is_asked_for_all_the_same);
    tcase_add_test(tests, over_leaves);
    tcase_add_test(tests, of_nothing_no_part);
    tcase_add_test(tests, a_part_that_is_refused);
    tcase_add_test(tests, not_by_parts_where_no_limit_holds);
    tcase_add_test(tests, a_budget_is_lowered_never_raised);
    tcase_add_test(tests, below_what_is_locked);
    tcase_add_test(tests, released_for_the_program);
    tcase_add_test(tests, released_of_leaves_and_spans);
    tcase_add_test(tests, released_without_an_owner);
    tcase_add_test(tests, the_programs_own_are_kept);
    tcase_add_test(tests, nothing_to_release);
    return unit_run(tests);
}
