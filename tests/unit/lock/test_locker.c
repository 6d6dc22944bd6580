/* Runs are locked, and the books say what the kernel has. */
#include "locker_check.h"

#include <errno.h>

static const size_t leaf_pages = AL_LEAF_PAGES;

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

/* There the refusal speaks of these pages, and not of all that is to come. */
START_TEST(an_old_kernel_cannot_and_goes_on)
{
    kernel_model.old = true;
    kernel_model_protect(page_at(13), page_at(15), false);
    own(10, 5);
    ck_assert_int_eq(lock(10, 5), -ENOMEM);
    check_only_locked(0, 0);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    ck_assert_uint_eq(counted(AL_COUNT_failures_ENOMEM), 1);
    ck_assert_uint_eq(counted(AL_COUNT_failures_ENOSYS), 0);
    own_and_lock(20, 5);
    check_only_locked(20, 5);
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

static const int errors[] = {-ENOMEM, -EAGAIN, -EINVAL};

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

/* All is locked, as when the kernel has been told to keep it: what is in no book goes. */
START_TEST(what_is_not_booked_goes)
{
    own_and_lock(10, 5);
    set(20, 5, AL_PAGE_PROGRAM);
    kernel_model_lock(page_at(0), page_at(30));
    ck_assert(al_locker_enter());
    al_locker_unlock_unbooked(page_at(0), page_at(30));
    al_locker_leave();
    for (size_t i = 0; i < 30; i++)
        ck_assert_int_eq(is_locked(i), (i >= 10 && i < 15) || (i >= 20 && i < 25));
    ck_assert_uint_eq(al_books.locked_pages, 5);
    ck_assert_uint_eq(al_books.refusals, 1); /* who is about to book a lock asks for it anew */
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("locker");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, a_run);
    tcase_add_test(tests, over_leaves);
    tcase_add_test(tests, again);
    tcase_add_test(tests, what_was_unsure_is_sure);
    tcase_add_test(tests, on_fault);
    tcase_add_test(tests, an_old_kernel_brings_in);
    tcase_add_test(tests, what_cannot_be_brought_in_is_locked_on_fault);
    tcase_add_test(tests, an_old_kernel_cannot_and_goes_on);
    tcase_add_test(tests, under_a_limit_it_is_not);
    tcase_add_test(tests, observed_only);
    tcase_add_loop_test(tests, a_refusal, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(tests, a_part_that_was_locked_does_not_stay);
    tcase_add_test(tests, a_refusal_takes_nothing_from_others);
    tcase_add_test(tests, a_refusal_takes_nothing_from_the_program);
    tcase_add_test(tests, what_is_not_booked_goes);
    return unit_run(tests);
}
