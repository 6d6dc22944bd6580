/* Mappings that make no claim to memory (MAP_NORESERVE): most of them is never used. */
#include "books_check.h"
#include "regions.h"

static const unsigned anon = AL_KIND_ANON;

static void begin(void)
{
    books_begin(AL_KIND_ANON);
}

static void map_sparse(size_t index, size_t count, unsigned kind, bool accessible)
{
    kernel_model_map(page_at(index), page_at(index + count), accessible);
    al_region_mapped_sparse(address_at(index), count << al_page_shift, kind, accessible);
}

static void protect(size_t index, size_t count, bool accessible)
{
    kernel_model_protect(page_at(index), page_at(index + count), accessible);
    al_region_protected(address_at(index), count << al_page_shift, accessible, false);
}

START_TEST(without_a_limit_it_is_locked_on_fault)
{
    map_sparse(10, 100, anon, true);
    ck_assert_uint_eq(kernel_model.last_flags, 1);
    check_only_locked(10, 100);
    check_books();
    ck_assert_uint_eq(bits_of(15), AL_PAGE_LOCKED | AL_PAGE_MAPPED | anon << AL_PAGE_KIND_SHIFT);
}
END_TEST

/* The limit counts addresses, and the program has more of them than it ever uses. */
START_TEST(under_a_limit_it_is_a_reservation)
{
    al_books.unlimited = false;
    al_books.by_parts = true;
    map_sparse(10, 100, anon, true);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    ck_assert_uint_eq(bits_of(15), AL_PAGE_CLOSED | anon << AL_PAGE_KIND_SHIFT);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_inaccessible), 1);
    check_books();
    /* judged where its protection says that it is used */
    protect(20, 10, true);
    check_only_locked(20, 10);
    check_books();
}
END_TEST

START_TEST(inaccessible_it_is_one_anyway)
{
    map_sparse(10, 100, anon, false);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    protect(20, 10, true);
    check_only_locked(20, 10);
    check_books();
}
END_TEST

START_TEST(what_does_not_qualify)
{
    map_sparse(10, 100, AL_KIND_SHARED, true);
    al_books.policy.max_size = 50 << al_page_shift;
    map_sparse(200, 100, anon, true);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_kind), 1);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_size), 1);
    al_books.tracking = false;
    al_books.policy.max_size = UINT64_MAX;
    map_sparse(400, 100, anon, true);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    ck_assert_uint_eq(bits_of(400), 0);
}
END_TEST

START_TEST(it_goes_as_others_do)
{
    map_sparse(10, 100, anon, true);
    al_region_unmapping(address_at(10), 100 << al_page_shift);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("regions_sparse");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, without_a_limit_it_is_locked_on_fault);
    tcase_add_test(tests, under_a_limit_it_is_a_reservation);
    tcase_add_test(tests, inaccessible_it_is_one_anyway);
    tcase_add_test(tests, what_does_not_qualify);
    tcase_add_test(tests, it_goes_as_others_do);
    return unit_run(tests);
}
