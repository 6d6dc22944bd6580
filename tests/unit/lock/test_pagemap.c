/* One word a page, leaf by leaf or span by span. */
#include "kernel_model.h"
#include "pagemap.h"
#include "sys.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const al_page first = MODEL_FIRST;
static const al_page leaf_pages = AL_LEAF_PAGES;

static void expect_all(al_page from, al_page end, uint32_t value)
{
    /* An assertion that holds is a system call of libcheck's. */
    for (al_page page = from; page < end; page++)
        if (al_pagemap_get(page) != value)
            ck_abort_msg("page %#zx has %#x", (size_t)(page - first), al_pagemap_get(page));
}

START_TEST(nothing_is_known_at_first)
{
    ck_assert_uint_eq(al_pagemap_get(0), 0);
    ck_assert_uint_eq(al_pagemap_get(first), 0);
    ck_assert_uint_eq(al_pagemap_get(AL_PAGE_END - 1), 0);
    ck_assert_ptr_null(al_pagemap_leaf(first));
    ck_assert_ptr_null(al_pagemap_leaf_quick(first));
    ck_assert_uint_eq(al_pagemap_skip(0, AL_PAGE_END), AL_PAGE_END);
    ck_assert_uint_eq(al_pagemap_bytes(), 0);
}
END_TEST

START_TEST(beyond_the_end)
{
    ck_assert_uint_eq(al_pagemap_get(AL_PAGE_END), 0);
    ck_assert_uint_eq(al_pagemap_get(UINT64_MAX), 0);
    ck_assert_ptr_null(al_pagemap_leaf(AL_PAGE_END));
    ck_assert_ptr_null(al_pagemap_leaf(UINT64_MAX));
    ck_assert_ptr_null(al_pagemap_make_leaf(AL_PAGE_END));
    ck_assert(!al_pagemap_set(AL_PAGE_END, AL_PAGE_END + 1, 7));
    ck_assert(al_pagemap_set(AL_PAGE_END, AL_PAGE_END + 1, 0));
    ck_assert_uint_eq(al_pagemap_skip(AL_PAGE_END, AL_PAGE_END), AL_PAGE_END);
    ck_assert_uint_eq(al_pagemap_bytes(), 0);
}
END_TEST

START_TEST(addresses_and_pages)
{
    ck_assert_uint_eq(al_page_of((void *)0), 0);
    ck_assert_uint_eq(al_page_of((char *)al_page_address(first) - 1), first - 1);
    ck_assert_uint_eq(al_page_of(al_page_address(first)), first);
    ck_assert_ptr_eq(al_page_address(al_page_of(al_page_address(first))), al_page_address(first));
}
END_TEST

START_TEST(a_leaf_is_made_once)
{
    struct al_leaf *leaf = al_pagemap_make_leaf(first + 5);

    ck_assert_ptr_nonnull(leaf);
    ck_assert_uint_eq(leaf->index, first / leaf_pages);
    ck_assert_ptr_eq(al_pagemap_make_leaf(first), leaf);
    ck_assert_ptr_eq(al_pagemap_make_leaf(first + leaf_pages - 1), leaf);
    ck_assert_ptr_eq(al_pagemap_leaf(first + 7), leaf);
    ck_assert_ptr_eq(al_pagemap_leaf_quick(first + 7), leaf);
    ck_assert_ptr_ne(al_pagemap_make_leaf(first + leaf_pages), leaf);
    ck_assert_ptr_null(al_pagemap_leaf(first - 1));
    expect_all(first, first + leaf_pages, 0);
}
END_TEST

START_TEST(the_quick_way_finds_the_same)
{
    struct al_leaf *leaf[4];

    for (size_t i = 0; i < 4; i++)
        leaf[i] = al_pagemap_make_leaf(first + i * leaf_pages);
    for (size_t i = 0; i < 1000; i++) {
        size_t at = i * i % 6;
        al_page page = first + at * leaf_pages + i;

        ck_assert_ptr_eq(al_pagemap_leaf_quick(page), at < 4 ? leaf[at] : NULL);
        ck_assert_ptr_eq(al_pagemap_leaf_quick(page), al_pagemap_leaf(page));
    }
}
END_TEST

