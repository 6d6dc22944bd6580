/* What was unmapped unseen is not in the figures. */
#include "locker_check.h"

enum { DOUBTED = AL_PAGE_LOCKED | AL_PAGE_UNSURE };

static void own_no_more(size_t index, size_t count)
{
    disown(index, count);
    set(index, count, AL_PAGE_UNSURE);
}

START_TEST(what_is_unmapped_is_forgotten)
{
    own_and_lock(10, 100);
    own_no_more(20, 50);
    kernel_model_unmap(page_at(30), page_at(40));
    al_locker_settle();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 90);
    ck_assert_uint_eq(al_books.unowned_pages, 40);
    ck_assert_uint_eq(bits_of(30), 0);
    ck_assert_uint_eq(kernel_model.munlock_calls, 0);
}
END_TEST

/* What is there still may go at any time. */
START_TEST(what_is_there_stays_in_doubt)
{
    own_and_lock(10, 10);
    own_no_more(12, 3);
    al_locker_settle();
    check_only_locked(10, 10);
    check_books();
    ck_assert_uint_eq(bits_of(12), DOUBTED);
    ck_assert_uint_eq(bits_of(14), DOUBTED);
}
END_TEST

START_TEST(what_was_mapped_anew_is_forgotten)
{
    own_and_lock(10, 10);
    own_no_more(10, 10);
    kernel_model_unmap(page_at(10), page_at(20));
    kernel_model_map(page_at(12), page_at(15), true);
    al_locker_settle();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
    /* Of so much that is gone it is asked once. */
    ck_assert_uint_eq(kernel_model.asked, 1);
}
END_TEST

START_TEST(of_what_is_certain_nobody_is_asked)
{
    own_and_lock(10, 100);
    disown(20, 50);
    al_locker_settle();
    ck_assert_uint_eq(kernel_model.asked, 0);
}
END_TEST

/* Pages from before us are owned as a whole, until they are found to be gone. */
START_TEST(from_before_us)
{
    const uint32_t word = AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED | AL_PAGE_EARLIER;

    set(10, 10, word);
    ck_assert_int_eq(lock(10, 10), 0);
    set(12, 6, AL_PAGE_UNSURE);
    kernel_model_unmap(page_at(14), page_at(16));
    al_locker_settle();
    check_books();
    ck_assert_uint_eq(bits_of(13), word | DOUBTED);
    ck_assert_uint_eq(bits_of(14), 0);
    ck_assert_uint_eq(bits_of(15), 0);
    ck_assert_uint_eq(bits_of(16), word | DOUBTED);
    ck_assert_uint_eq(al_books.locked_pages, 8);
}
END_TEST

START_TEST(nothing_is_asked_where_nothing_is_locked)
{
    al_books.observe = true;
    own_and_lock(10, 10);
    own_no_more(10, 10);
    al_locker_settle();
    ck_assert_uint_eq(kernel_model.asked, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("settle");

    tcase_add_checked_fixture(tests, locker_begin, NULL);
    tcase_add_test(tests, what_is_unmapped_is_forgotten);
    tcase_add_test(tests, what_is_there_stays_in_doubt);
    tcase_add_test(tests, what_was_mapped_anew_is_forgotten);
    tcase_add_test(tests, of_what_is_certain_nobody_is_asked);
    tcase_add_test(tests, from_before_us);
    tcase_add_test(tests, nothing_is_asked_where_nothing_is_locked);
    return unit_run(tests);
}
