/* What is believed of a heap's pages later: its end moves, or all of it goes and comes back. */
#include "heap_owner_check.h"

/* -- the main heap -------------------------------------------------------------------------- */

START_TEST(growth_is_locked_ahead)
{
    for (size_t i = 0; i < 100; i++)
        own(heap + i, 0, PAGE);
    ck_assert_uint_lt(kernel_model.mlock2_calls, 5);
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    check_books();
}
END_TEST

START_TEST(not_beyond_the_end)
{
    own(heap + 499, 0, PAGE);
    check_only_locked(heap + 499, 1);
    check_books();
}
END_TEST

/* Pages that went and came back are asked for again. */
START_TEST(the_end_is_watched)
{
    for (size_t i = 0; i < 300; i++)
        own(heap + i, 0, PAGE);
    for (size_t i = 100; i < 300; i++)
        disown(heap + i, 0, PAGE);
    shrink_heap(400);
    al_heap_look();
    check_books();
    ck_assert_uint_eq(al_books.locked_pages, 100);
    grow_heap(400);
    own(heap + 150, 0, 10 * PAGE);
    expect_locked(heap + 150, 10);
    check_books();
}
END_TEST

/* A realloc frees the highest block, and the heap shrinks, after it has allocated another. */
START_TEST(the_end_moves_within_realloc)
{
    own(heap + 300, 0, 100 * PAGE);
    al_heap_look();
    al_heap_moving();
    disown(heap + 300, 0, 100 * PAGE);
    shrink_heap(250);
    al_heap_own(address_at(heap + 10), 5 * PAGE);
    al_heap_moved();
    grow_heap(250);
    own(heap + 320, 0, 10 * PAGE);
    expect_locked(heap + 320, 10);
    check_books();
}
END_TEST

/* Of requests that cannot qualify nothing is told but that they come: the heap grows for them too.
 */
START_TEST(the_end_moves_for_others)
{
    start_for(64 << 10, UINT64_MAX);
    ck_assert_uint_gt(al_heap_owner.hopeless, 0);
    own(heap + 300, 0, 40 * PAGE);
    expect_locked(heap + 300, 40);
    disown(heap + 300, 0, 40 * PAGE);
    shrink_heap(250);
    al_heap_look(); /* as malloc does, whatever the size */
    grow_heap(300);
    own(heap + 320, 0, 20 * PAGE);
    expect_locked(heap + 320, 20);
    check_books();
}
END_TEST

/* What stands between two looks is not believed once there are threads. */
START_TEST(the_end_moves_before_threads)
{
    own(heap + 300, 0, 40 * PAGE);
    disown(heap + 300, 0, 40 * PAGE);
    shrink_heap(250);
    al_heap_owner_threads();
    grow_heap(250);
    own(heap + 320, 0, 10 * PAGE);
    expect_locked(heap + 320, 10);
    check_books();
}
END_TEST

static void with_threads(void)
{
    al_heap_owner_threads();
    ck_assert(al_books.several_threads);
}

START_TEST(above_the_anchor_nothing_is_believed)
{
    own(heap + 10, 0, PAGE);
    own(heap + 50, 0, PAGE);
    own(heap + 60, 0, 20 * PAGE);
    with_threads();
    ck_assert_uint_eq(al_heap_owner.anchor_end, page_at(heap + 80));
    disown(heap + 60, 0, 20 * PAGE);
    ck_assert_uint_eq(al_heap_owner.anchor_end, page_at(heap + 51));
    ck_assert_uint_eq(bits_of(heap + 60), AL_PAGE_LOCKED | AL_PAGE_UNSURE);
    ck_assert_uint_eq(bits_of(heap + 52), AL_PAGE_LOCKED | AL_PAGE_UNSURE);
    disown(heap + 50, 0, PAGE);
    ck_assert_uint_eq(al_heap_owner.anchor_end, page_at(heap + 11));
    /* unseen: gone, and there again */
    shrink_heap(480);
    grow_heap(480);
    own(heap + 65, 0, 5 * PAGE);
    expect_locked(heap + 65, 5);
    ck_assert_uint_eq(al_heap_owner.anchor_end, page_at(heap + 70));
    check_books();
}
END_TEST

START_TEST(below_the_anchor_all_is_believed)
{
    unsigned calls;

    with_threads();
    own(heap + 10, 0, 10 * PAGE);
    own(heap + 50, 0, PAGE);
    calls = kernel_model.mlock2_calls;
    for (size_t i = 0; i < 100; i++) {
        disown(heap + 10, 0, 10 * PAGE);
        own(heap + 10, 0, 10 * PAGE);
    }
    ck_assert_uint_eq(kernel_model.mlock2_calls, calls);
    check_books();
}
END_TEST

/* -- other heaps ---------------------------------------------------------------------------- */

START_TEST(a_heap_is_kept_by_a_block_of_ours)
{
    unsigned calls;

    with_threads();
    planted = address_at(arena + 7);
    own(arena + 5, 0, PAGE);
    ck_assert_uint_eq(plantings, 1);
    own(arena + 20, 0, PAGE);
    calls = kernel_model.mlock2_calls;
    for (size_t i = 0; i < 100; i++) {
        disown(arena + 20, 0, PAGE);
        own(arena + 20, 0, PAGE);
    }
    ck_assert_uint_eq(kernel_model.mlock2_calls, calls);
    ck_assert_uint_eq(plantings, 1);
    ck_assert_uint_eq(takings_back, 0);
    check_books();
}
END_TEST

