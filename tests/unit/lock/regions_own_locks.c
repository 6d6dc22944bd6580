/* The program's own locks and unlocks beside ours: what has an owner stays locked. */
#include "locker.h"
#include "regions_check.h"

static void program_locks_all(void)
{
    kernel_model_lock_all();
    al_region_program_locked_all();
}

static void program_unlocks_all(void)
{
    kernel_model_unlock_all();
    al_region_program_unlocked_all();
}

START_TEST(what_is_owned_stays_locked)
{
    map(10, 10, anon, true);
    program_locks(5, 10);
    program_unlocks(5, 10);
    check_only_locked(10, 10);
    check_books();
    program_unlocks(0, 100);
    check_only_locked(10, 10);
    check_books();
}
END_TEST

START_TEST(what_has_no_owner_goes)
{
    map_pages(10, 10);
    al_books_change(page_at(10), page_at(20), 0, AL_PAGE_OWNER, AL_EXCLUSIVE);
    ck_assert_int_eq(al_locker_lock(page_at(10), page_at(20)), 0);
    al_books_change(page_at(12), page_at(15), AL_PAGE_OWNERS, 0, AL_EXCLUSIVE);
    program_unlocks(10, 10);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 7);
    ck_assert_uint_eq(kernel_model_locked(page_at(12), page_at(15)), 0);
}
END_TEST

START_TEST(unaligned)
{
    map(10, 10, anon, true);
    kernel_model_unlock(page_at(12), page_at(15));
    al_region_program_unlocked(address_at(12) + 100, 2 << al_page_shift);
    check_only_locked(10, 10);
    check_books();
    al_region_program_locked(address_at(12) + 4095, 2);
    ck_assert(bits_of(12) & AL_PAGE_PROGRAM);
    ck_assert(bits_of(13) & AL_PAGE_PROGRAM);
    ck_assert(!(bits_of(14) & AL_PAGE_PROGRAM));
}
END_TEST

START_TEST(everything_and_nothing)
{
    map(10, 10, anon, true);
    map(in_leaf(1, 0), 2 * AL_LEAF_PAGES, anon, true);
    map(in_leaf(4, 5), 10, AL_KIND_SHARED, true);
    program_locks_all();
    unmap(15, 2);
    program_unlocks_all();
    check_books();
    expect_locked(10, 5);
    expect_locked(17, 3);
    expect_locked(in_leaf(1, 0), 2 * AL_LEAF_PAGES);
    ck_assert(!kernel_model_is_locked(page_at(in_leaf(4, 5))));
    ck_assert_ptr_null(al_pagemap_leaf(page_at(in_leaf(1, 0))));
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), al_books.locked_pages);
}
END_TEST

START_TEST(not_tracked)
{
    al_books.tracking = false;
    map(10, 10, anon, true);
    protect(10, 10, true);
    program_locks(10, 10);
    program_unlocks(10, 10);
    program_unlocks_all();
    move(10, 10, 30, 10);
    unmap(30, 10);
    ck_assert_uint_eq(kernel_model.mlock2_calls + kernel_model.munlock_calls, 0);
    ck_assert_uint_eq(al_pagemap_bytes(), 0);
}
END_TEST

void regions_add_own_locks(TCase *tests)
{
    tcase_add_test(tests, what_is_owned_stays_locked);
    tcase_add_test(tests, what_has_no_owner_goes);
    tcase_add_test(tests, unaligned);
    tcase_add_test(tests, everything_and_nothing);
    tcase_add_test(tests, not_tracked);
}
