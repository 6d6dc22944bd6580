/*
 * Blocks as owners of pages: who keeps what locked; and in heap_owner_heaps.c what is believed of a
 * page later.
 */
#include "heap_owner_check.h"

static uint64_t live_blocks(void)
{
    return counted(AL_COUNT_by_kind_heap_regions);
}

/* -- owners --------------------------------------------------------------------------------- */

START_TEST(neighbours_on_a_page)
{
    own(heap, 16, 100);
    own(heap, 128, 100);
    ck_assert_uint_eq(owners_of(heap), 2);
    expect_locked(heap, 1);
    disown(heap, 16, 100);
    al_locker_trim_all();
    ck_assert_uint_eq(owners_of(heap), 1);
    expect_locked(heap, 1);
    disown(heap, 128, 100);
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
}
END_TEST

START_TEST(over_an_edge)
{
    own(heap, 4000, 200);
    ck_assert_uint_eq(owners_of(heap), 1);
    ck_assert_uint_eq(owners_of(heap + 1), 1);
    own(heap + 1, 200, 100);
    disown(heap, 4000, 200);
    al_locker_trim_all();
    ck_assert(!is_locked(heap));
    ck_assert(is_locked(heap + 1));
    check_books();
}
END_TEST

/* Where a block ends exactly at a page's end, the next page is not its. */
START_TEST(to_the_last_byte)
{
    own(heap, 96, 4000);
    ck_assert_uint_eq(owners_of(heap), 1);
    ck_assert_uint_eq(owners_of(heap + 1), 0);
    own(heap + 1, 0, 1);
    own(heap + 1, 96, 4001);
    ck_assert_uint_eq(owners_of(heap + 1), 2);
    ck_assert_uint_eq(owners_of(heap + 2), 1);
    disown(heap + 1, 96, 4001);
    disown(heap + 1, 0, 1);
    disown(heap, 96, 4000);
    ck_assert_uint_eq(owners_of(heap) + owners_of(heap + 1) + owners_of(heap + 2), 0);
    check_books();
}
END_TEST

/* As in docs/architecture.md. */
START_TEST(edges_are_shared_and_insides_are_not)
{
    own(heap, 100, 1000);          /* A */
    own(heap, 2000, 3000);         /* B */
    own(heap + 1, 2000, 2 * PAGE); /* C */
    own(heap + 3, 2100, 3 * PAGE); /* D */
    ck_assert_uint_eq(owners_of(heap), 2);
    ck_assert_uint_eq(owners_of(heap + 1), 2);
    ck_assert_uint_eq(owners_of(heap + 2), 1);
    ck_assert_uint_eq(owners_of(heap + 3), 2);
    ck_assert_uint_eq(live_blocks(), 4);
    disown(heap + 1, 2000, 2 * PAGE);
    al_locker_trim_all();
    expect_locked(heap, 2);
    ck_assert(!is_locked(heap + 2));
    expect_locked(heap + 3, 4);
    check_books();
}
END_TEST

START_TEST(over_the_end_of_a_leaf)
{
    size_t edge = AL_LEAF_PAGES - 1;

    grow_heap(1000);
    own(edge, 4000, 200);
    own(edge, 16, 16);
    own(edge + 1, 200, 10 * PAGE);
    own(edge - 5, 16, 5 * PAGE - 100);
    expect_locked(edge - 5, 17);
    ck_assert_uint_eq(owners_of(edge), 2);
    ck_assert_uint_eq(owners_of(edge + 1), 2);
    disown(edge, 4000, 200);
    disown(edge + 1, 200, 10 * PAGE);
    al_locker_trim_all();
    check_only_locked(edge - 5, 6);
    check_books();
}
END_TEST

START_TEST(very_large)
{
    size_t usable = (size_t)(AL_LEAF_PAGES + 6000) * PAGE;

    own(elsewhere + 16000, 16, usable);
    expect_locked(elsewhere + 16000, AL_LEAF_PAGES + 6001);
    check_books();
    disown(elsewhere + 16000, 16, usable);
    check_books();
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
}
END_TEST

START_TEST(many_owners)
{
    for (size_t i = 0; i < 256; i++)
        own(heap, 16 * i, 1);
    ck_assert_uint_eq(owners_of(heap), 256);
    for (size_t i = 0; i < 255; i++)
        disown(heap, 16 * i, 1);
    al_locker_trim_all();
    expect_locked(heap, 1);
    check_books();
}
END_TEST

START_TEST(who_shares_costs_no_call)
{
    unsigned calls;

    own(heap, 16, 100);
    calls = kernel_model.mlock2_calls;
    for (size_t i = 0; i < 30; i++)
        own(heap, 128 * i, 100);
    for (size_t i = 0; i < 30; i++)
        disown(heap, 128 * i, 100);
    ck_assert_uint_eq(kernel_model.mlock2_calls + kernel_model.munlock_calls, calls);
}
END_TEST

/* -- sizes ---------------------------------------------------------------------------------- */

START_TEST(by_size)
{
    static const size_t sizes[] = {1, 999, 1000, 1001, 2000, 2001, SIZE_MAX / 2};

    start_for(1000, 2000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        bool qualifies = sizes[i] >= 1000 && sizes[i] <= 2000;

        ck_assert_int_eq(al_heap_qualifies(sizes[i]), qualifies);
        if (i < 6)
            own(heap + i, 0, sizes[i]);
        ck_assert_int_eq(is_locked(heap + i) && owners_of(heap + i), qualifies);
    }
    ck_assert_uint_eq(live_blocks(), 3);
    ck_assert_uint_eq(counted(AL_COUNT_by_kind_heap_requested_bytes), 4001);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_size), 3);
    for (size_t i = 0; i < 6; i++)
        disown(heap + i, 0, sizes[i]);
    ck_assert_uint_eq(live_blocks(), 0);
    ck_assert_uint_eq(counted(AL_COUNT_by_kind_heap_requested_bytes), 0);
    check_books();
}
END_TEST