START_TEST(words_are_set)
{
    ck_assert(al_pagemap_set(first + 10, first + 20, 7));
    expect_all(first, first + 10, 0);
    expect_all(first + 10, first + 20, 7);
    expect_all(first + 20, first + leaf_pages, 0);
    ck_assert(al_pagemap_set(first + 12, first + 13, UINT32_MAX));
    ck_assert_uint_eq(al_pagemap_get(first + 11), 7);
    ck_assert_uint_eq(al_pagemap_get(first + 12), UINT32_MAX);
    ck_assert_uint_eq(al_pagemap_get(first + 13), 7);
    ck_assert(al_pagemap_set(first, first, 9));
    ck_assert_uint_eq(al_pagemap_get(first), 0);
}
END_TEST

/* Across three leaves, of which the middle one is a span. */
START_TEST(whole_leaves_are_spans)
{
    const uint32_t value = 0x3f123456;
    al_page from = first + leaf_pages - 3;
    al_page end = first + 2 * leaf_pages + 4;

    ck_assert(al_pagemap_set(from, end, value));
    ck_assert_ptr_nonnull(al_pagemap_any_leaf(first));
    ck_assert_ptr_null(al_pagemap_any_leaf(first + leaf_pages));
    ck_assert_ptr_nonnull(al_pagemap_any_leaf(first + 2 * leaf_pages));
    expect_all(first, from, 0);
    expect_all(from, end, value);
    expect_all(end, first + 3 * leaf_pages, 0);
}
END_TEST

START_TEST(a_span_becomes_a_leaf_where_a_page_differs)
{
    struct al_leaf *leaf;

    ck_assert(al_pagemap_set(first, first + 2 * leaf_pages, 10));
    ck_assert(al_pagemap_set(first + 100, first + 101, 12));
    leaf = al_pagemap_any_leaf(first);
    ck_assert_ptr_nonnull(leaf);
    ck_assert_ptr_null(al_pagemap_leaf(first));
    ck_assert_uint_eq(leaf->unowned, 0);
    ck_assert(!leaf->anchored);
    expect_all(first, first + 100, 10);
    ck_assert_uint_eq(al_pagemap_get(first + 100), 12);
    expect_all(first + 101, first + 2 * leaf_pages, 10);
    ck_assert_ptr_null(al_pagemap_any_leaf(first + leaf_pages));
}
END_TEST

/* A pointer to a word of its stays good. */
START_TEST(a_lasting_leaf_stays)
{
    struct al_leaf *leaf = al_pagemap_make_leaf(first);

    ck_assert(al_pagemap_set(first, first + leaf_pages, 10));
    ck_assert(al_pagemap_set(first, first + leaf_pages, 0));
    al_pagemap_drop_empty(first);
    ck_assert_ptr_eq(al_pagemap_leaf(first), leaf);
    expect_all(first, first + leaf_pages, 0);
}
END_TEST

/* What is known of each is forgotten before the next comes: so do the mappings of some programs. */
START_TEST(a_brief_leaf_serves_one_address_after_the_other)
{
    const al_page branch_pages = AL_BRANCH_LEAVES * leaf_pages;
    const al_page base = first / branch_pages * branch_pages;
    size_t bytes = 0;

    for (al_page i = 0; i < AL_BRANCH_LEAVES; i++) {
        al_page from = base + i * leaf_pages + i * 7;

        ck_assert(al_pagemap_set(from, from + 20, 10));
        ck_assert_ptr_null(al_pagemap_leaf(from));
        ck_assert(al_pagemap_set(from + 5, from + 9, 12));
        expect_all(from, from + 5, 10);
        expect_all(from + 5, from + 9, 12);
        expect_all(from + 9, from + 20, 10);
        ck_assert(al_pagemap_set(from, from + 10, 0));
        ck_assert_uint_eq(al_pagemap_get(from + 10), 10);
        ck_assert(al_pagemap_set(from + 10, from + 20, 0));
        ck_assert_ptr_null(al_pagemap_any_leaf(from));
        if (!bytes)
            bytes = al_pagemap_bytes();
        ck_assert_uint_eq(al_pagemap_bytes(), bytes);
    }
    ck_assert_uint_eq(al_pagemap_skip(base, base + branch_pages), base + branch_pages);
}
END_TEST

