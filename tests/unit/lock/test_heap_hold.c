/* Pages that are held for blocks to come: as locked as if one was on them, and no more believed. */
#include "books_check.h"
#include "heap_hold.h"
#include "heap_owner.h"
#include "locker.h"

enum { PAGE = 4096, PAGES = 500, HELD_MOST = 32 };

/* It lies across the end of a leaf. */
static const size_t heap = AL_LEAF_PAGES - 200;
static const size_t arena = 3 * AL_LEAF_PAGES;

static char *heap_end;
static void *planted;

static void *plant(size_t size)
{
    (void)size;
    return planted;
}

static void never(void *block)
{
    ck_abort_msg("%p was never given out", block);
}

static void begin(void)
{
    static const struct al_allocator allocator = {
        .malloc = plant, .free = never, .keeps_used_heaps = true, .holds = true};

    books_begin(AL_KIND_HEAP);
    al_books.policy.max_size = UINT64_MAX;
    heap_end = address_at(heap + PAGES);
    planted = NULL;
    map_pages(heap, PAGES);
    map_pages(arena, AL_LEAF_PAGES);
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)address_at(heap);
    al_heap_owner.end_of_main = (char *volatile *)&heap_end;
    al_heap_owner.main_end = heap_end;
}

/* A small block on page `index`. */
static void own(size_t index)
{
    al_heap_look();
    al_heap_own(address_at(index) + 16, 100);
    ck_assert(kernel_model_is_locked(page_at(index)));
}

static void disown(size_t index)
{
    al_heap_disown(address_at(index) + 16, 100);
}

static void come_and_go(size_t index)
{
    own(index);
    disown(index);
}

static bool is_held(size_t index)
{
    return bits_of(index) & AL_PAGE_HELD;
}

static bool is_doubted(size_t index)
{
    return bits_of(index) & AL_PAGE_UNSURE;
}

static size_t held_in(size_t index, size_t count)
{
    size_t held = 0;

    for (size_t i = index; i < index + count; i++)
        held += is_held(i);
    return held;
}

START_TEST(a_block_alone)
{
    unsigned calls;

    come_and_go(heap + 7);
    ck_assert(is_held(heap + 7));
    ck_assert_uint_eq(owners_of(heap + 7), 0);
    ck_assert_uint_eq(al_books.unowned_pages, al_books.locked_pages - 1); /* locked ahead */
    calls = kernel_model.mlock2_calls;
    for (int i = 0; i < 10; i++) {
        own(heap + 7);
        ck_assert_uint_eq(owners_of(heap + 7), 1);
        disown(heap + 7);
        ck_assert(is_held(heap + 7));
        check_books();
    }
    ck_assert_uint_eq(kernel_model.mlock2_calls, calls);
    ck_assert_uint_eq(al_books.unowned_pages, al_books.locked_pages - 1);
}
END_TEST

START_TEST(others_on_the_page)
{
    own(heap + 7);
    al_heap_own(address_at(heap + 7) + 200, 100);
    disown(heap + 7);
    ck_assert(!is_held(heap + 7));
    al_heap_disown(address_at(heap + 7) + 200, 100);
    ck_assert(is_held(heap + 7));
    check_books();
}
END_TEST

START_TEST(not_more_than_so_many)
{
    for (size_t i = 0; i < 200; i++)
        come_and_go(heap + i);
    ck_assert_uint_le(held_in(heap, 200), HELD_MOST);
    ck_assert_uint_ge(held_in(heap, 200), HELD_MOST / 2);
    ck_assert_uint_ge(al_books.held_pages, held_in(heap, 200));
    ck_assert_uint_le(al_books.held_pages, HELD_MOST);
    check_books();
    ck_assert(is_held(heap + 199)); /* the one that was left last */
}
END_TEST

START_TEST(all_go)
{
    for (size_t i = 0; i < 100; i++)
        come_and_go(heap + i);
    al_heap_let_go_all();
    ck_assert_uint_eq(held_in(heap, 100), 0);
    ck_assert_uint_eq(al_books.held_pages, 0);
    ck_assert_uint_eq(al_books.unowned_pages, al_books.locked_pages);
    check_books();
}
END_TEST

START_TEST(given_back_with_the_rest)
{
    come_and_go(heap + 7);
    al_locker_trim_all();
    ck_assert_uint_eq(al_books.locked_pages, 0);
    check_only_locked(0, 0);
    own(heap + 7);
    disown(heap + 7);
    ck_assert(is_held(heap + 7));
}
END_TEST

