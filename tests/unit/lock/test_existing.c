/* What is mapped at the start, in this very process: how it is judged, and in which order locked.
 */
#include "existing.h"

#include "heap_owner.h"
#include "locker.h"
#include "maps.h"
#include "process_memory.h"
#include "sys.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

START_TEST(what_exists)
{
    ck_assert_int_eq(start(), 0);
    expect_all(memory.anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
    expect_all(memory.shared, 0);
    expect_all(memory.file, 0);
    expect_all(memory.closed, AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_CLOSED);
    ck_assert_uint_eq(word_of(start), AL_PAGE_EARLIER | AL_PAGE_SEGMENT);
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
    ck_assert_uint_gt(al_books.locked_pages, MEMORY_BYTES / al_page_size());
    ck_assert_uint_eq(al_books.unowned_pages, 0);
    ck_assert_int_gt(al_books.runs, 0);
    ck_assert_uint_gt(al_books.runs_max, 100);
}
END_TEST

START_TEST(the_heap)
{
    char *end = sbrk(0); /* the heap's last byte is before it */

    ck_assert_int_eq(start(), 0);
    if (!al_existing_main_heap())
        return; /* the sanitizers' allocators have another place */
    ck_assert_uint_eq(al_heap_owner.main_start, al_existing_main_heap());
    ck_assert_uint_eq(word_of((void *)al_heap_owner.main_start),
                      mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER));
    ck_assert_uint_eq(word_of(end - 1), mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER));
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
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_ne(al_heap_owner.main_start, 0);
    ck_assert_uint_lt(al_heap_owner.main_start, (uintptr_t)page);
}
END_TEST

START_TEST(each_kind)
{
    wanted.policy.kinds = AL_KIND_SHARED | AL_KIND_FILE | AL_KIND_STACK | AL_KIND_IMAGE;
    ck_assert_int_eq(start(), 0);
    expect_all(memory.anon, AL_PAGE_EARLIER);
    expect_all(memory.shared, mapped_as(AL_KIND_SHARED, 0));
    expect_all(memory.file, mapped_as(AL_KIND_FILE, 0));
    expect_all(memory.shared_file, mapped_as(AL_KIND_FILE, 0));
    ck_assert_uint_eq(word_of(start), mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER | AL_PAGE_SEGMENT));
    ck_assert_uint_eq(word_of(&wanted),
                      mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER | AL_PAGE_SEGMENT));
    ck_assert_uint_eq(word_of(__builtin_frame_address(0)), mapped_as(AL_KIND_STACK, 0));
    ck_assert(!al_heap_owner.on);
}
END_TEST

/* -- late ----------------------------------------------------------------------------------- */

/* As the hooks count what is allocated while the start goes on: on a page, and over its edge. */
static void count_blocks(void)
{
    al_heap_own(memory.anon + 100, 50);
    al_heap_own(memory.anon + 200, al_page_size());
}

START_TEST(late_it_keeps_what_is_counted)
{
    const uint32_t word = mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER);
    size_t page = al_page_size();

    wanted.late = true;
    wanted.began = count_blocks;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(word_of(memory.anon), word + 2 * AL_PAGE_OWNER);
    ck_assert_uint_eq(word_of(memory.anon + page), word + AL_PAGE_OWNER);
    ck_assert_uint_eq(word_of(memory.anon + 2 * page), word);
    al_heap_disown(memory.anon + 100, 50);
    al_heap_disown(memory.anon + 200, page);
    /* Without blocks the allocator may give them back. */
    ck_assert_uint_eq(word_of(memory.anon), word | AL_PAGE_UNSURE);
    ck_assert_uint_eq(word_of(memory.anon + page), word | AL_PAGE_UNSURE);
    ck_assert_uint_eq(word_of(memory.anon + 2 * page), word);
    ck_assert_uint_eq(al_books.unowned_pages, 0);
}
END_TEST

static uint64_t words_locked(void)
{
    uint64_t pages = 0;

    for (al_page page = al_pagemap_skip(0, AL_PAGE_END); page < AL_PAGE_END;
         page = al_pagemap_skip(page, AL_PAGE_END)) {
        struct al_stretch stretch = al_pagemap_next(page, AL_PAGE_END, AL_PAGE_LOCKED);

        if (stretch.value & AL_PAGE_LOCKED)
            pages += stretch.end - stretch.first;
        page = stretch.end;
    }
    return pages;
}

