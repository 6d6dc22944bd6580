/* A forked child, to which the kernel has given no lock: what is locked again, and the books. */
#include "books_check.h"
#include "kernel.h"
#include "locker.h"
#include "relock.h"

#include <errno.h>

static const size_t leaf_pages = AL_LEAF_PAGES;

static void begin(void)
{
    books_begin(AL_KIND_HEAP);
    map_pages(0, MODEL_PAGES);
}

static void set(size_t index, size_t count, uint32_t clear, uint32_t bits)
{
    ck_assert(al_books_change(page_at(index), page_at(index + count), clear, bits, AL_EXCLUSIVE));
}

static void own_and_lock(size_t index, size_t count)
{
    set(index, count, 0, AL_PAGE_OWNER);
    ck_assert_int_eq(al_locker_lock(page_at(index), page_at(index + count)), 0);
}

static int fork_and_relock(unsigned flags, bool spare_stacks)
{
    int error;

    kernel_model_unlock_all();
    kernel_model.mlock2_calls = 0;
    ck_assert(al_locker_enter());
    error = al_relock(flags, spare_stacks);
    al_locker_leave();
    return error;
}

START_TEST(a_run)
{
    own_and_lock(10, 5);
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    check_only_locked(10, 5);
    check_books();
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    ck_assert_uint_eq(kernel_model.last_flags, AL_MLOCK_ONFAULT);
    ck_assert_uint_eq(al_books.total_pages, 5);
    ck_assert_int_eq(fork_and_relock(0, false), 0);
    ck_assert_uint_eq(kernel_model.last_flags, 0);
}
END_TEST

START_TEST(one_call_over_leaves_and_spans)
{
    own_and_lock(leaf_pages - 2, 2 * leaf_pages + 4);
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    check_only_locked(leaf_pages - 2, 2 * leaf_pages + 4);
    check_books();
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    ck_assert_int_eq(al_books.runs, 1);
}
END_TEST

/* How long they will stay mapped, nobody knows. */
START_TEST(pages_without_an_owner_are_forgotten)
{
    own_and_lock(0, 30);
    set(10, 10, AL_PAGE_OWNERS, 0);
    own_and_lock(in_leaf(2, 0), leaf_pages);
    set(in_leaf(2, 0), leaf_pages, AL_PAGE_OWNERS, 0);
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 20);
    ck_assert_uint_eq(kernel_model_locked(page_at(10), page_at(20)), 0);
    check_books();
    ck_assert_uint_eq(al_books.unowned_pages, 0);
    ck_assert_int_eq(al_books.runs, 2);
}
END_TEST

START_TEST(held_pages_are_none_of_its_own)
{
    own_and_lock(0, 10);
    set(3, 2, AL_PAGE_OWNERS, AL_PAGE_HELD);
    set(7, 1, 0, AL_PAGE_HELD);
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    ck_assert_uint_eq(kernel_model_locked(page_at(0), page_at(10)), 8);
    ck_assert_uint_eq(bits_of(3), 0);
    ck_assert_uint_eq(bits_of(7), AL_PAGE_LOCKED);
    check_books();
}
END_TEST

/* Another thread was unlocking, moving a block; the program had locks of its own. */
START_TEST(what_was_going_on_is_put_right)
{
    own_and_lock(0, 10);
    set(20, 2, 0, AL_PAGE_LEAVING);
    set(3, 2, 0, AL_PAGE_PROGRAM | AL_PAGE_UNSURE);
    al_books.moving = 3;
    al_books.everything = true;
    al_books.locked_pages += 7;
    al_books.unowned_pages += 5;
    ck_assert_int_eq(fork_and_relock(0, false), 0);
    check_only_locked(0, 10);
    check_books();
    ck_assert_uint_eq(bits_of(3), AL_PAGE_LOCKED);
    ck_assert_uint_eq(bits_of(20), 0);
    ck_assert_uint_eq(al_books.moving, 0);
    ck_assert(!al_books.everything);
}
END_TEST

START_TEST(a_page_that_is_not_there)
{
    own_and_lock(0, 64);
    kernel_model_unmap(page_at(20), page_at(21));
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), -ENOMEM);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 63);
    check_books();
    ck_assert_uint_eq(bits_of(20), 0);
    ck_assert_uint_eq(owners_of(20), 1);
    ck_assert_int_eq(al_books.runs, 2);
    ck_assert_uint_le(kernel_model.mlock2_calls, 16);
}
END_TEST

/* Rights that are gone: a bounded number of calls. */
START_TEST(all_is_refused)
{
    for (size_t i = 0; i < 100; i++)
        own_and_lock(i * 200, 100);
    kernel_model.refusal = -ENOMEM;
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), -ENOMEM);
    ck_assert_uint_le(kernel_model.mlock2_calls, 1000);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 0);
    check_books();
    kernel_model.refusal = 0;
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
}
END_TEST

START_TEST(no_more_than_the_budget)
{
    own_and_lock(0, 50);
    own_and_lock(100, 50);
    al_books.budget_pages = 70;
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    check_only_locked(0, 50);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
}
END_TEST

START_TEST(no_more_runs_than_allowed)
{
    for (size_t i = 0; i < 10; i++)
        own_and_lock(i * 20, 10);
    al_books.runs_max = 4;
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, false), 0);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), 40);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 6);
}
END_TEST

START_TEST(stacks_that_must_be_able_to_grow)
{
    own_and_lock(0, 10);
    set(5, 5, AL_PAGE_OWNERS, AL_PAGE_MAPPED | AL_KIND_STACK << AL_PAGE_KIND_SHIFT);
    ck_assert_int_eq(fork_and_relock(AL_MLOCK_ONFAULT, true), 0);
    check_only_locked(0, 5);
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("relock");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, a_run);
    tcase_add_test(tests, one_call_over_leaves_and_spans);
    tcase_add_test(tests, pages_without_an_owner_are_forgotten);
    tcase_add_test(tests, held_pages_are_none_of_its_own);
    tcase_add_test(tests, what_was_going_on_is_put_right);
    tcase_add_test(tests, a_page_that_is_not_there);
    tcase_add_test(tests, all_is_refused);
    tcase_add_test(tests, no_more_than_the_budget);
    tcase_add_test(tests, no_more_runs_than_allowed);
    tcase_add_test(tests, stacks_that_must_be_able_to_grow);
    return unit_run(tests);
}
