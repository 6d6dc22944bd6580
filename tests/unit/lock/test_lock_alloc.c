/* The start of mode alloc in this very process, and the figures of the report. */
#include "books_check.h"
#include "kernel.h"
#include "lock_alloc.h"
#include "locker.h"
#include "maps.h"
#include "regions.h"
#include "sys.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#    define THREADS_SANITIZED 1
#else
#    define THREADS_SANITIZED 0
#endif

enum { BYTES = 1 << 20 };

static const struct al_privilege exempt = {.soft_limit = 4096, .exempt = true};
static const struct al_privilege limited = {.soft_limit = (uint64_t)1 << 60};

static struct al_config config;

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

/* Memory of each sort, there before the start. */
static char *anon;
static char *shared;
static char *closed;
static char *file;
static char *block;

static char *map_now(int protection, int flags, int fd)
{
    char *there = mmap(NULL, BYTES, protection, flags, fd, 0);

    ck_assert(there != MAP_FAILED);
    return there;
}

static void begin(void)
{
    FILE *large = tmpfile();

    kernel_model_begin();
    memset(&config, 0, sizeof(config));
    config.mode = AL_MODE_ALLOC;
    config.flags = AL_FLAG_CURRENT | AL_FLAG_FUTURE;
    config.kinds = AL_KIND_HEAP | AL_KIND_ANON;
    config.max_size = UINT64_MAX;
    ck_assert_ptr_nonnull(large);
    ck_assert_int_eq(ftruncate(fileno(large), BYTES), 0);
    anon = map_now(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    closed = map_now(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    shared = map_now(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    file = map_now(PROT_READ, MAP_PRIVATE, fileno(large));
    block = sbrk(0); /* the heap's last byte is before it */
}

static int start(const struct al_privilege *privilege)
{
    struct al_budget budget = {.bytes = privilege->exempt ? AL_UNLIMITED : privilege->soft_limit};

    return al_lock_alloc_start(&config, privilege, &budget, &allocator, false);
}

static uint32_t word_of(const void *address)
{
    return al_pagemap_get(al_page_of(address));
}

static uint32_t mapped_as(unsigned kind, uint32_t more)
{
    return kind << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED | AL_PAGE_LOCKED | more;
}

static void expect_all(const char *address, uint32_t word)
{
    for (size_t byte = 0; byte < BYTES; byte += al_page_size())
        if (word_of(address + byte) != word)
            ck_abort_msg("%p has %#x, not %#x", (const void *)(address + byte),
                         word_of(address + byte), word);
}

START_TEST(what_exists)
{
    ck_assert_int_eq(start(&exempt), 0);
    expect_all(anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
    expect_all(shared, 0);
    expect_all(file, 0);
    expect_all(closed, AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_CLOSED);
    ck_assert_uint_eq(word_of(start), AL_PAGE_EARLIER);
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
    ck_assert_uint_gt(al_books.locked_pages, BYTES / al_page_size());
    ck_assert_uint_eq(al_books.unowned_pages, 0);
    ck_assert_int_gt(al_books.runs, 0);
    ck_assert_uint_gt(al_books.runs_max, 100);
}
END_TEST

START_TEST(the_heap)
{
    ck_assert_int_eq(start(&exempt), 0);
    if (!al_heap_owner.main_start)
        return; /* the sanitizers' allocators have another place */
    ck_assert_uint_eq(word_of((void *)al_heap_owner.main_start),
                      mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER));
    ck_assert_uint_eq(word_of(block - 1), mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER));
    ck_assert_ptr_eq(*al_heap_owner.end_of_main, sbrk(0));
}
END_TEST

/* The heap may be several mappings by then: it begins with the first. */
START_TEST(a_heap_in_parts)
{
    char *whole = sbrk(16 * (intptr_t)al_page_size());
    char *page = (char *)(((uintptr_t)whole + 2 * al_page_size() - 1) & -al_page_size());

    ck_assert(whole != (void *)-1);
    ck_assert_int_eq(mprotect(page, 4 * al_page_size(), PROT_READ), 0);
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert_uint_ne(al_heap_owner.main_start, 0);
    ck_assert_uint_lt(al_heap_owner.main_start, (uintptr_t)page);
}
END_TEST

START_TEST(each_kind)
{
    config.kinds = AL_KIND_SHARED | AL_KIND_FILE | AL_KIND_STACK | AL_KIND_IMAGE;
    ck_assert_int_eq(start(&exempt), 0);
    expect_all(anon, AL_PAGE_EARLIER);
    expect_all(shared, mapped_as(AL_KIND_SHARED, 0));
    expect_all(file, mapped_as(AL_KIND_FILE, 0));
    ck_assert_uint_eq(word_of(start), mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER));
    ck_assert_uint_eq(word_of(&config), mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER));
    ck_assert_uint_eq(word_of(__builtin_frame_address(0)), mapped_as(AL_KIND_STACK, 0));
    ck_assert(!al_heap_owner.on);
}
END_TEST

START_TEST(by_size)
{
    config.kinds |= AL_KIND_SHARED;
    config.min_size = BYTES + 1;
    ck_assert_int_eq(start(&exempt), 0);
    expect_all(shared, 0);
    ck_assert_uint_eq(al_heap_owner.least, BYTES + 1);
}
END_TEST

START_TEST(only_what_comes)
{
    config.flags = AL_FLAG_FUTURE;
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(al_books.total_pages, 0);
    expect_all(anon, AL_PAGE_EARLIER);
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
}
END_TEST

START_TEST(only_what_exists)
{
    config.flags = AL_FLAG_CURRENT;
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert_uint_gt(al_books.locked_pages, 0);
    ck_assert(!al_books.tracking);
    ck_assert(!al_heap_owner.on);
}
END_TEST