static size_t resident_of(const struct al_leaf *leaf)
{
    unsigned char there[sizeof(*leaf) / 4096 + 1];
    size_t count = 0;

    ck_assert_int_eq(mincore((void *)leaf, sizeof(*leaf), there), 0);
    for (size_t i = 0; i < sizeof(there); i++)
        count += there[i] & 1;
    return count;
}

/* All but a few give back their memory, and are as new when they are used again. */
START_TEST(many_brief_leaves_at_once)
{
    enum { MANY = 40 };
    struct al_leaf *leaves[MANY];
    size_t resident = 0;
    size_t bytes;

    al_pagemap_init(true);
    for (al_page i = 0; i < MANY; i++) {
        ck_assert(al_pagemap_set(first + i * leaf_pages, first + (i + 1) * leaf_pages - 1, 10));
        leaves[i] = al_pagemap_any_leaf(first + i * leaf_pages);
        ck_assert_uint_ge(resident_of(leaves[i]), 16);
    }
    bytes = al_pagemap_bytes();
    ck_assert_uint_ge(al_pagemap_locked_pages(), (al_page)MANY * 17);
    ck_assert(al_pagemap_set(first, first + MANY * leaf_pages, 0));
    for (size_t i = 0; i < MANY; i++)
        resident += resident_of(leaves[i]);
    ck_assert_uint_le(resident, 10 * 17 + MANY);
    ck_assert_uint_le(al_pagemap_locked_pages(), 10 * 17);
    for (al_page i = 0; i < MANY; i++) {
        ck_assert(al_pagemap_set(first + i * leaf_pages + i, first + i * leaf_pages + i + 1, 12));
        expect_all(first + i * leaf_pages, first + i * leaf_pages + i, 0);
        expect_all(first + i * leaf_pages + i + 1, first + (i + 1) * leaf_pages, 0);
    }
    ck_assert_uint_eq(al_pagemap_bytes(), bytes);
    ck_assert_uint_ge(al_pagemap_locked_pages(), (al_page)MANY * 17);
    ck_assert(al_pagemap_set(first, first + MANY * leaf_pages, 0));
    al_pagemap_init(false);
}
END_TEST

/* When its memory is unmapped, and nothing is known there. */
START_TEST(a_lasting_leaf_is_retired)
{
    struct al_leaf *leaf = al_pagemap_make_leaf(first + 5);

    ck_assert_ptr_eq(al_pagemap_leaf_quick(first), leaf);
    ck_assert(al_pagemap_set(first + 7, first + 8, 10));
    al_pagemap_retire(first, first + leaf_pages);
    ck_assert_ptr_eq(al_pagemap_leaf(first), leaf);
    ck_assert(al_pagemap_set(first + 7, first + 8, 0));
    leaf->anchored = true;
    al_pagemap_retire(first + leaf_pages - 1, first + leaf_pages);
    ck_assert_ptr_eq(al_pagemap_leaf(first), leaf);
    leaf->anchored = false;
    al_pagemap_retire(first + leaf_pages - 1, first + leaf_pages);
    ck_assert_ptr_null(al_pagemap_any_leaf(first));
    ck_assert_ptr_null(al_pagemap_leaf_quick(first));
    /* for other addresses, and not found quickly before it has blocks again */
    ck_assert(al_pagemap_set(first + leaf_pages, first + leaf_pages + 1, 10));
    ck_assert_ptr_eq(al_pagemap_any_leaf(first + leaf_pages), leaf);
    ck_assert_ptr_null(al_pagemap_leaf_quick(first + leaf_pages));
    ck_assert_ptr_eq(al_pagemap_make_leaf(first + leaf_pages), leaf);
    ck_assert_ptr_eq(al_pagemap_leaf_quick(first + leaf_pages), leaf);
}
END_TEST