/* They are held against the slack: no more is locked without a block than before. */
START_TEST(within_the_slack)
{
    al_page slack;

    own(heap);
    for (size_t i = 1; i < PAGES; i++)
        own(heap + i);
    for (size_t i = 1; i < PAGES; i++) {
        disown(heap + i);
        slack = al_books_slack();
        ck_assert_uint_le(al_books.unowned_pages + held_in(heap, PAGES), slack);
    }
    check_books();
}
END_TEST

/* A block of many pages comes over a page that is held. */
START_TEST(under_a_larger_block)
{
    come_and_go(heap + 7);
    al_heap_own(address_at(heap + 5), (size_t)6 * PAGE);
    ck_assert_uint_eq(owners_of(heap + 7), 1);
    al_heap_let_go_all();
    ck_assert_uint_eq(owners_of(heap + 7), 1);
    check_books();
    al_heap_disown(address_at(heap + 5), (size_t)6 * PAGE);
    ck_assert_uint_eq(al_books.unowned_pages, al_books.locked_pages);
    check_books();
}
END_TEST

START_TEST(the_heap_shrinks_under_it)
{
    come_and_go(heap + 450);
    ck_assert(is_held(heap + 450));
    kernel_model_unmap(page_at(heap + 400), page_at(heap + PAGES));
    heap_end = address_at(heap + 400);
    al_heap_look();
    ck_assert_uint_eq(bits_of(heap + 450), 0);
    check_books();
    heap_end = address_at(heap + PAGES);
    map_pages(heap + 400, PAGES - 400);
    own(heap + 450); /* is locked again */
    al_heap_let_go_all();
    ck_assert_uint_eq(owners_of(heap + 450), 1);
    check_books();
}
END_TEST

/* -- several threads ------------------------------------------------------------------------ */

START_TEST(the_highest_page_is_not_held)
{
    al_heap_owner_threads();
    own(heap + 3);
    own(heap + 7);
    disown(heap + 3);
    ck_assert(is_held(heap + 3));
    disown(heap + 7);
    ck_assert(!is_held(heap + 7));
    ck_assert(is_doubted(heap + 7));
    /* nothing is left above, so that it may be trimmed as well */
    ck_assert(!is_held(heap + 3));
    ck_assert(is_doubted(heap + 3));
    check_books();
}
END_TEST

START_TEST(a_held_page_becomes_the_highest)
{
    al_heap_owner_threads();
    own(heap + 3);
    own(heap + 7);
    disown(heap + 3);
    own(heap + 3);
    ck_assert(is_held(heap + 3));
    disown(heap + 7);
    ck_assert(!is_held(heap + 3));
    disown(heap + 3);
    ck_assert(!is_held(heap + 3));
    ck_assert(is_doubted(heap + 3));
    check_books();
}
END_TEST

START_TEST(a_second_thread_comes)
{
    own(heap + 3);
    come_and_go(heap + 2);
    come_and_go(heap + 7);
    own(heap + 5);
    disown(heap + 5);
    al_heap_owner_threads();
    ck_assert(is_held(heap + 2));
    ck_assert(!is_held(heap + 5) && is_doubted(heap + 5));
    ck_assert(!is_held(heap + 7) && is_doubted(heap + 7));
    check_books();
}
END_TEST

/* -- elsewhere ------------------------------------------------------------------------------ */

START_TEST(in_an_arena_that_stays)
{
    planted = address_at(arena + 100);
    al_heap_owner_threads();
    come_and_go(arena + 7);
    ck_assert(is_held(arena + 7));
    check_books();
}
END_TEST

START_TEST(not_in_one_that_may_go)
{
    al_heap_owner_threads();
    come_and_go(arena + 7);
    ck_assert(!is_held(arena + 7));
    ck_assert(is_doubted(arena + 7));
    check_books();
}
END_TEST

START_TEST(not_where_blocks_are_from_before)
{
    ck_assert(al_books_change(page_at(heap), page_at(heap + 10), ~0U, AL_PAGE_EARLIER, AL_SHARED));
    come_and_go(heap + 7);
    ck_assert(!is_held(heap + 7));
    check_books();
}
END_TEST

/* -- words ---------------------------------------------------------------------------------- */

