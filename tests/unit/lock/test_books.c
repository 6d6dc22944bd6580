/* Figures follow every change of a word. */
#include "books.h"
#include "books_check.h"

static void begin(void)
{
    books_begin(AL_KIND_HEAP);
    map_pages(0, MODEL_PAGES);
}

static bool change(size_t index, size_t end, uint32_t clear, uint32_t set, enum al_access access)
{
    if (set & AL_PAGE_LOCKED)
        kernel_model_lock(page_at(index), page_at(end));
    return al_books_change(page_at(index), page_at(end), clear, set, access);
}

static void expect_figures(uint64_t locked, uint64_t unowned, int64_t runs)
{
    if (al_books.peak_pages < locked)
        al_books.peak_pages = locked; /* followed by who takes, not by who books */
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, locked);
    ck_assert_uint_eq(al_books.unowned_pages, unowned);
    ck_assert_int_eq(al_books.runs, runs);
}

START_TEST(slack)
{
    const uint64_t least = AL_SLACK_MIN_BYTES >> al_page_shift;
    const uint64_t most = AL_SLACK_MAX_BYTES >> al_page_shift;

    ck_assert_uint_eq(al_books_slack(), least);
    al_books.locked_pages = least * AL_SLACK_SHARE;
    ck_assert_uint_eq(al_books_slack(), least);
    al_books.locked_pages = least * AL_SLACK_SHARE * 2;
    ck_assert_uint_eq(al_books_slack(), least * 2);
    al_books.locked_pages = most * AL_SLACK_SHARE;
    ck_assert_uint_eq(al_books_slack(), most);
    al_books.locked_pages = most * AL_SLACK_SHARE * 2;
    ck_assert_uint_eq(al_books_slack(), most);
}
END_TEST

