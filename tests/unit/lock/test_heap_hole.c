/*
 * The main heap with several threads: what is known to have no owner is passed over when the anchor
 * moves down. What has been owned in between is not.
 */
#include "books_check.h"
#include "lock_alloc.h"
#include "locker.h"

enum { PAGE = 4096, PAGES = 500 };

/* It lies across the end of a leaf. */
static const size_t heap = AL_LEAF_PAGES - 200;

static char *heap_end;

static void *no_block(size_t size)
{
    (void)size;
    return NULL;
}

static void never(void *block)
{
    ck_abort_msg("%p was never given out", block);
}

static const struct al_allocator allocator = {.malloc = no_block, .free = never};

static void start_for(uint64_t min_size, bool several_threads)
{
    al_books.policy.min_size = min_size;
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)address_at(heap);
    al_heap_owner.end_of_main = (char *volatile *)&heap_end;
    al_heap_owner.main_end = al_books.several_threads ? NULL : heap_end;
    if (several_threads)
        al_heap_owner_threads();
}

static void begin(void)
{
    books_begin(AL_KIND_HEAP);
    heap_end = address_at(heap + PAGES);
    map_pages(heap, PAGES);
}

static void own(size_t index, size_t pages)
{
    al_heap_own(address_at(heap + index), pages * PAGE);
    ck_assert_uint_eq(kernel_model_locked(page_at(heap + index), page_at(heap + index + pages)),
                      pages);
}

static void disown(size_t index, size_t pages)
{
    al_heap_disown(address_at(heap + index), pages * PAGE);
}

/* Unseen: the heap gives back all from page `index` on, and grows again. */
static void come_and_go(size_t index)
{
    kernel_model_unmap(page_at(heap + index), page_at(heap + PAGES));
    map_pages(heap + index, PAGES - index);
}

static bool is_doubted(size_t index)
{
    return bits_of(heap + index) & AL_PAGE_UNSURE;
}

/* What the hole promises: nobody owns its pages, and whoever comes to will be seen. */
static void check_hole(void)
{
    for (al_page page = al_heap_owner.hole_first; page < al_heap_owner.hole_end; page++) {
        uint32_t word = al_pagemap_get(page);

        if (word & AL_PAGE_OWNERS)
            ck_abort_msg("page %zu of the hole is owned", (size_t)(page - page_at(heap)));
        if ((word & (AL_PAGE_LOCKED | AL_PAGE_UNSURE)) == AL_PAGE_LOCKED)
            ck_abort_msg("page %zu of the hole is believed", (size_t)(page - page_at(heap)));
    }
}

static size_t hole_pages(void)
{
    return al_heap_owner.hole_end - al_heap_owner.hole_first;
}

/* A block at the heap's top above a large hole, in which another one lived meanwhile. */
START_TEST(owned_again_and_lost_again)
{
    start_for(0, true);
    own(10, 1);
    own(400, 20);
    disown(400, 20); /* the hole reaches down to the lowest block */
    own(400, 20);
    check_hole();
    ck_assert_uint_gt(hole_pages(), 300);
    own(200, 10);
    check_hole();
    disown(200, 10); /* below the anchor it is believed … */
    ck_assert(!is_doubted(205));
    disown(400, 20); /* … and above it no more */
    ck_assert(is_doubted(205));
    ck_assert(is_doubted(410));
    check_hole();
    come_and_go(100);
    own(203, 3);
    own(405, 3);
    check_books();
}
END_TEST

/* In the lower or upper half: the larger part of the hole is kept, the other is walked. */
START_TEST(at_either_end_of_it)
{
    const size_t at = _i ? 350 : 60;

    start_for(0, true);
    own(10, 1);
    own(400, 20);
    disown(400, 20);
    own(400, 20);
    own(at, 5);
    check_hole();
    ck_assert_uint_ge(hole_pages(), 250);
    disown(at, 5);
    own(at - 20, 45);
    check_hole();
    disown(at - 20, 45);
    disown(400, 20);
    check_hole();
    ck_assert(is_doubted(at));
    ck_assert(is_doubted(at + 20));
    come_and_go(20);
    own(at - 10, 30);
    check_books();
}
END_TEST

