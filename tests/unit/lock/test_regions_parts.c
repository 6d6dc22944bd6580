/* Mappings of which the budget had a part: what moves or opens brings locks along for the rest. */
#include "books_check.h"
#include "regions.h"

static const unsigned anon = AL_KIND_ANON;

static void begin(void)
{
    books_begin(AL_KIND_ANON);
    al_books.unlimited = false;
    al_books.by_parts = true;
}

static void map(size_t index, size_t count)
{
    kernel_model_map(page_at(index), page_at(index + count), true);
    al_region_mapped(address_at(index), count << al_page_shift, anon, true);
}

static void move(size_t from, size_t count, size_t to, size_t new_count)
{
    struct al_region_state state = al_region_state_at(address_at(from), 0);

    al_region_unmapping(address_at(from), count << al_page_shift);
    kernel_model_move(page_at(from), page_at(from + count), page_at(to), page_at(to + new_count));
    al_region_moved(address_at(to), new_count << al_page_shift, state);
}

static void protect(size_t index, size_t count, bool accessible)
{
    kernel_model_protect(page_at(index), page_at(index + count), accessible);
    al_region_protected(address_at(index), count << al_page_shift, accessible, false);
}

START_TEST(it_comes)
{
    al_books.budget_pages = 15;
    map(10, 20);
    check_only_locked(10, 15);
    check_books();
}
END_TEST

/* The kernel locks what it adds; what is not booked would be held against the limit for nothing. */
START_TEST(it_grows_past_the_budget)
{
    al_books.budget_pages = 25;
    map(10, 20);
    move(10, 20, 100, 30);
    check_only_locked(100, 25);
    check_books();
}
END_TEST

START_TEST(it_grows_in_place)
{
    al_books.budget_pages = 25;
    map(10, 20);
    move(10, 20, 10, 40);
    check_only_locked(10, 25);
    check_books();
}
END_TEST

/* Closed, it was locked as a whole; another has taken room since. */
START_TEST(it_opens_with_less_left)
{
    al_books.budget_pages = 25;
    map(10, 20);
    protect(10, 20, false);
    al_books.budget_pages = 12;
    protect(10, 20, true);
    check_books();
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), al_books.locked_pages);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("regions_parts");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, it_comes);
    tcase_add_test(tests, it_grows_past_the_budget);
    tcase_add_test(tests, it_grows_in_place);
    tcase_add_test(tests, it_opens_with_less_left);
    return unit_run(tests);
}