START_TEST(on_fault)
{
    config.flags |= AL_FLAG_ONFAULT;
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert_uint_eq(kernel_model.last_flags, AL_MLOCK_ONFAULT);
}
END_TEST

START_TEST(observed_only)
{
    config.mode = AL_MODE_OBSERVE;
    ck_assert_int_eq(start(&limited), 0);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    ck_assert_uint_gt(al_books.peak_pages, BYTES / al_page_size());
    expect_all(anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
}
END_TEST

START_TEST(refused)
{
    kernel_model.refusal = -EPERM;
    ck_assert_int_eq(start(&limited), -EPERM);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_gt(counted(AL_COUNT_failures_EPERM), 0);
    /* it goes on: what comes may be had */
    ck_assert(al_books.tracking);
}
END_TEST

START_TEST(past_the_limit)
{
    struct al_privilege little = {.soft_limit = BYTES / 2};

    ck_assert_int_eq(start(&little), -ENOMEM);
    ck_assert_uint_eq(al_books.budget_pages, BYTES / 2 / al_page_size());
    ck_assert_uint_le(al_books.locked_pages, al_books.budget_pages);
    ck_assert_uint_gt(counted(AL_COUNT_skipped_budget), 0);
}
END_TEST

START_TEST(past_the_budget)
{
    struct al_budget budget = {.bytes = BYTES / 2};

    ck_assert_int_eq(al_lock_alloc_start(&config, &exempt, &budget, &allocator, false), -ENOMEM);
    ck_assert_uint_eq(al_books.budget_pages, BYTES / 2 / al_page_size());
    ck_assert_uint_le(al_books.locked_pages, al_books.budget_pages);
    ck_assert_uint_gt(counted(AL_COUNT_skipped_budget), 0);
    /* A budget that small is not for our own tables. */
    ck_assert_uint_eq(al_pagemap_locked_pages(), 0);
}
END_TEST

/* In a larger one they are, and take their part of it. */
START_TEST(our_own_tables_are_in_the_budget)
{
    struct al_budget budget = {.bytes = (uint64_t)64 << 20};
    al_page tables;

    ck_assert_int_eq(al_lock_alloc_start(&config, &exempt, &budget, &allocator, false), 0);
    tables = al_pagemap_locked_pages();
    ck_assert_uint_gt(tables, 0);
    al_books.budget_pages = al_books.locked_pages + tables + 7;
    ck_assert(!al_books_take(8));
    ck_assert(al_books_take(7));
    al_books_give_back(7);
    al_books.budget_pages = tables - 1;
    ck_assert(!al_books_take(1));
}
END_TEST

START_TEST(observing_knows_no_budget)
{
    struct al_budget budget = {.bytes = 4096};

    config.mode = AL_MODE_OBSERVE;
    ck_assert_int_eq(al_lock_alloc_start(&config, &exempt, &budget, &allocator, false), 0);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 0);
    ck_assert_uint_gt(al_books.peak_pages, BYTES / al_page_size());
}
END_TEST

START_TEST(stopped)
{
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert(al_locker_enter()); /* the parent forked from inside */
    al_lock_alloc_stop();
    ck_assert(!al_books.tracking);
    ck_assert(!al_heap_owner.on);
    ck_assert(al_locker_enter());
    al_locker_leave();
}
END_TEST

START_TEST(libraries_come_and_go)
{
    void *library;
    const void *symbol;

    config.kinds = AL_KIND_IMAGE;
    ck_assert_int_eq(start(&exempt), 0);
    ck_assert(al_lock_alloc_wants_images());
    library = dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    symbol = dlsym(library, "getaddrinfo_a");
    if (!symbol || word_of(symbol))
        return; /* newer C libraries have it themselves */
    al_lock_alloc_images();
    ck_assert_uint_eq(word_of(symbol), mapped_as(AL_KIND_IMAGE, 0));
    dlclose(library);
    al_lock_alloc_images();
    ck_assert_uint_eq(word_of(symbol), 0);
    ck_assert_uint_eq(word_of(start), mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER));
}
END_TEST

/* -- figures -------------------------------------------------------------------------------- */

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
    set(80, 85, AL_PAGE_LOCKED | 3);
    set(85, 90, AL_PAGE_LOCKED); /* without an owner */
    set(90, 95, 7);              /* blocks, refused */
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

static void add_starts(TCase *tests)
{
    tcase_add_test(tests, what_exists);
    tcase_add_test(tests, the_heap);
    tcase_add_test(tests, a_heap_in_parts);
    tcase_add_test(tests, each_kind);
    tcase_add_test(tests, by_size);
    tcase_add_test(tests, only_what_comes);
    tcase_add_test(tests, only_what_exists);
    tcase_add_test(tests, on_fault);
    tcase_add_test(tests, observed_only);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, past_the_limit);
    tcase_add_test(tests, past_the_budget);
    tcase_add_test(tests, our_own_tables_are_in_the_budget);
    tcase_add_test(tests, observing_knows_no_budget);
    tcase_add_test(tests, stopped);
    tcase_add_test(tests, libraries_come_and_go);
}

static void add_figures(TCase *tests)
{
    tcase_add_test(tests, figures_by_kind);
    tcase_add_test(tests, figures_of_runs);
    tcase_add_test(tests, figures_of_the_books);
}

int main(void)
{
    TCase *tests = tcase_create("lock_alloc");

    tcase_add_checked_fixture(tests, begin, NULL);
    /* The thread sanitizer's own tables are anonymous memory too, 100 terabytes of it. */
    if (!THREADS_SANITIZED)
        add_starts(tests);
    add_figures(tests);
    return unit_run(tests);
}