/* Only blocks of some sizes. */
/* Trimmed unseen, and the last page is locked for another block's sake before the first ones are.
 */
START_TEST(the_last_page_says_nothing_about_the_others)
{
    start_for(0, true);
    own(0, 1);
    own(10, 10);
    disown(10, 10);
    come_and_go(5);
    own(19, 1);
    own(10, 10);
    check_books_but_runs();
}
END_TEST

START_TEST(with_a_least_size)
{
    start_for(10 * PAGE, true);
    own(10, 10);
    own(400, 20);
    disown(400, 20);
    own(400, 20);
    own(200, 10);
    disown(200, 10);
    disown(400, 20);
    check_hole();
    come_and_go(100);
    own(200, 10);
    check_books();
}
END_TEST

/* As in a program that has a few large blocks: the way down is walked once. */
START_TEST(again_and_again)
{
    start_for(0, true);
    own(0, 1);
    for (size_t i = 0; i < 200; i++) {
        size_t at = 20 + i * 37 % 400;
        size_t pages = 1 + i * 7 % 60;

        own(at, pages);
        check_hole();
        if (i % 3)
            own(490, 5);
        disown(at, pages);
        if (i % 3)
            disown(490, 5);
        check_hole();
        ck_assert_uint_eq(al_heap_owner.anchor_end, page_at(heap + 1));
        come_and_go(2 + i % 20);
        check_books();
    }
}
END_TEST

/* Memory from before us is believed below the anchor, though no block of ours is on it. */
static void exists(size_t pages)
{
    const uint32_t word = AL_PAGE_EARLIER | AL_PAGE_MAPPED | AL_KIND_HEAP << AL_PAGE_KIND_SHIFT;

    ck_assert(al_books_change(page_at(heap), page_at(heap + pages), ~0U, word, AL_EXCLUSIVE));
    ck_assert_int_eq(al_locker_lock(page_at(heap), page_at(heap + pages)), 0);
}

START_TEST(memory_from_before_us)
{
    exists(300);
    start_for(0, true);
    own(10, 1);
    check_hole();
    own(200, 10);
    disown(200, 10);
    check_hole();
    come_and_go(100);
    own(150, 100);
    check_books();
}
END_TEST

/* A child locks them again, which is no word on how long they stay mapped. */
START_TEST(memory_from_before_us_in_a_child)
{
    exists(300);
    start_for(0, true);
    own(10, 1);
    own(310, 1);
    kernel_model_unlock_all();
    ck_assert_int_eq(al_lock_alloc_again(false, true, UINT64_MAX), 0);
    check_hole();
    disown(310, 1);
    come_and_go(100);
    own(150, 100);
    check_books();
}
END_TEST

/* Pages that are alike over whole leaves have no words of their own. */
START_TEST(very_large_ones)
{
    const size_t pages = 3 * AL_LEAF_PAGES;

    map_pages(heap, pages + 100);
    heap_end = address_at(heap + pages + 100);
    start_for(0, true);
    own(0, 1);
    own(10, pages);
    al_books.moving++; /* what has no owner stays locked */
    disown(10, pages);
    ck_assert(is_doubted(20));
    ck_assert(is_doubted(AL_LEAF_PAGES + 500));
    al_books.moving--;
    kernel_model_unmap(page_at(heap + 5), page_at(heap + pages + 100));
    map_pages(heap + 5, pages + 95);
    own(AL_LEAF_PAGES + 500, 20);
    check_hole();
    check_books();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("heap_hole");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, owned_again_and_lost_again);
    tcase_add_loop_test(tests, at_either_end_of_it, 0, 2);
    tcase_add_test(tests, the_last_page_says_nothing_about_the_others);
    tcase_add_test(tests, with_a_least_size);
    tcase_add_test(tests, again_and_again);
    tcase_add_test(tests, memory_from_before_us);
    tcase_add_test(tests, memory_from_before_us_in_a_child);
    tcase_add_test(tests, very_large_ones);
    return unit_run(tests);
}