START_TEST(what_is_settled)
{
    const uint32_t others = AL_PAGE_KIND_MASK | AL_PAGE_EARLIER | AL_PAGE_PROGRAM;

    for (uint32_t more = 0; more <= others; more += others) {
        ck_assert(!al_word_settled(more));
        ck_assert(!al_word_settled(AL_PAGE_LOCKED | more));
        ck_assert(!al_word_settled((AL_PAGE_OWNERS | AL_PAGE_MAPPED | AL_PAGE_HELD) | more));
        ck_assert(al_word_settled(AL_PAGE_LOCKED | AL_PAGE_OWNER | more));
        ck_assert(al_word_settled(AL_PAGE_LOCKED | AL_PAGE_OWNERS | more));
        ck_assert(al_word_settled(AL_PAGE_LOCKED | AL_PAGE_HELD | more));
        ck_assert(al_word_settled(AL_PAGE_LOCKED | AL_PAGE_MAPPED | more));
        ck_assert(!al_word_settled(AL_PAGE_LOCKED | AL_PAGE_OWNER | AL_PAGE_UNSURE | more));
        ck_assert(!al_word_settled(AL_PAGE_LOCKED | AL_PAGE_MAPPED | AL_PAGE_UNSURE | more));
    }
}
END_TEST

START_TEST(what_may_lose_an_owner)
{
    ck_assert(al_word_kept(2 * AL_PAGE_OWNER));
    ck_assert(!al_word_kept(AL_PAGE_OWNER));
    ck_assert(al_word_kept(AL_PAGE_OWNER | AL_PAGE_HELD));
    ck_assert(!al_word_kept(AL_PAGE_HELD)); /* its block was never counted */
    ck_assert(!al_word_kept(AL_PAGE_OWNER | AL_PAGE_MAPPED));
    ck_assert(al_word_kept_alone(AL_PAGE_OWNER | AL_PAGE_MAPPED));
    ck_assert(al_word_kept_alone(AL_PAGE_OWNER | AL_PAGE_HELD));
    ck_assert(!al_word_kept_alone(AL_PAGE_HELD | AL_PAGE_MAPPED));
}
END_TEST

/* Words follow each other: what is counted in one does not reach the next. */
START_TEST(two_at_once)
{
    const uint32_t full = AL_PAGE_LOCKED | AL_PAGE_MAPPED | (AL_PAGE_OWNERS - AL_PAGE_OWNER);
    const uint32_t one = AL_PAGE_LOCKED | AL_PAGE_OWNER;
    static uint32_t word[4];

    word[0] = word[2] = word[3] = one;
    word[1] = full;
    al_words_own_alone(word + 1, 0);
    ck_assert(word[0] == one && word[1] == full + AL_PAGE_OWNER && word[2] == one);
    al_words_disown_alone(word + 1, 0);
    al_words_own_alone(word + 1, 1);
    ck_assert(word[1] == full + AL_PAGE_OWNER && word[2] == one + AL_PAGE_OWNER);
    al_words_disown_alone(word + 2, 1);
    ck_assert(word[1] == full + AL_PAGE_OWNER && word[2] == one && word[3] == AL_PAGE_LOCKED);
    al_words_disown_alone(word, 0);
    ck_assert(word[0] == AL_PAGE_LOCKED && word[1] == full + AL_PAGE_OWNER);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("heap_hold");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, a_block_alone);
    tcase_add_test(tests, others_on_the_page);
    tcase_add_test(tests, not_more_than_so_many);
    tcase_add_test(tests, all_go);
    tcase_add_test(tests, given_back_with_the_rest);
    tcase_add_test(tests, within_the_slack);
    tcase_add_test(tests, under_a_larger_block);
    tcase_add_test(tests, the_heap_shrinks_under_it);
    tcase_add_test(tests, the_highest_page_is_not_held);
    tcase_add_test(tests, a_held_page_becomes_the_highest);
    tcase_add_test(tests, a_second_thread_comes);
    tcase_add_test(tests, in_an_arena_that_stays);
    tcase_add_test(tests, not_in_one_that_may_go);
    tcase_add_test(tests, not_where_blocks_are_from_before);
    tcase_add_test(tests, what_is_settled);
    tcase_add_test(tests, what_may_lose_an_owner);
    tcase_add_test(tests, two_at_once);
    return unit_run(tests);
}
