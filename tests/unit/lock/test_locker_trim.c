/* Pages without an owner are given back. */
#include "locker_check.h"

static const size_t leaf_pages = AL_LEAF_PAGES;

START_TEST(within_the_slack_nothing_goes)
{
    size_t slack = al_books_slack();

    own_and_lock(10, slack + 1);
    disown(10, slack);
    al_locker_trim();
    check_only_locked(10, slack + 1);
    check_books();
}
END_TEST

START_TEST(past_it_much_goes)
{
    size_t slack = al_books_slack();

    own_and_lock(10, 10 * slack);
    disown(10, 9 * slack);
    al_locker_trim();
    check_books();
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    ck_assert_uint_eq(kernel_model_locked(page_at(10 + 9 * slack), page_at(10 + 10 * slack)),
                      slack);
}
END_TEST

/* However much there was: what is left is bounded by what is left locked. */
START_TEST(the_slack_shrinks_with_it)
{
    for (size_t leaf = 0; leaf < MODEL_LEAVES; leaf++)
        own_and_lock(in_leaf(leaf, 10), leaf_pages - 20);
    for (size_t leaf = 0; leaf < MODEL_LEAVES; leaf++) {
        disown(in_leaf(leaf, 10), leaf_pages - 20);
        al_locker_trim();
        check_books();
        ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    }
}
END_TEST

START_TEST(down_to_nothing)
{
    own_and_lock(10, 5);
    own_and_lock(leaf_pages + 10, 5);
    disown(11, 2);
    al_locker_trim_all();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 8);
    ck_assert_uint_eq(al_books.unowned_pages, 0);
    ck_assert_int_eq(al_books.runs, 3);
    ck_assert(!is_locked(11) && !is_locked(12) && is_locked(13));
    disown(10, 5);
    disown(leaf_pages + 10, 5);
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

/* Pages that are alike have no words of their own. */
START_TEST(spans)
{
    own_and_lock(leaf_pages, 3 * leaf_pages);
    ck_assert_ptr_null(al_pagemap_leaf(page_at(leaf_pages)));
    disown(2 * leaf_pages, leaf_pages);
    al_locker_trim_all();
    ck_assert_ptr_null(al_pagemap_leaf(page_at(2 * leaf_pages)));
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 2 * leaf_pages);
    ck_assert_int_eq(al_books.runs, 2);
}
END_TEST

/* A span that lost its owner, and then its uniformity. */
START_TEST(a_span_that_parted)
{
    own_and_lock(leaf_pages, leaf_pages);
    disown(leaf_pages, leaf_pages);
    set(leaf_pages + 5, 1, AL_PAGE_UNSURE);
    ck_assert_ptr_nonnull(al_pagemap_any_leaf(page_at(leaf_pages)));
    check_books();
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
}
END_TEST

START_TEST(what_the_program_locked_stays)
{
    own_and_lock(10, 9);
    set(12, 3, AL_PAGE_PROGRAM);
    disown(10, 9);
    al_locker_trim_all();
    check_only_locked(12, 3);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_int_eq(al_books.runs, 0);
}
END_TEST

START_TEST(where_the_program_locked_everything_nothing_is_unlocked)
{
    own_and_lock(10, 5);
    al_books.everything = true;
    disown(10, 5);
    al_locker_trim_all();
    al_locker_unlock(page_at(10), page_at(15));
    ck_assert_uint_eq(kernel_model.munlock_calls, 0);
    check_only_locked(10, 5);
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

/* What is remembered may be unmapped. */
START_TEST(past_holes)
{
    own_and_lock(10, 100);
    kernel_model_unmap(page_at(20), page_at(50));
    kernel_model_unmap(page_at(77), page_at(78));
    al_locker_unlock(page_at(10), page_at(110));
    check_only_locked(0, 0);
}
END_TEST

START_TEST(nothing_goes_while_blocks_move)
{
    own_and_lock(10, 5);
    al_books.moving = 1;
    disown(10, 5);
    al_locker_trim_all();
    check_only_locked(10, 5);
    al_books.moving = 0;
    check_books();
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
}
END_TEST

START_TEST(what_is_forgotten_is_not_unlocked)
{
    own_and_lock(10, 5);
    ck_assert(al_locker_enter());
    al_locker_forget(page_at(10), page_at(12));
    al_locker_leave();
    ck_assert_uint_eq(kernel_model.munlock_calls, 0);
    ck_assert_uint_eq(al_books.locked_pages, 3);
    ck_assert_uint_eq(bits_of(10), 0);
    ck_assert_uint_eq(owners_of(10), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker_trim");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, within_the_slack_nothing_goes);
    tcase_add_test(tests, past_it_much_goes);
    tcase_add_test(tests, the_slack_shrinks_with_it);
    tcase_add_test(tests, down_to_nothing);
    tcase_add_test(tests, spans);
    tcase_add_test(tests, a_span_that_parted);
    tcase_add_test(tests, what_the_program_locked_stays);
    tcase_add_test(tests, where_the_program_locked_everything_nothing_is_unlocked);
    tcase_add_test(tests, past_holes);
    tcase_add_test(tests, nothing_goes_while_blocks_move);
    tcase_add_test(tests, what_is_forgotten_is_not_unlocked);
    return unit_run(tests);
}
