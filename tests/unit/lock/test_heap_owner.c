/* Blocks as owners of pages: who keeps what locked, and what is believed of a page later. */
#include "books_check.h"
#include "heap_owner.h"
#include "locker.h"
#include "regions.h"

enum { PAGE = 4096 };

/* The main heap lies across the end of a leaf; its end is where __curbrk would point. */
static const size_t heap = AL_LEAF_PAGES - 1000;
static const size_t arena = 3 * AL_LEAF_PAGES;
static const size_t elsewhere = 6 * AL_LEAF_PAGES;

static char *heap_end;

/* What the allocator behind the hooks does. */
static void *planted;
static unsigned plantings;
static unsigned takings_back;
static const char *own_mapping;

static void *plant(size_t size)
{
    ck_assert_uint_le(size, 16);
    plantings++;
    return planted;
}

static void take_back(void *block)
{
    ck_assert_ptr_eq(block, planted);
    takings_back++;
}

static bool is_mapping(const void *block)
{
    return block == own_mapping;
}

static struct al_allocator allocator = {
    .malloc = plant, .free = take_back, .is_mapping = is_mapping, .keeps_used_heaps = true};

static void grow_heap(size_t pages)
{
    al_page old_end = al_page_of(heap_end);

    heap_end += pages * PAGE;
    kernel_model_map(old_end, al_page_of(heap_end), true);
}

static void shrink_heap(size_t pages)
{
    kernel_model_unmap(al_page_of(heap_end) - pages, al_page_of(heap_end));
    heap_end -= pages * PAGE;
}

static void start_for(uint64_t min_size, uint64_t max_size)
{
    al_books.policy.min_size = min_size;
    al_books.policy.max_size = max_size;
    /* Not at the real one's place. */
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)address_at(heap);
    al_heap_owner.end_of_main = (char *volatile *)&heap_end;
    al_heap_owner.main_end = al_books.several_threads ? NULL : heap_end;
}

static void begin(void)
{
    books_begin(AL_KIND_HEAP);
    map_pages(arena, AL_LEAF_PAGES);
    map_pages(elsewhere, 3 * AL_LEAF_PAGES);
    heap_end = address_at(heap);
    grow_heap(500);
    start_for(0, UINT64_MAX);
}

/* A block from byte `offset` of page `index` on. */
static void own(size_t index, size_t offset, size_t usable)
{
    al_heap_look();
    al_heap_own(address_at(index) + offset, usable);
}

static void disown(size_t index, size_t offset, size_t usable)
{
    al_heap_disown(address_at(index) + offset, usable);
}

static bool is_locked(size_t index)
{
    return kernel_model_is_locked(page_at(index));
}

static void expect_locked(size_t index, size_t count)
{
    ck_assert_uint_eq(kernel_model_locked(page_at(index), page_at(index + count)), count);
}

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

    tcase_add_checked_fixture(tests, begin, NULL);
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
    tcase_add_test(tests, bytes_on_their_way_stay_locked);
    tcase_add_test(tests, what_existed_is_locked_as_a_whole);
    tcase_add_test(tests, on_what_existed_and_is_not_locked_the_first_owns_for_ever);
    tcase_add_test(tests, on_what_existed_after_a_large_block);
    tcase_add_test(tests, nothing_is_locked_by_what_is_refused);
    return unit_run(tests);
}