START_TEST(without_it_nothing_is_believed)
{
    with_threads();
    planted = address_at(heap + 7); /* not where it should be */
    for (size_t i = 0; i < 20; i++) {
        own(arena + 5, 0, 3 * PAGE);
        expect_locked(arena + 5, 3);
        disown(arena + 5, 0, 3 * PAGE);
        ck_assert_uint_eq(bits_of(arena + 6), AL_PAGE_LOCKED | AL_PAGE_UNSURE);
        kernel_model_unmap(page_at(arena), page_at(arena + AL_LEAF_PAGES));
        map_pages(arena, AL_LEAF_PAGES);
    }
    /* and it is not tried for ever */
    ck_assert_uint_eq(plantings, 8);
    ck_assert_uint_eq(takings_back, 8);
    check_books();
}
END_TEST

START_TEST(what_was_before_it_is_not_believed)
{
    with_threads();
    own(arena + 5, 0, 3 * PAGE);
    disown(arena + 5, 0, 3 * PAGE);
    kernel_model_unmap(page_at(arena), page_at(arena + AL_LEAF_PAGES));
    map_pages(arena, AL_LEAF_PAGES);
    planted = address_at(arena + 7);
    own(arena + 20, 0, PAGE);
    own(arena + 5, 0, 3 * PAGE);
    expect_locked(arena + 5, 3);
    check_books();
}
END_TEST

START_TEST(an_allocator_that_does_not_keep_heaps)
{
    allocator.keeps_used_heaps = false;
    start_for(0, UINT64_MAX);
    own(arena + 5, 0, PAGE);
    disown(arena + 5, 0, PAGE);
    ck_assert_uint_eq(bits_of(arena + 5), AL_PAGE_LOCKED | AL_PAGE_UNSURE);
    ck_assert_uint_eq(plantings, 0);
}
END_TEST

/* A gap that was locked because there were too many runs, in a heap that went and came back. */
START_TEST(gaps_are_not_believed)
{
    with_threads();
    own(arena + 5, 0, PAGE);
    al_books.runs_max = 1;
    own(arena + 15, 0, PAGE);
    expect_locked(arena + 5, 11);
    disown(arena + 5, 0, PAGE);
    disown(arena + 15, 0, PAGE);
    kernel_model_unmap(page_at(arena), page_at(arena + AL_LEAF_PAGES));
    map_pages(arena, AL_LEAF_PAGES);
    own(arena + 10, 0, PAGE);
    expect_locked(arena + 10, 1);
    check_books();
}
END_TEST

START_TEST(a_mapping_of_its_own_is_forgotten)
{
    own_mapping = address_at(elsewhere) + 16;
    own(elsewhere, 16, 50 * PAGE);
    expect_locked(elsewhere, 51);
    disown(elsewhere, 16, 50 * PAGE);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(bits_of(elsewhere + 20), 0);
    kernel_model_unmap(page_at(elsewhere), page_at(elsewhere + 51));
    check_books();
    ck_assert_uint_eq(kernel_model.munlock_calls, 0);
}
END_TEST

/* Of what is locked less is left, and so of what may be without an owner. */
START_TEST(a_large_one_takes_slack_with_it)
{
    size_t pages = 20000;

    own_mapping = address_at(elsewhere) + 16;
    own(elsewhere, 16, pages * PAGE);
    own(arena, 0, 2000 * PAGE);
    own(arena + 2000, 0, PAGE);
    disown(arena, 0, 2000 * PAGE);
    expect_locked(arena, 2000);
    disown(elsewhere, 16, pages * PAGE);
    kernel_model_unmap(page_at(elsewhere), page_at(elsewhere + pages + 1));
    ck_assert_uint_le(al_books.unowned_pages, al_books_slack());
    check_books();
}
END_TEST

void heap_owner_add_heaps(TCase *tests)
{
    tcase_add_test(tests, growth_is_locked_ahead);
    tcase_add_test(tests, not_beyond_the_end);
    tcase_add_test(tests, the_end_is_watched);
    tcase_add_test(tests, the_end_moves_within_realloc);
    tcase_add_test(tests, the_end_moves_for_others);
    tcase_add_test(tests, the_end_moves_before_threads);
    tcase_add_test(tests, above_the_anchor_nothing_is_believed);
    tcase_add_test(tests, below_the_anchor_all_is_believed);
    tcase_add_test(tests, a_heap_is_kept_by_a_block_of_ours);
    tcase_add_test(tests, without_it_nothing_is_believed);
    tcase_add_test(tests, what_was_before_it_is_not_believed);
    tcase_add_test(tests, an_allocator_that_does_not_keep_heaps);
    tcase_add_test(tests, gaps_are_not_believed);
    tcase_add_test(tests, a_mapping_of_its_own_is_forgotten);
    tcase_add_test(tests, a_large_one_takes_slack_with_it);
}
