/* What a signal handler asks for that has interrupted someone inside. */
#include "locker_check.h"

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
    TCase *tests = tcase_create("locker_gate");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, inside_it_is_done_later);
    tcase_add_test(tests, not_too_much_later);
    tcase_add_test(tests, inside_nothing_is_given_back);
    return unit_run(tests);
}