/* What was locked already as a block's page is not counted twice. */
START_TEST(late_the_books_agree)
{
    wanted.late = true;
    wanted.began = count_blocks;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(al_books.locked_pages, words_locked());
}
END_TEST

/* How long the heap's end stays, several threads do not tell: nothing above a block is believed. */
START_TEST(with_threads_the_heap_is_doubted)
{
    char *end = sbrk(0);

    wanted.late = _i;
    wanted.several_threads = true;
    ck_assert_int_eq(start(), 0);
    if (!al_existing_main_heap())
        return; /* as above */
    ck_assert_uint_eq(word_of((void *)al_heap_owner.main_start),
                      mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER | AL_PAGE_UNSURE));
    ck_assert_uint_eq(word_of(end - 1), mapped_as(AL_KIND_HEAP, AL_PAGE_EARLIER | AL_PAGE_UNSURE));
}
END_TEST

/* No lock of the loader's is waited for: its segments are what the kernel says they are. */
START_TEST(late_images_are_files)
{
    wanted.policy.kinds = AL_KIND_IMAGE | AL_KIND_FILE;
    wanted.late = true;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(word_of(start), mapped_as(AL_KIND_FILE, 0));
    expect_all(memory.file, mapped_as(AL_KIND_FILE, 0));
}
END_TEST

/* -- the main stack ------------------------------------------------------------------------- */

static bool find_stack(const struct al_mapping *mapping, void *data)
{
    if (strcmp(mapping->name, "[stack]") != 0)
        return true;
    *(uintptr_t *)data = mapping->start;
    return false;
}

static char *lowest_of_stack(void)
{
    uintptr_t start = 0;

    ck_assert_int_eq(al_maps_each(find_stack, &start), 0);
    ck_assert_uint_ne(start, 0);
    return (char *)start;
}

START_TEST(without_a_limit_the_stack_is_locked_as_a_whole)
{
    char *lowest = lowest_of_stack();

    wanted.policy.kinds = AL_KIND_STACK;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(word_of(lowest), mapped_as(AL_KIND_STACK, 0));
}
END_TEST

/* The kernel answers a locked stack's growth past the limit with SIGSEGV; parted it looks small. */
START_TEST(under_a_limit_it_can_grow)
{
    char *lowest = lowest_of_stack();

    wanted.policy.kinds = AL_KIND_STACK;
    ck_assert_int_eq(start_under((uint64_t)1 << 40), 0);
    ck_assert_uint_eq(word_of(lowest), 0);
    ck_assert_uint_eq(word_of(lowest + al_page_size()), 0);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_kind), 1);
}
END_TEST

START_TEST(when_a_limit_comes_it_is_let_go)
{
    char *lowest = lowest_of_stack();

    wanted.policy.kinds = AL_KIND_STACK;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_gt(al_books.locked_pages, 0);
    al_lock_alloc_limited();
    ck_assert_uint_eq(kernel_model.munlock_calls, 1);
    ck_assert_uint_eq(word_of(lowest), 0);
    ck_assert_uint_eq(word_of(lowest + al_page_size()), 0);
    ck_assert_uint_eq(al_books.locked_pages, 0);
}
END_TEST

START_TEST(segments)
{
    uintptr_t end = al_existing_image_end((uintptr_t)start);

    ck_assert_uint_gt(end, (uintptr_t)start);
    ck_assert_uint_eq(end % al_page_size(), 0);
    ck_assert_uint_eq(al_existing_image_end((uintptr_t)start & -al_page_size()), end);
    ck_assert_uint_eq(al_existing_image_end((uintptr_t)memory.anon), 0);
    ck_assert_uint_eq(al_existing_image_end((uintptr_t)memory.file), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("existing");

    tcase_add_checked_fixture(tests, process_memory_begin, NULL);
    if (THREADS_SANITIZED)
        return process_memory_skip();
    tcase_add_test(tests, what_exists);
    tcase_add_test(tests, the_heap);
    tcase_add_test(tests, a_heap_in_parts);
    tcase_add_test(tests, each_kind);
    tcase_add_test(tests, late_it_keeps_what_is_counted);
    tcase_add_test(tests, late_the_books_agree);
    tcase_add_loop_test(tests, with_threads_the_heap_is_doubted, 0, 2);
    tcase_add_test(tests, late_images_are_files);
    tcase_add_test(tests, without_a_limit_the_stack_is_locked_as_a_whole);
    tcase_add_test(tests, under_a_limit_it_can_grow);
    tcase_add_test(tests, when_a_limit_comes_it_is_let_go);
    tcase_add_test(tests, segments);
    return unit_run(tests);
}
