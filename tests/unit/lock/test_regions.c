/* Mappings as owners of pages: judged when they appear, open, move, and go. */
#include "locker.h"
#include "regions_check.h"

#include <sys/mman.h>

static const unsigned file = AL_KIND_FILE;

static void begin(void)
{
    books_begin(AL_KIND_ANON | AL_KIND_FILE);
}

START_TEST(kinds_of_arguments)
{
    ck_assert_uint_eq(al_region_kind(MAP_PRIVATE | MAP_ANONYMOUS), AL_KIND_ANON);
    ck_assert_uint_eq(al_region_kind(MAP_SHARED | MAP_ANONYMOUS), AL_KIND_SHARED);
    ck_assert_uint_eq(al_region_kind(MAP_SHARED_VALIDATE | MAP_ANONYMOUS), AL_KIND_SHARED);
    ck_assert_uint_eq(al_region_kind(MAP_PRIVATE), AL_KIND_FILE);
    ck_assert_uint_eq(al_region_kind(MAP_SHARED), AL_KIND_FILE);
    ck_assert_uint_eq(al_region_kind(MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK), AL_KIND_STACK);
    ck_assert_uint_eq(al_region_kind(MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN), AL_KIND_STACK);
}
END_TEST

START_TEST(kinds_as_the_kernel_lists_them)
{
    static const struct {
        const char *name;
        bool shared;
        unsigned kind;
    } rows[] = {{"[heap]", false, AL_KIND_HEAP},
                {"[stack]", false, AL_KIND_STACK},
                {"[stack:77]", false, AL_KIND_STACK},
                {"", false, AL_KIND_ANON},
                {"", true, AL_KIND_SHARED},
                {"[anon:x]", false, AL_KIND_ANON},
                {"/dev/zero (deleted)", true, AL_KIND_SHARED},
                {"/dev/zero", false, AL_KIND_FILE},
                {"/SYSV00000000 (deleted)", true, AL_KIND_SHARED},
                {"/usr/bin/env", false, AL_KIND_FILE},
                {"/tmp/x", true, AL_KIND_FILE},
                {"/memfd:x (deleted)", true, AL_KIND_FILE}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct al_mapping mapping = {.shared = rows[i].shared, .name = rows[i].name};

        ck_assert_uint_eq(al_mapping_kind(&mapping), rows[i].kind);
    }
}
END_TEST

START_TEST(comes_and_goes)
{
    map(10, 20, anon, true);
    check_only_locked(10, 20);
    ck_assert_uint_eq(bits_of(15), AL_PAGE_LOCKED | AL_PAGE_MAPPED | anon << AL_PAGE_KIND_SHIFT);
    check_books();
    unmap(10, 20);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(kernel_model.munlock_calls, 0);
    check_books();
}
END_TEST

START_TEST(parts_go)
{
    map(10, 20, anon, true);
    unmap(15, 5);
    unmap(10, 1);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 14);
    ck_assert_int_eq(al_books.runs, 2);
}
END_TEST

START_TEST(a_length_that_is_no_multiple)
{
    map_pages(10, 3);
    al_region_mapped(address_at(10), (2 << al_page_shift) + 1, anon, true);
    check_only_locked(10, 3);
    al_region_unmapping(address_at(10), (2 << al_page_shift) + 1);
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

START_TEST(what_does_not_qualify)
{
    al_books.policy.min_size = 4 << al_page_shift;
    map(10, 5, AL_KIND_SHARED, true);
    map(20, 3, anon, true);
    map(30, 5, anon, false);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_kind), 1);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_size), 1);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_inaccessible), 1);
    ck_assert_uint_eq(al_region_state_at(address_at(10), 0).kind, 0);
    ck_assert_uint_eq(al_region_state_at(address_at(20), 0).kind, anon);
    ck_assert_uint_eq(bits_of(32), AL_PAGE_CLOSED | anon << AL_PAGE_KIND_SHIFT);
}
END_TEST

START_TEST(a_new_one_replaces_what_was_known)
{
    map(10, 20, anon, true);
    map(15, 5, AL_KIND_SHARED, true);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 15);
    map(12, 10, file, true);
    check_only_locked(10, 20);
    check_books();
    ck_assert_uint_eq(al_region_state_at(address_at(12), 0).kind, file);
}
END_TEST

START_TEST(reservations_are_judged_piece_by_piece)
{
    map(10, 100, anon, false);
    protect(20, 10, true);
    check_only_locked(20, 10);
    protect(15, 10, true);
    protect(40, 5, false);
    check_only_locked(15, 15);
    check_books();
    /* what is closed again has no owner any more */
    protect(20, 5, false);
    ck_assert_uint_eq(al_books.unowned_pages, 5);
    check_books();
    al_locker_trim_all();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 10);
    protect(20, 10, true);
    check_only_locked(15, 15);
    check_books();
}
END_TEST

