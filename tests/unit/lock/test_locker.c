/* Runs are locked and given back, and the books say what the kernel has. */
#include "books_check.h"
#include "downgrades.h"
#include "locker.h"

#include <errno.h>
#include <string.h>

static const size_t leaf_pages = AL_LEAF_PAGES;

static void begin(void)
{
    al_downgrades_begin(0);
    books_begin(AL_KIND_HEAP);
    map_pages(0, MODEL_PAGES);
}

/* Gives pages an owner, or takes it away. */
static void own(size_t index, size_t count)
{
    ck_assert(al_books_change(page_at(index), page_at(index + count), 0, 1, AL_EXCLUSIVE));
}

static void disown(size_t index, size_t count)
{
    ck_assert(
        al_books_change(page_at(index), page_at(index + count), AL_PAGE_OWNERS, 0, AL_EXCLUSIVE));
}

static int lock(size_t index, size_t count)
{
    return al_locker_lock(page_at(index), page_at(index + count));
}

static void own_and_lock(size_t index, size_t count)
{
    own(index, count);
    ck_assert_int_eq(lock(index, count), 0);
}

static void set(size_t index, size_t count, uint32_t bits)
{
    ck_assert(al_books_change(page_at(index), page_at(index + count), 0, bits, AL_SHARED));
}

static bool is_locked(size_t index)
{
    return kernel_model_is_locked(page_at(index));
}

/* -- locking -------------------------------------------------------------------------------- */

START_TEST(a_run)
{
    own_and_lock(10, 5);
    check_only_locked(10, 5);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 5);
    ck_assert_uint_eq(al_books.peak_pages, 5);
    ck_assert_uint_eq(al_books.total_pages, 5);
    ck_assert_uint_eq(al_books.unowned_pages, 0);
    ck_assert_int_eq(al_books.runs, 1);
    ck_assert_uint_eq(kernel_model.last_flags, 0);
}
END_TEST

START_TEST(over_leaves)
{
    own_and_lock(leaf_pages - 2, 2 * leaf_pages + 4);
    check_only_locked(leaf_pages - 2, 2 * leaf_pages + 4);
    check_books();
    ck_assert_int_eq(al_books.runs, 1);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
}
END_TEST

START_TEST(again)
{
    own_and_lock(10, 5);
    own_and_lock(12, 5);
    check_only_locked(10, 7);
    check_books();
    ck_assert_uint_eq(al_books.peak_pages, 7);
    ck_assert_uint_eq(al_books.total_pages, 7);
}
END_TEST

START_TEST(what_was_unsure_is_sure)
{
    own_and_lock(10, 5);
    set(10, 5, AL_PAGE_UNSURE);
    kernel_model_unlock(page_at(10), page_at(15));
    ck_assert_int_eq(lock(10, 5), 0);
    ck_assert_uint_eq(bits_of(12), AL_PAGE_LOCKED);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

START_TEST(on_fault)
{
    al_books.lock_flags = 1;
    own_and_lock(10, 1);
    ck_assert_uint_eq(kernel_model.last_flags, 1);
    kernel_model_protect(page_at(20), page_at(30), false);
    own_and_lock(20, 10);
    check_books();
}
END_TEST

START_TEST(an_old_kernel_brings_in)
{
    al_books.lock_flags = 1;
    kernel_model.old = true;
    own_and_lock(10, 1);
    own_and_lock(20, 1);
    check_books();
    ck_assert_uint_eq(al_books.lock_flags, 0);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 3);
}
END_TEST

/* A file's end within its mapping: what is there can be had on fault. */
START_TEST(what_cannot_be_brought_in_is_locked_on_fault)
{
    kernel_model_protect(page_at(13), page_at(15), false);
    own_and_lock(10, 5);
    ck_assert_uint_eq(kernel_model.last_flags, 1);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

START_TEST(under_a_limit_it_is_not)
{
    al_books.unlimited = false;
    kernel_model_protect(page_at(13), page_at(15), false);
    own(10, 5);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_failures_ENOMEM), 1);
}
END_TEST

START_TEST(observed_only)
{
    al_books.observe = true;
    own_and_lock(10, 5);
    disown(10, 5);
    al_locker_trim_all();
    own_and_lock(10, 5);
    ck_assert_uint_eq(kernel_model.mlock2_calls + kernel_model.munlock_calls, 0);
    ck_assert_uint_eq(al_books.locked_pages, 5);
    check_books();
}
END_TEST

/* -- what cannot be had --------------------------------------------------------------------- */

static const int errors[] = {-EPERM, -ENOMEM, -EAGAIN, -EINVAL};