/* The first block makes it so, with all that was known. */
START_TEST(a_brief_leaf_becomes_lasting)
{
    struct al_leaf *leaf;

    ck_assert(al_pagemap_set(first + 3, first + 9, 10));
    leaf = al_pagemap_any_leaf(first);
    ck_assert_ptr_eq(al_pagemap_make_any_leaf(first + 1), leaf);
    ck_assert_ptr_null(al_pagemap_leaf(first));
    ck_assert_ptr_eq(al_pagemap_make_leaf(first + 100), leaf);
    ck_assert_ptr_eq(al_pagemap_leaf(first), leaf);
    expect_all(first + 3, first + 9, 10);
    ck_assert(al_pagemap_set(first, first + 10, 0));
    ck_assert_ptr_eq(al_pagemap_leaf(first), leaf);
}
END_TEST

START_TEST(the_same_again_makes_nothing)
{
    size_t bytes;

    ck_assert(al_pagemap_set(first, first + leaf_pages, 10));
    bytes = al_pagemap_bytes();
    ck_assert(al_pagemap_set(first + 7, first + 8, 10));
    ck_assert(al_pagemap_set(first + leaf_pages + 7, first + leaf_pages + 8, 0));
    ck_assert_uint_eq(al_pagemap_bytes(), bytes);
    ck_assert_ptr_null(al_pagemap_leaf(first));
}
END_TEST

/* A reservation of a terabyte. */
START_TEST(much_costs_little)
{
    const al_page pages = (al_page)1 << 28;

    ck_assert(al_pagemap_set(first, first + pages, 2));
    ck_assert_uint_eq(al_pagemap_get(first + pages - 1), 2);
    ck_assert_uint_eq(al_pagemap_get(first + pages), 0);
    ck_assert_uint_le(al_pagemap_bytes(), 1 << 20);
    ck_assert(al_pagemap_set(first, first + pages, 0));
    ck_assert_uint_eq(al_pagemap_skip(0, AL_PAGE_END), AL_PAGE_END);
}
END_TEST

START_TEST(the_first_leaf_and_the_last)
{
    ck_assert(al_pagemap_set(0, 1, 3));
    ck_assert(al_pagemap_set(AL_PAGE_END - 1, AL_PAGE_END, 4));
    ck_assert_uint_eq(al_pagemap_get(0), 3);
    ck_assert_uint_eq(al_pagemap_get(AL_PAGE_END - 1), 4);
    ck_assert_uint_eq(al_pagemap_skip(0, AL_PAGE_END), 0);
    ck_assert_uint_eq(al_pagemap_skip(leaf_pages, AL_PAGE_END), AL_PAGE_END - leaf_pages);
}
END_TEST

static void expect_stretch(al_page from, al_page end, uint32_t mask, al_page stretch_end,
                           uint32_t value)
{
    struct al_stretch stretch = al_pagemap_next(from, end, mask);

    ck_assert_uint_eq(stretch.first, from);
    ck_assert_uint_eq(stretch.end, stretch_end);
    ck_assert_uint_eq(stretch.value, value);
}