START_TEST(the_budget)
{
    al_books.budget_pages = 10;
    ck_assert(al_books_take(7));
    ck_assert(!al_books_take(4));
    ck_assert(!al_books_take(UINT64_MAX));
    ck_assert(al_books_take(3));
    ck_assert(!al_books_take(1));
    ck_assert(al_books_take(0));
    ck_assert_uint_eq(al_books.locked_pages, 10);
    al_books_give_back(5);
    ck_assert_uint_eq(al_books.locked_pages, 5);
    ck_assert_uint_eq(al_books.peak_pages, 10);
    ck_assert(al_books_take(5));
    ck_assert_uint_eq(al_books.peak_pages, 10);
    al_books_give_back(10);
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

START_TEST(locked_and_owned)
{
    enum al_access access = _i ? AL_SHARED : AL_EXCLUSIVE;

    ck_assert(change(10, 20, 0, AL_PAGE_LOCKED | AL_PAGE_OWNER, access));
    expect_figures(10, 0, 1);
    ck_assert(change(12, 14, AL_PAGE_OWNERS, 0, access));
    expect_figures(10, 2, 1);
    ck_assert(change(12, 13, 0, AL_PAGE_MAPPED, access));
    expect_figures(10, 1, 1);
    ck_assert(change(12, 14, AL_PAGE_LOCKED, 0, access));
    expect_figures(8, 0, 2);
    ck_assert(change(0, 100, ~0U, 0, access));
    expect_figures(0, 0, 0);
}
END_TEST

START_TEST(runs_grow_together_and_part)
{
    const uint32_t locked = AL_PAGE_LOCKED | AL_PAGE_MAPPED;

    ck_assert(change(10, 11, 0, locked, AL_SHARED));
    ck_assert(change(12, 13, 0, locked, AL_SHARED));
    expect_figures(2, 0, 2);
    ck_assert(change(11, 12, 0, locked, AL_SHARED));
    expect_figures(3, 0, 1);
    ck_assert(change(13, 14, 0, locked, AL_SHARED));
    ck_assert(change(9, 10, 0, locked, AL_SHARED));
    expect_figures(5, 0, 1);
    ck_assert(change(11, 12, AL_PAGE_LOCKED, 0, AL_SHARED));
    expect_figures(4, 0, 2);
    /* the same again changes nothing */
    ck_assert(change(11, 12, AL_PAGE_LOCKED, 0, AL_SHARED));
    ck_assert(change(12, 14, 0, locked, AL_SHARED));
    expect_figures(4, 0, 2);
}
END_TEST

START_TEST(runs_over_the_ends_of_leaves)
{
    const uint32_t locked = AL_PAGE_LOCKED | AL_PAGE_MAPPED;

    ck_assert(change(in_leaf(1, 0), in_leaf(2, 0), 0, locked, AL_EXCLUSIVE));
    expect_figures(AL_LEAF_PAGES, 0, 1);
    ck_assert_ptr_null(al_pagemap_leaf(page_at(in_leaf(1, 0))));
    ck_assert(change(in_leaf(0, AL_LEAF_PAGES - 1), in_leaf(1, 0), 0, locked, AL_EXCLUSIVE));
    ck_assert(change(in_leaf(2, 0), in_leaf(2, 1), 0, locked, AL_EXCLUSIVE));
    expect_figures(AL_LEAF_PAGES + 2, 0, 1);
    ck_assert(change(in_leaf(1, 5), in_leaf(1, 6), AL_PAGE_LOCKED, 0, AL_SHARED));
    expect_figures(AL_LEAF_PAGES + 1, 0, 2);
}
END_TEST

START_TEST(spans)
{
    const size_t end = in_leaf(4, 0);

    ck_assert(change(in_leaf(1, 0), end, 0, AL_PAGE_MAPPED, AL_EXCLUSIVE));
    ck_assert(change(in_leaf(1, 0), end, 0, AL_PAGE_LOCKED, AL_SHARED));
    expect_figures(3 * AL_LEAF_PAGES, 0, 1);
    ck_assert(change(in_leaf(2, 0), in_leaf(3, 0), AL_PAGE_MAPPED, 0, AL_EXCLUSIVE));
    ck_assert_uint_eq(al_books.unowned_pages, AL_LEAF_PAGES);
    ck_assert_ptr_null(al_pagemap_leaf(page_at(in_leaf(2, 0))));
    ck_assert(change(in_leaf(2, 0), in_leaf(3, 0), ~0U, 0, AL_EXCLUSIVE));
    expect_figures(2 * AL_LEAF_PAGES, 0, 2);
}
END_TEST

/* A span whose pages have no owner, and of which one page is owned: the rest is the leaf's. */
START_TEST(a_span_without_owners_parts)
{
    ck_assert(change(in_leaf(1, 0), in_leaf(2, 0), 0, AL_PAGE_LOCKED, AL_EXCLUSIVE));
    ck_assert_uint_eq(al_books.unowned_pages, AL_LEAF_PAGES);
    ck_assert(change(in_leaf(1, 7), in_leaf(1, 8), 0, AL_PAGE_OWNER, AL_EXCLUSIVE));
    expect_figures(AL_LEAF_PAGES, AL_LEAF_PAGES - 1, 1);
}
END_TEST

START_TEST(what_changes_nothing_makes_no_leaf)
{
    size_t bytes = al_pagemap_bytes();

    ck_assert(change(10, 20, ~0U, 0, AL_SHARED));
    ck_assert_uint_eq(al_pagemap_bytes(), bytes);
    expect_figures(0, 0, 0);
}
END_TEST

START_TEST(at_the_end_of_all_addresses)
{
    ck_assert(al_books_change(AL_PAGE_END - 2, AL_PAGE_END, 0, AL_PAGE_LOCKED | AL_PAGE_MAPPED,
                              AL_SHARED));
    ck_assert_uint_eq(al_books.locked_pages, 2);
    ck_assert_int_eq(al_books.runs, 1);
    ck_assert(al_books_change(0, 1, 0, AL_PAGE_LOCKED | AL_PAGE_MAPPED, AL_SHARED));
    ck_assert_int_eq(al_books.runs, 2);
    ck_assert(!al_books_change(AL_PAGE_END - 1, AL_PAGE_END + 1, 0, AL_PAGE_MAPPED, AL_SHARED));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("books");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, slack);
    tcase_add_test(tests, the_budget);
    tcase_add_loop_test(tests, locked_and_owned, 0, 2);
    tcase_add_test(tests, runs_grow_together_and_part);
    tcase_add_test(tests, runs_over_the_ends_of_leaves);
    tcase_add_test(tests, spans);
    tcase_add_test(tests, a_span_without_owners_parts);
    tcase_add_test(tests, what_changes_nothing_makes_no_leaf);
    tcase_add_test(tests, at_the_end_of_all_addresses);
    return unit_run(tests);
}