START_TEST(a_refusal)
{
    own(10, 5);
    kernel_model.refusal = errors[_i];
    ck_assert_int_eq(lock(10, 5), errors[_i]);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(al_books.total_pages, 0);
    /* the next one may succeed */
    kernel_model.refusal = 0;
    ck_assert_int_eq(lock(10, 5), 0);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

/* The kernel locks up to the hole. */
START_TEST(a_part_that_was_locked_does_not_stay)
{
    kernel_model_unmap(page_at(13), page_at(14));
    own(10, 5);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    check_only_locked(0, 0);
    check_books();
}
END_TEST

/* A block over the end of what is locked for others. */
START_TEST(a_refusal_takes_nothing_from_others)
{
    al_books.unlimited = false;
    own_and_lock(10, 5);
    own(14, 5);
    kernel_model.limit_pages = 7;
    ck_assert_int_eq(lock(14, 5), -ENOMEM);
    check_only_locked(10, 5);
    check_books();
    kernel_model.limit_pages = 0;
    kernel_model_protect(page_at(16), page_at(17), false);
    ck_assert_int_eq(lock(14, 5), -ENOMEM);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

START_TEST(a_refusal_takes_nothing_from_the_program)
{
    al_books.unlimited = false;
    kernel_model_lock(page_at(12), page_at(13));
    set(12, 1, AL_PAGE_PROGRAM);
    kernel_model_protect(page_at(14), page_at(15), false);
    own(10, 5);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    check_only_locked(12, 1);
    check_books();
}
END_TEST

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

/* -- too many runs -------------------------------------------------------------------------- */

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

/* -- giving back ---------------------------------------------------------------------------- */

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
    ck_assert_ptr_nonnull(al_pagemap_leaf(page_at(leaf_pages)));
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

/* -- from inside ---------------------------------------------------------------------------- */

START_TEST(inside_it_is_done_later)
{
    own(10, 5);
    own(20, 5);
    ck_assert(al_locker_enter());
    ck_assert(!al_locker_enter());
    ck_assert_int_eq(lock(10, 5), 0);
    ck_assert_int_eq(lock(20, 5), 0);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    al_locker_leave();
    ck_assert_uint_eq(kernel_model_locked(page_at(10), page_at(15)), 5);
    ck_assert_uint_eq(kernel_model_locked(page_at(20), page_at(25)), 5);
    check_books();
}
END_TEST

START_TEST(not_too_much_later)
{
    ck_assert(al_locker_enter());
    for (size_t i = 0; i < 20; i++) {
        set(10 * i, 1, AL_PAGE_MAPPED);
        ck_assert_int_eq(lock(10 * i, 1), 0);
    }
    al_locker_leave();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages + counted(AL_COUNT_failures_other), 20);
    ck_assert_uint_ge(al_books.locked_pages, 4);
}
END_TEST

START_TEST(inside_nothing_is_given_back)
{
    own_and_lock(10, 5);
    disown(10, 5);
    ck_assert(al_locker_enter());
    al_locker_trim_all();
    al_locker_leave();
    check_only_locked(10, 5);
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, a_run);
    tcase_add_test(tests, over_leaves);
    tcase_add_test(tests, again);
    tcase_add_test(tests, what_was_unsure_is_sure);
    tcase_add_test(tests, on_fault);
    tcase_add_test(tests, an_old_kernel_brings_in);
    tcase_add_test(tests, what_cannot_be_brought_in_is_locked_on_fault);
    tcase_add_test(tests, under_a_limit_it_is_not);
    tcase_add_test(tests, observed_only);
    tcase_add_loop_test(tests, a_refusal, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(tests, a_part_that_was_locked_does_not_stay);
    tcase_add_test(tests, a_refusal_takes_nothing_from_others);
    tcase_add_test(tests, a_refusal_takes_nothing_from_the_program);
    tcase_add_test(tests, the_budget);
    tcase_add_test(tests, what_is_locked_already_needs_no_budget);
    tcase_add_test(tests, no_more_runs);
    tcase_add_test(tests, what_is_locked_is_no_new_run);
    tcase_add_test(tests, small_gaps_are_closed);
    tcase_add_test(tests, gaps_count_against_the_slack);
    tcase_add_test(tests, a_gap_that_is_not_mapped);
    tcase_add_test(tests, reservations_are_no_gap);
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
    tcase_add_test(tests, inside_it_is_done_later);
    tcase_add_test(tests, not_too_much_later);
    tcase_add_test(tests, inside_nothing_is_given_back);
    return unit_run(tests);
}