START_TEST(stretches)
{
    ck_assert(al_pagemap_set(first + 10, first + 20, AL_PAGE_LOCKED | 2));
    ck_assert(al_pagemap_set(first + 20, first + 30, AL_PAGE_LOCKED | 4));
    expect_stretch(first, first + leaf_pages, ~0U, first + 10, 0);
    expect_stretch(first + 10, first + leaf_pages, ~0U, first + 20, AL_PAGE_LOCKED | 2);
    expect_stretch(first + 10, first + leaf_pages, AL_PAGE_LOCKED, first + 30, AL_PAGE_LOCKED | 2);
    expect_stretch(first + 10, first + 12, ~0U, first + 12, AL_PAGE_LOCKED | 2);
    expect_stretch(first + 30, first + 3 * leaf_pages, ~0U, first + leaf_pages, 0);
    /* where there is no leaf, a leaf at a time */
    expect_stretch(first + leaf_pages + 5, first + 3 * leaf_pages, ~0U, first + 2 * leaf_pages, 0);
}
END_TEST

START_TEST(what_is_unknown_is_skipped)
{
    const al_page far = first + (al_page)AL_BRANCH_LEAVES * leaf_pages * 5;

    ck_assert(al_pagemap_set(far + 3, far + 4, 1));
    ck_assert(al_pagemap_set(far + 2 * leaf_pages, far + 3 * leaf_pages, 2));
    ck_assert_uint_eq(al_pagemap_skip(first, AL_PAGE_END), far);
    ck_assert_uint_eq(al_pagemap_skip(first, far), far);
    ck_assert_uint_eq(al_pagemap_skip(first, first + 9), first + 9);
    ck_assert_uint_eq(al_pagemap_skip(far + 100, AL_PAGE_END), far + 100);
    ck_assert_uint_eq(al_pagemap_skip(far + leaf_pages, AL_PAGE_END), far + 2 * leaf_pages);
    ck_assert_uint_eq(al_pagemap_skip(far + 3 * leaf_pages, AL_PAGE_END), AL_PAGE_END);
}
END_TEST

START_TEST(tables_are_locked_on_fault_if_asked)
{
    al_pagemap_init(true);
    ck_assert_ptr_nonnull(al_pagemap_make_leaf(first));
    ck_assert_uint_eq(kernel_model.mlock2_calls, 2); /* a branch and a leaf */
    ck_assert_uint_ne(kernel_model.last_flags, 0);
    al_pagemap_init(false);
    ck_assert_ptr_nonnull(al_pagemap_make_leaf(first + leaf_pages));
    ck_assert_uint_eq(kernel_model.mlock2_calls, 2);
}
END_TEST

static void expect_model(const uint32_t *model)
{
    for (al_page page = 0; page < MODEL_LEAVES * leaf_pages; page += 1 + page % 7)
        if (al_pagemap_get(first + page) != model[page])
            ck_abort_msg("page %#zx has %#x", (size_t)page, al_pagemap_get(first + page));
    for (al_page page = 0; page < MODEL_LEAVES * leaf_pages;) {
        struct al_stretch stretch = al_pagemap_next(first + page, MODEL_END, ~0U);

        page = stretch.end - first;
        if (stretch.value != model[stretch.first - first] || stretch.value != model[page - 1] ||
            (page % leaf_pages && stretch.value == model[page]))
            ck_abort_msg("a stretch of %#x up to page %#zx", stretch.value, (size_t)page);
    }
}

/* Against an array, with random stretches and values. */
START_TEST(a_plain_model)
{
    static uint32_t model[MODEL_PAGES];
    uint64_t random = UINT64_C(88172645463325252) + (uint64_t)_i;

    for (int step = 0; step < 50; step++) {
        al_page from, end;
        uint32_t value;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        from = random % MODEL_PAGES;
        end = from + (random >> 20) % (MODEL_PAGES - from) + 1;
        if (random >> 40 & 1) {
            from = from / leaf_pages * leaf_pages;
            end = (end + leaf_pages - 1) / leaf_pages * leaf_pages;
        } else if (random >> 41 & 1 && end - from > 10) {
            end = from + 10;
        }
        value = random >> 42 & 1 ? (uint32_t)(random >> 32) & ~1U : 0;
        ck_assert(al_pagemap_set(first + from, first + end, value));
        for (al_page page = from; page < end; page++)
            model[page] = value;
        expect_model(model);
    }
}
END_TEST

