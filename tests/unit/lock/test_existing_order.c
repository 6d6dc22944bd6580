/* The order in which what exists is locked, in this very process, and where the budget ends in it.
 */
#include "process_memory.h"
#include "sys.h"

#include <errno.h>
#include <sys/mman.h>

static const unsigned all =
    AL_KIND_HEAP | AL_KIND_ANON | AL_KIND_FILE | AL_KIND_SHARED | AL_KIND_STACK | AL_KIND_IMAGE;

static struct al_lock_alloc_figures figures;

static const struct al_kind_figures *of_kind(unsigned kind)
{
    return &figures.kind[__builtin_ctz(kind)];
}

/* Where one kind has not all that it wants, those after it have nothing. */
static void expect_order(void)
{
    static const unsigned order[] = {AL_KIND_IMAGE, AL_KIND_STACK,  AL_KIND_HEAP,
                                     AL_KIND_ANON,  AL_KIND_SHARED, AL_KIND_FILE};
    bool used_up = false;

    al_lock_alloc_figures(&figures);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct al_kind_figures *kind = of_kind(order[i]);

        if (used_up && kind->locked_bytes)
            ck_abort_msg("kind %u has %zu bytes out of its turn", order[i],
                         (size_t)kind->locked_bytes);
        used_up |= kind->locked_bytes < kind->mapped_bytes;
    }
}

/* However small it is: what serves latency comes first, and nothing of the budget is left over. */
START_TEST(the_budget_goes_by_turns)
{
    static const size_t pages[] = {0, 1, 7, 64, 300, 700, 1000, 1200, 1400};

    wanted.policy.kinds = all;
    ck_assert_int_eq(start_under(pages[_i] * al_page_size()), -ENOMEM);
    ck_assert_uint_eq(al_books.locked_pages, pages[_i]);
    ck_assert_uint_gt(counted(AL_COUNT_skipped_budget), 0);
    expect_order();
}
END_TEST

/* As if nothing had been started. */
static void forget_all(void)
{
    ck_assert(al_books_change(0, AL_PAGE_END, ~0U, 0, AL_EXCLUSIVE));
    ck_assert_uint_eq(al_books.locked_pages, 0);
    al_books = (struct al_books){0};
}

/* A budget that ends exactly where a turn does: nothing for the next one, all for those before. */
START_TEST(the_budget_ends_between_turns)
{
    uint64_t bytes;

    wanted.policy.kinds = all & ~(unsigned)AL_KIND_ANON; /* a sanitizer has too much of it */
    wanted.observe = true;
    ck_assert_int_eq(start(), 0);
    al_lock_alloc_figures(&figures);
    bytes = of_kind(AL_KIND_IMAGE)->mapped_bytes;
    if (_i)
        bytes += of_kind(AL_KIND_HEAP)->mapped_bytes + of_kind(AL_KIND_SHARED)->mapped_bytes;
    forget_all();
    wanted.observe = false;
    ck_assert_int_eq(start_under(bytes), -ENOMEM);
    ck_assert_uint_eq(al_books.locked_pages, bytes >> al_page_shift);
    expect_order();
    ck_assert_int_eq(of_kind(AL_KIND_SHARED)->locked_bytes > 0, _i);
    ck_assert_uint_eq(of_kind(AL_KIND_FILE)->locked_bytes, 0);
}
END_TEST

/* Of the mapping in which the budget ends its beginning is locked. */
START_TEST(a_part)
{
    const size_t part = 5;

    wanted.policy.kinds = AL_KIND_SHARED;
    ck_assert_int_eq(start_under(part * al_page_size()), -ENOMEM);
    ck_assert_uint_eq(al_books.locked_pages, part);
    for (size_t i = 0; i < MEMORY_BYTES / al_page_size(); i++)
        ck_assert_uint_eq(word_of(memory.shared + i * al_page_size()) & AL_PAGE_LOCKED,
                          i < part ? AL_PAGE_LOCKED : 0);
}
END_TEST

enum { VERY_MANY = 1400 };

/* More mappings than can be remembered, and below what the loader has put there. */
static char *map_very_many(void)
{
    size_t page = al_page_size();
    char *there =
        mmap(NULL, VERY_MANY * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert(there != MAP_FAILED);
    for (size_t i = 0; i < VERY_MANY; i += 2)
        ck_assert_int_eq(mprotect(there + i * page, page, PROT_READ), 0);
    return there;
}

START_TEST(very_many)
{
    char *there = map_very_many();

    wanted.policy.kinds = AL_KIND_SHARED;
    ck_assert_int_eq(start(), 0);
    for (size_t i = 0; i < VERY_MANY; i++)
        ck_assert_uint_eq(word_of(there + i * al_page_size()), mapped_as(AL_KIND_SHARED, 0));
}
END_TEST

/* They cannot all wait for the program's end, but none comes before its beginning. */
START_TEST(of_very_many_none_comes_first)
{
    const size_t pages = 8;

    (void)map_very_many();
    wanted.policy.kinds = AL_KIND_SHARED | AL_KIND_IMAGE;
    ck_assert_int_eq(start_under(pages * al_page_size()), -ENOMEM);
    al_lock_alloc_figures(&figures);
    ck_assert_uint_eq(of_kind(AL_KIND_IMAGE)->locked_bytes, pages * al_page_size());
    ck_assert_uint_eq(of_kind(AL_KIND_SHARED)->locked_bytes, 0);
}
END_TEST

/* Late, images are files, but have the turn of images. */
START_TEST(late_they_come_before_other_files)
{
    wanted.policy.kinds = all;
    wanted.late = true;
    ck_assert_int_eq(start_under(64 * al_page_size()), -ENOMEM);
    ck_assert_uint_eq(al_books.locked_pages, 64);
    al_lock_alloc_figures(&figures);
    ck_assert_uint_eq(of_kind(AL_KIND_FILE)->locked_bytes, 64 * al_page_size());
    expect_all(memory.shared_file, AL_KIND_FILE << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("existing_order");

    tcase_add_checked_fixture(tests, process_memory_begin, NULL);
    if (THREADS_SANITIZED)
        return process_memory_skip();
    tcase_add_loop_test(tests, the_budget_goes_by_turns, 0, 9);
    tcase_add_loop_test(tests, the_budget_ends_between_turns, 0, 2);
    tcase_add_test(tests, a_part);
    tcase_add_test(tests, very_many);
    tcase_add_test(tests, of_very_many_none_comes_first);
    tcase_add_test(tests, late_they_come_before_other_files);
    return unit_run(tests);
}