static const struct {
    uint64_t min;
    uint64_t max;
} none[] = {{0, 0}, {2, 1}, {4096, 4095}, {UINT64_MAX, 0}};

START_TEST(no_size_at_all)
{
    start_for(none[_i].min, none[_i].max);
    for (unsigned bit = 0; bit < 63; bit++) {
        ck_assert(!al_heap_qualifies((size_t)1 << bit));
        ck_assert(!al_heap_qualifies(((size_t)1 << bit) + 1));
    }
}
END_TEST

START_TEST(every_size)
{
    for (unsigned bit = 0; bit < 63; bit++)
        ck_assert(al_heap_qualifies((size_t)1 << bit));
}
END_TEST

/* -- blocks on their way -------------------------------------------------------------------- */

START_TEST(bytes_on_their_way_stay_locked)
{
    size_t pages = 4 * al_books_slack();

    own(arena, 0, pages * PAGE);
    al_heap_moving();
    disown(arena, 0, pages * PAGE);
    al_locker_trim_all();
    expect_locked(arena, pages);
    own(arena + 2 * pages, 0, PAGE);
    expect_locked(arena, pages);
    al_heap_moved();
    /* and then go, without waiting for the next block that goes */
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    check_books();
}
END_TEST

/* -- memory from before us ------------------------------------------------------------------ */

static void exists(size_t index, size_t count, bool locked)
{
    uint32_t word = AL_PAGE_EARLIER;

    if (locked)
        word |= AL_PAGE_MAPPED | AL_KIND_HEAP << AL_PAGE_KIND_SHIFT;
    ck_assert(al_books_change(page_at(index), page_at(index + count), ~0U, word, AL_EXCLUSIVE));
    if (locked)
        ck_assert_int_eq(al_locker_lock(page_at(index), page_at(index + count)), 0);
}

START_TEST(what_existed_is_locked_as_a_whole)
{
    exists(heap, 100, true);
    own(heap + 5, 100, 100);
    own(heap + 20, 100, 10 * PAGE);
    disown(heap + 5, 100, 100);
    disown(heap + 20, 100, 10 * PAGE);
    disown(heap + 50, 100, 100); /* from before us */
    al_locker_trim_all();
    expect_locked(heap, 100);
    check_books();
}
END_TEST

/* Blocks from before us would be uncounted when they are freed. */
START_TEST(on_what_existed_and_is_not_locked_the_first_owns_for_ever)
{
    exists(heap, 100, false);
    disown(heap + 5, 100, 100); /* from before us */
    ck_assert_uint_eq(owners_of(heap + 5), 0);
    own(heap + 5, 300, 100);
    own(heap + 5, 500, 100);
    expect_locked(heap + 5, 1);
    disown(heap + 5, 300, 100);
    al_locker_trim_all();
    expect_locked(heap + 5, 1);
    check_books();
}
END_TEST

/* A block that had a page for itself leaves it without an owner; the next one finds it so. */
START_TEST(on_what_existed_after_a_large_block)
{
    exists(heap, 100, false);
    own(heap + 5, 100, 5 * PAGE);
    disown(heap + 5, 100, 5 * PAGE);
    check_books();
    own(heap + 7, 100, 100);
    check_books();
    expect_locked(heap + 7, 1);
    al_locker_trim_all();
    expect_locked(heap + 7, 1);
    check_books();
}
END_TEST

START_TEST(nothing_is_locked_by_what_is_refused)
{
    kernel_model.refusal = -12;
    own(heap, 100, 100);
    own(heap + 5, 100, 5 * PAGE);
    check_only_locked(0, 0);
    check_books();
    ck_assert_uint_eq(owners_of(heap + 6), 1);
    kernel_model.refusal = 0;
    own(heap + 5, 50, 30);
    expect_locked(heap + 5, 1);
    disown(heap + 5, 50, 30);
    disown(heap + 5, 100, 5 * PAGE);
    disown(heap, 100, 100);
    al_locker_trim_all();
    check_only_locked(0, 0);
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("heap_owner");

    tcase_add_checked_fixture(tests, heap_owner_begin, NULL);
    tcase_add_test(tests, neighbours_on_a_page);
    tcase_add_test(tests, over_an_edge);
    tcase_add_test(tests, to_the_last_byte);
    tcase_add_test(tests, edges_are_shared_and_insides_are_not);
    tcase_add_test(tests, over_the_end_of_a_leaf);
    tcase_add_test(tests, very_large);
    tcase_add_test(tests, many_owners);
    tcase_add_test(tests, who_shares_costs_no_call);
    tcase_add_test(tests, by_size);
    tcase_add_loop_test(tests, no_size_at_all, 0, sizeof(none) / sizeof(none[0]));
    tcase_add_test(tests, every_size);
    heap_owner_add_heaps(tests);
    tcase_add_test(tests, bytes_on_their_way_stay_locked);
    tcase_add_test(tests, what_existed_is_locked_as_a_whole);
    tcase_add_test(tests, on_what_existed_and_is_not_locked_the_first_owns_for_ever);
    tcase_add_test(tests, on_what_existed_after_a_large_block);
    tcase_add_test(tests, nothing_is_locked_by_what_is_refused);
    return unit_run(tests);
}