START_TEST(its_own_tables_are_known)
{
    struct al_leaf *leaf = al_pagemap_make_leaf(first);
    uintptr_t address = (uintptr_t)leaf;
    uintptr_t start = 0;
    uintptr_t end = 0;

    ck_assert(al_pagemap_own(address, address + 1, &start, &end));
    ck_assert_uint_eq(start, address);
    ck_assert_uint_ge(end, address + sizeof(*leaf));
    ck_assert_uint_eq(end % al_page_size(), 0);
    /* From anywhere in it, and the first one of several. */
    ck_assert(al_pagemap_own(end - 1, end, &start, &end));
    ck_assert_uint_eq(start, address);
    ck_assert(al_pagemap_own(0, UINTPTR_MAX, &start, &end));
    ck_assert_uint_le(start, address);
    ck_assert_uint_le(start, (uintptr_t)al_pagemap_root[first / AL_LEAF_PAGES / AL_BRANCH_LEAVES]);
    ck_assert(!al_pagemap_own(0, 1, &start, &end));
}
END_TEST

/* Whether the kernel lets the root be written to, as it says itself. */
static bool root_is_writable(void)
{
    uintptr_t root = (uintptr_t)al_pagemap_root;
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool writable = false;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long start;
        unsigned long end;
        char write;

        if (sscanf(line, "%lx-%lx %*c%c", &start, &end, &write) == 3 && root >= start && root < end)
            writable = write == 'w';
    }
    (void)fclose(maps);
    return writable;
}

START_TEST(a_root_that_is_left_out_is_taken_in_when_it_is_needed)
{
    al_pagemap_leave_out();
    ck_assert(!root_is_writable());
    ck_assert_uint_eq(al_pagemap_get(first), 0);
    ck_assert_ptr_null(al_pagemap_leaf(first));
    ck_assert_uint_eq(al_pagemap_skip(0, AL_PAGE_END), AL_PAGE_END);
    ck_assert(al_pagemap_set(first, first + 1, 0));
    ck_assert(!root_is_writable());
    ck_assert(al_pagemap_set(first, first + 1, AL_PAGE_MAPPED));
    ck_assert(root_is_writable());
    ck_assert_uint_eq(al_pagemap_get(first), AL_PAGE_MAPPED);
    /* Of a tree in which something is known, nothing is left out. */
    al_pagemap_leave_out();
    ck_assert(root_is_writable());
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pagemap");

    tcase_add_checked_fixture(tests, kernel_model_begin, NULL);
    tcase_add_test(tests, a_root_that_is_left_out_is_taken_in_when_it_is_needed);
    tcase_add_test(tests, nothing_is_known_at_first);
    tcase_add_test(tests, beyond_the_end);
    tcase_add_test(tests, addresses_and_pages);
    tcase_add_test(tests, a_leaf_is_made_once);
    tcase_add_test(tests, the_quick_way_finds_the_same);
    tcase_add_test(tests, words_are_set);
    tcase_add_test(tests, whole_leaves_are_spans);
    tcase_add_test(tests, a_span_becomes_a_leaf_where_a_page_differs);
    tcase_add_test(tests, a_lasting_leaf_stays);
    tcase_add_test(tests, a_brief_leaf_serves_one_address_after_the_other);
    tcase_add_test(tests, many_brief_leaves_at_once);
    tcase_add_test(tests, a_lasting_leaf_is_retired);
    tcase_add_test(tests, a_brief_leaf_becomes_lasting);
    tcase_add_test(tests, the_same_again_makes_nothing);
    tcase_add_test(tests, much_costs_little);
    tcase_add_test(tests, the_first_leaf_and_the_last);
    tcase_add_test(tests, stretches);
    tcase_add_test(tests, what_is_unknown_is_skipped);
    tcase_add_test(tests, tables_are_locked_on_fault_if_asked);
    tcase_add_test(tests, its_own_tables_are_known);
    tcase_add_loop_test(tests, a_plain_model, 0, 4);
    return unit_run(tests);
}