/* What was locked as a part of something larger is not any more when it comes back alone. */
START_TEST(a_piece_that_is_too_small)
{
    al_books.policy.min_size = 5 << al_page_shift;
    map(10, 20, anon, true);
    protect(12, 7, false);
    protect(13, 2, true);
    check_books();
    ck_assert_uint_eq(bits_of(13), anon << AL_PAGE_KIND_SHIFT);
    ck_assert(!kernel_model_is_locked(page_at(13)));
    al_locker_trim_all();
    check_books();
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), al_books.locked_pages);
}
END_TEST

START_TEST(over_several_reservations)
{
    map(10, 10, anon, false);
    map(20, 10, file, false);
    map(30, 10, AL_KIND_SHARED, false);
    map(40, 10, anon, true);
    map(50, 10, anon, false);
    protect(10, 50, true);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 40);
    ck_assert_uint_eq(al_region_state_at(address_at(15), 0).kind, anon);
    ck_assert_uint_eq(al_region_state_at(address_at(25), 0).kind, file);
    expect_locked(40, 20);
    ck_assert(!kernel_model_is_locked(page_at(35)));
}
END_TEST

/* A cage of many gigabytes costs nearly nothing. */
START_TEST(a_large_reservation)
{
    map(0, MODEL_PAGES, anon, false);
    ck_assert_ptr_null(al_pagemap_leaf(page_at(0)));
    protect(in_leaf(2, 100), AL_LEAF_PAGES, true);
    check_only_locked(in_leaf(2, 100), AL_LEAF_PAGES);
    check_books();
    unmap(0, MODEL_PAGES);
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

START_TEST(an_allocators_reservation_is_not_judged)
{
    map(10, 100, anon, false);
    al_region_protected(address_at(20), 10 << al_page_shift, true, true);
    check_only_locked(0, 0);
    ck_assert_uint_eq(bits_of(25), 0);
    ck_assert_uint_eq(bits_of(30), AL_PAGE_CLOSED | anon << AL_PAGE_KIND_SHIFT);
}
END_TEST

START_TEST(moved)
{
    map(10, 20, anon, true);
    move(10, 20, 100, 30);
    check_only_locked(100, 30);
    check_books();
    unmap(100, 30);
    check_books();
}
END_TEST

START_TEST(moved_in_place)
{
    map(10, 20, anon, true);
    move(10, 20, 10, 25);
    check_only_locked(10, 25);
    move(10, 25, 10, 5);
    check_only_locked(10, 5);
    check_books();
}
END_TEST

/* The lock comes along, although it should not. */
START_TEST(moved_out_of_the_bounds)
{
    al_books.policy.max_size = 20 << al_page_shift;
    map(10, 20, anon, true);
    move(10, 20, 100, 30);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_size), 1);
    move(100, 30, 200, 15);
    check_only_locked(200, 15);
    check_books();
}
END_TEST

START_TEST(moved_while_closed)
{
    map(10, 20, anon, false);
    move(10, 20, 100, 30);
    check_only_locked(0, 0);
    protect(100, 30, true);
    check_only_locked(100, 30);
    check_books();
}
END_TEST

/* The locks stay, the pages are gone: they are asked for again when they are owned again. */
START_TEST(moved_without_its_addresses)
{
    map(10, 20, anon, true);
    al_region_emptied(address_at(12), 5 << al_page_shift);
    ck_assert_uint_eq(bits_of(11) & AL_PAGE_UNSURE, 0);
    ck_assert_uint_ne(bits_of(12) & AL_PAGE_UNSURE, 0);
    ck_assert_uint_ne(bits_of(16) & AL_PAGE_UNSURE, 0);
    ck_assert_uint_eq(bits_of(17) & AL_PAGE_UNSURE, 0);
    check_books();
}
END_TEST

START_TEST(moved_of_a_kind_not_asked_for)
{
    map(10, 20, AL_KIND_SHARED, true);
    program_locks(10, 20);
    move(10, 20, 100, 20);
    /* the program's own lock has come along */
    check_only_locked(100, 20);
    check_books();
}
END_TEST

/* … although there is no budget for it. */
START_TEST(moved_past_the_budget)
{
    al_books.budget_pages = 25;
    map(10, 20, anon, true);
    move(10, 20, 100, 30);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 1);
}
END_TEST

/* -- unmapping that fails ------------------------------------------------------------------- */

START_TEST(what_cannot_be_unmapped_is_not_forgotten)
{
    map(10, 20, anon, true);
    al_region_unmapping(address_at(10) + 1, 4096);
    al_region_unmapping(address_at(10), 0);
    al_region_unmapping(address_at(10), SIZE_MAX - 4096);
    al_region_unmapping(address_at(10), (size_t)1 << 60);
    ck_assert_uint_eq(al_books.locked_pages, 20);
    check_books();
}
END_TEST

