/*
 * Several blocks on one page: it stays locked until the last of them is gone, in whatever order
 * they go. KINDS=heap.
 */
#include "scenario.h"

#include <malloc.h>

enum { ROW = 64, MOST = 4 };

/* Blocks of one size, one behind the other. */
static char *row[ROW];

static uintptr_t page_of(const char *address)
{
    return (uintptr_t)address / PAGE;
}

static uintptr_t last_page_of(const char *block)
{
    return page_of(block + malloc_usable_size((void *)block) - 1);
}

static bool touches(const char *block, uintptr_t page)
{
    return page_of(block) <= page && last_page_of(block) >= page;
}

static void fill_row(size_t size)
{
    for (size_t i = 0; i < ROW; i++)
        expect((row[i] = malloc(size)));
}

static void free_row_but(char *const *kept, size_t count)
{
    for (size_t i = 0; i < ROW; i++) {
        bool keep = false;

        for (size_t k = 0; k < count; k++)
            keep |= kept[k] == row[i];
        if (!keep)
            free(row[i]);
    }
}

static void expect_all_locked(char *const *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (block[i])
            expect_locked(block[i], malloc_usable_size(block[i]));
}

/* Frees in the order that `number` stands for: one of count! */
static void free_in_order(char **block, size_t count, size_t number)
{
    for (size_t left = count; left > 0; left--) {
        size_t skip_count = number % left;
        size_t i = 0;

        number /= left;
        for (;; i++) {
            if (!block[i])
                continue;
            if (!skip_count--)
                break;
        }
        free(block[i]);
        block[i] = NULL;
        expect_all_locked(block, count);
    }
}

static size_t orders(size_t count)
{
    return count < 2 ? 1 : count * orders(count - 1);
}

static void on_one_page(size_t count, size_t size)
{
    for (size_t order = 0; order < orders(count); order++) {
        char *block[MOST];
        uintptr_t page;
        size_t found = 0;

        fill_row(size);
        page = page_of(row[ROW / 2]);
        for (size_t i = 0; i < ROW && found < count; i++)
            if (touches(row[i], page))
                block[found++] = row[i];
        expect_equal(found, count);
        expect_all_locked(row, ROW);
        free_row_but(block, count);
        expect_all_locked(block, count);
        free_in_order(block, count, order);
    }
}

static void two_on_one_page(void)
{
    on_one_page(2, 3000);
    on_one_page(2, 1500);
    on_one_page(2, 40);
}

static void three_on_one_page(void)
{
    on_one_page(3, 1500);
    on_one_page(3, 100);
}

static void four_on_one_page(void)
{
    on_one_page(4, 1040);
    on_one_page(4, 600);
}

/* One on the first page only, one on both, one on the second only. */
static void three_over_two_pages(void)
{
    for (size_t order = 0; order < orders(3); order++) {
        char *block[3] = {NULL};

        fill_row(1400);
        for (size_t i = ROW / 4; i + 1 < ROW && !block[0]; i++) {
            if (page_of(row[i]) == last_page_of(row[i]) ||
                page_of(row[i - 1]) != last_page_of(row[i - 1]) ||
                page_of(row[i + 1]) != last_page_of(row[i + 1]))
                continue;
            memcpy(block, &row[i - 1], sizeof(block));
        }
        expect(block[0]);
        free_row_but(block, 3);
        expect_all_locked(block, 3);
        free_in_order(block, 3, order);
    }
}

/* A large block's edges are shared with small ones, its inside is not. */
static void large_between_small(void)
{
    for (size_t order = 0; order < orders(3); order++) {
        char *block[3];

        fill_row(1400);
        expect((block[0] = malloc(1800)));
        expect((block[1] = malloc(20 * PAGE + 123)));
        expect((block[2] = malloc(1800)));
        expect(block[1] - block[0] < 3000 && block[2] > block[1]);
        expect_all_locked(block, 3);
        free_in_order(block, 3, order);
        free_row_but(NULL, 0);
    }
}

/* Each is freed and allocated again while its neighbours live. */
static void neighbours_come_and_go(void)
{
    fill_row(200);
    for (size_t turn = 0; turn < 2000; turn++) {
        size_t i = turn * 7919 % ROW;

        free(row[i]);
        row[i] = NULL;
        if (turn % 16 == 0)
            expect_all_locked(row, ROW);
        expect((row[i] = malloc(1 + turn * 31 % 3000)));
        if (turn % 16 == 8)
            expect_all_locked(row, ROW);
    }
}

/* More small blocks on one page than any counter of a few bits could hold. */
static void hundreds_on_one_page(void)
{
    enum { MANY = 20000 };
    static char *block[MANY];

    for (size_t i = 0; i < MANY; i++)
        expect((block[i] = malloc(1)));
    for (size_t i = 0; i < MANY; i++)
        if (i % 170)
            free(block[i]);
    watch_take();
    for (size_t i = 0; i < MANY; i += 170)
        expect(watch_all_locked(block[i], 1));
    for (size_t i = 0; i < MANY; i += 340)
        free(block[i]);
    watch_take();
    for (size_t i = 170; i < MANY; i += 340)
        expect(watch_all_locked(block[i], 1));
}

/* What nobody owns any more goes back, but for the slack. */
static void all_freed(void)
{
    enum { MANY = 8000, SIZE = 4000 };
    static char *block[MANY];
    long before_kb = status_kb("VmLck");
    char *last;

    for (size_t i = 0; i < MANY; i++)
        expect((block[i] = malloc(SIZE)));
    expect(last = malloc(SIZE)); /* keeps the heap from being trimmed */
    expect(status_kb("VmLck") >= before_kb + MANY * (long)SIZE / 1024);
    for (size_t i = 0; i < MANY; i++)
        free(block[i]);
    expect_locked(last, SIZE);
    if (status_kb("VmLck") > before_kb + SPARE_KB)
        end_with_1("%ld kB are locked, %ld were before\n", status_kb("VmLck"), before_kb);
}

SCENARIOS(SCENARIO(two_on_one_page), SCENARIO(three_on_one_page), SCENARIO(four_on_one_page),
          SCENARIO(three_over_two_pages), SCENARIO(large_between_small),
          SCENARIO(neighbours_come_and_go), SCENARIO(hundreds_on_one_page), SCENARIO(all_freed))
