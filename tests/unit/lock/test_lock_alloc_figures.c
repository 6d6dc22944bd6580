/* The figures of the report, from the page map. */
#include "process_memory.h"

static void begin(void)
{
    kernel_model_begin();
}

static void set(size_t index, size_t end, uint32_t word)
{
    ck_assert(al_books_change(page_at(index), page_at(end), ~0U, word, AL_EXCLUSIVE));
}

static const struct al_kind_figures *figures_of(unsigned kind)
{
    static struct al_lock_alloc_figures figures;

    al_lock_alloc_figures(&figures);
    return &figures.kind[__builtin_ctz(kind)];
}

static void expect_figures(unsigned kind, uint64_t mapped, uint64_t locked, uint64_t runs)
{
    const struct al_kind_figures *figures = figures_of(kind);

    ck_assert_uint_eq(figures->mapped_bytes, mapped << al_page_shift);
    ck_assert_uint_eq(figures->locked_bytes, locked << al_page_shift);
    ck_assert_uint_eq(figures->runs, runs);
}

START_TEST(figures_by_kind)
{
    set(10, 20, mapped_as(AL_KIND_ANON, 0));
    set(20, 25, AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED); /* refused */
    set(30, 40, mapped_as(AL_KIND_FILE, 0));
    set(40, 50, mapped_as(AL_KIND_ANON, 0));
    set(60, 70, AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_CLOSED);
    set(80, 85, AL_PAGE_LOCKED | 3 * AL_PAGE_OWNER);
    set(85, 90, AL_PAGE_LOCKED);    /* without an owner */
    set(90, 95, 7 * AL_PAGE_OWNER); /* blocks, refused */
    set(100, 110, mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER));
    expect_figures(AL_KIND_ANON, 25, 20, 2);
    expect_figures(AL_KIND_FILE, 10, 10, 1);
    expect_figures(AL_KIND_HEAP, 10, 15, 1);
    expect_figures(AL_KIND_SHARED, 0, 0, 0);
    expect_figures(AL_KIND_IMAGE, 0, 0, 0);
}
END_TEST

START_TEST(figures_of_runs)
{
    set(in_leaf(1, 0), in_leaf(2, 0), mapped_as(AL_KIND_ANON, 0));
    set(in_leaf(2, 0), in_leaf(2, 5), mapped_as(AL_KIND_ANON, 0));
    expect_figures(AL_KIND_ANON, AL_LEAF_PAGES + 5, AL_LEAF_PAGES + 5, 1);
    /* nothing at all is known of what lies between */
    set(in_leaf(4, 0), in_leaf(5, 0), mapped_as(AL_KIND_SHARED, 0));
    set(in_leaf(6, 0), in_leaf(7, 0), mapped_as(AL_KIND_SHARED, 0));
    expect_figures(AL_KIND_SHARED, 2 * AL_LEAF_PAGES, 2 * AL_LEAF_PAGES, 2);
}
END_TEST

START_TEST(figures_of_the_books)
{
    struct al_lock_alloc_figures figures;

    set(10, 20, mapped_as(AL_KIND_ANON, 0));
    al_books.peak_pages = 30;
    al_books.total_pages = 40;
    al_lock_alloc_figures(&figures);
    ck_assert_uint_eq(figures.tracked_bytes, 10 << al_page_shift);
    ck_assert_uint_eq(figures.peak_bytes, 30 << al_page_shift);
    ck_assert_uint_eq(figures.total_bytes, 40 << al_page_shift);
    ck_assert_uint_eq(figures.runs, 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lock_alloc_figures");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, figures_by_kind);
    tcase_add_test(tests, figures_of_runs);
    tcase_add_test(tests, figures_of_the_books);
    return unit_run(tests);
}