/* Of memory that really is there, in the kernel's own words. */
START_TEST(what_is_still_mapped_is_judged_anew)
{
    char *there = mmap(NULL, 8 << 12, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    al_page page = al_page_of(there);

    ck_assert(there != MAP_FAILED);
    al_region_mapped(there, 8 << 12, anon, true);
    ck_assert_uint_eq(al_books.locked_pages, 8);
    al_region_unmapping(there, 4 << 12);
    ck_assert_uint_eq(al_books.locked_pages, 4);
    al_region_still_mapped(there, 4 << 12);
    ck_assert_uint_eq(al_books.locked_pages, 8);
    ck_assert_uint_eq(al_pagemap_get(page),
                      AL_PAGE_LOCKED | AL_PAGE_MAPPED | anon << AL_PAGE_KIND_SHIFT);
    munmap(there + (2 << 12), 1 << 12);
    al_region_unmapping(there, 8 << 12);
    al_region_still_mapped(there, 8 << 12);
    ck_assert_uint_eq(al_books.locked_pages, 7);
}
END_TEST

/* The kernel refuses it before it looks at any mapping. */
START_TEST(what_was_never_announced_is_not_judged_anew)
{
    char *there = mmap(NULL, 8 << 12, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    al_page page = al_page_of(there);

    ck_assert(there != MAP_FAILED);
    ck_assert(
        al_books_change(page, page + 8, 0, 3 * AL_PAGE_OWNER, AL_EXCLUSIVE)); /* blocks on it */
    al_region_unmapping(there + 8, 4 << 12);
    al_region_still_mapped(there + 8, 4 << 12);
    ck_assert_uint_eq(al_pagemap_get(page), 3 * AL_PAGE_OWNER);
    ck_assert_uint_eq(al_pagemap_get(page + 1), 3 * AL_PAGE_OWNER);
}
END_TEST

START_TEST(lengths)
{
    char *there = mmap(NULL, 8 << 12, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert(there != MAP_FAILED);
    munmap(there + (5 << 12), 3 << 12);
    mprotect(there, 2 << 12, PROT_NONE);
    ck_assert_uint_eq(al_region_length_at(there), 2 << 12);
    ck_assert_uint_eq(al_region_length_at(there + (2 << 12)), 3 << 12);
    ck_assert_uint_eq(al_region_length_at(there + 4096), 0);
    ck_assert_uint_eq(al_region_length_at(there + (6 << 12)), 0);
}
END_TEST

/* -- slack ---------------------------------------------------------------------------------- */

/* Less is locked, so less may be without an owner. */
START_TEST(a_large_one_takes_slack_with_it)
{
    map(in_leaf(1, 0), 4 * AL_LEAF_PAGES, anon, true);
    map_pages(0, 5000);
    al_books_change(page_at(0), page_at(5000), 0, AL_PAGE_OWNER, AL_EXCLUSIVE);
    ck_assert_int_eq(al_locker_lock(page_at(0), page_at(5000)), 0);
    al_books_change(page_at(0), page_at(5000), AL_PAGE_OWNERS, 0, AL_EXCLUSIVE);
    unmap(in_leaf(1, 0), 4 * AL_LEAF_PAGES);
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("regions");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, kinds_of_arguments);
    tcase_add_test(tests, kinds_as_the_kernel_lists_them);
    tcase_add_test(tests, comes_and_goes);
    tcase_add_test(tests, parts_go);
    tcase_add_test(tests, a_length_that_is_no_multiple);
    tcase_add_test(tests, what_does_not_qualify);
    tcase_add_test(tests, a_new_one_replaces_what_was_known);
    tcase_add_test(tests, reservations_are_judged_piece_by_piece);
    tcase_add_test(tests, a_piece_that_is_too_small);
    tcase_add_test(tests, over_several_reservations);
    tcase_add_test(tests, a_large_reservation);
    tcase_add_test(tests, an_allocators_reservation_is_not_judged);
    tcase_add_test(tests, moved);
    tcase_add_test(tests, moved_in_place);
    tcase_add_test(tests, moved_out_of_the_bounds);
    tcase_add_test(tests, moved_past_the_budget);
    tcase_add_test(tests, moved_while_closed);
    tcase_add_test(tests, moved_without_its_addresses);
    tcase_add_test(tests, moved_of_a_kind_not_asked_for);
    tcase_add_test(tests, what_cannot_be_unmapped_is_not_forgotten);
    tcase_add_test(tests, what_is_still_mapped_is_judged_anew);
    tcase_add_test(tests, what_was_never_announced_is_not_judged_anew);
    tcase_add_test(tests, lengths);
    regions_add_own_locks(tests);
    tcase_add_test(tests, a_large_one_takes_slack_with_it);
    return unit_run(tests);
}
