/* The start of the hooks in this very process, and what it says of limits, budget and refusals. */
#include "downgrades.h"
#include "heap_owner.h"
#include "kernel.h"
#include "locker.h"
#include "process_memory.h"
#include "sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

static const uint64_t plenty = (uint64_t)1 << 60;

static void begin(void)
{
    al_downgrades_begin(0);
    process_memory_begin();
}

START_TEST(by_size)
{
    wanted.policy.kinds |= AL_KIND_SHARED;
    wanted.policy.min_size = MEMORY_BYTES + 1;
    ck_assert_int_eq(start(), 0);
    expect_all(memory.shared, 0);
    ck_assert_uint_eq(al_heap_owner.least, MEMORY_BYTES + 1);
}
END_TEST

START_TEST(only_what_comes)
{
    wanted.policy.flags = AL_FLAG_FUTURE;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(al_books.total_pages, 0);
    expect_all(memory.anon, AL_PAGE_EARLIER);
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
}
END_TEST

START_TEST(only_what_exists)
{
    wanted.policy.flags = AL_FLAG_CURRENT;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_gt(al_books.locked_pages, 0);
    ck_assert(!al_books.tracking);
    ck_assert(!al_heap_owner.on);
}
END_TEST

START_TEST(on_fault)
{
    wanted.policy.flags |= AL_FLAG_ONFAULT;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(kernel_model.last_flags, AL_MLOCK_ONFAULT);
}
END_TEST

START_TEST(observed_only)
{
    wanted.observe = true;
    ck_assert_int_eq(start_under(plenty), 0);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 0);
    ck_assert_uint_gt(al_books.peak_pages, MEMORY_BYTES / al_page_size());
    expect_all(memory.anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
}
END_TEST

START_TEST(observing_knows_no_budget)
{
    wanted.observe = true;
    wanted.budget_bytes = 4096;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(counted(AL_COUNT_skipped_budget), 0);
    ck_assert_uint_gt(al_books.peak_pages, MEMORY_BYTES / al_page_size());
    ck_assert(!al_books.by_parts);
}
END_TEST

/* Who may not lock at all is told so once, and not asked for each mapping. */
START_TEST(forbidden)
{
    kernel_model.refusal = -EPERM;
    ck_assert_int_eq(start_under(plenty), -EPERM);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_eq(counted(AL_COUNT_failures_EPERM), 1);
    ck_assert_uint_eq(kernel_model.mlock2_calls, 1);
    ck_assert_uint_eq(al_downgrades_count(), 1);
    /* what comes is looked at still: the report counts it */
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
}
END_TEST

/* Of what there is no memory for, more may be had later. */
START_TEST(refused)
{
    kernel_model.refusal = -EAGAIN;
    ck_assert_int_eq(start_under(plenty), -EAGAIN);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    ck_assert_uint_gt(counted(AL_COUNT_failures_EAGAIN), 0);
    ck_assert_uint_eq(al_downgrades_count(), 0);
    ck_assert_uint_gt(al_books_left(), 0);
    ck_assert(al_books.tracking);
}
END_TEST

/* Under a limit it is used to the last page. */
START_TEST(past_the_limit)
{
    ck_assert_int_eq(start_under(MEMORY_BYTES / 2), -ENOMEM);
    ck_assert_uint_eq(al_books.budget_pages, MEMORY_BYTES / 2 / al_page_size());
    ck_assert_uint_eq(al_books.locked_pages, al_books.budget_pages);
    ck_assert_uint_gt(counted(AL_COUNT_skipped_budget), 0);
    ck_assert(!al_books.unlimited);
    ck_assert_uint_eq(al_pagemap_locked_pages(), 0);
}
END_TEST

START_TEST(past_the_budget)
{
    wanted.budget_bytes = MEMORY_BYTES / 2;
    ck_assert_int_eq(start(), -ENOMEM);
    ck_assert_uint_eq(al_books.budget_pages, MEMORY_BYTES / 2 / al_page_size());
    ck_assert_uint_le(al_books.locked_pages, al_books.budget_pages);
    ck_assert_uint_gt(counted(AL_COUNT_skipped_budget), 0);
    /* no mapping is cut where no limit holds */
    ck_assert(!al_books.by_parts);
    expect_all(memory.anon, AL_KIND_ANON << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED | AL_PAGE_EARLIER);
    /* A budget that small is not for our own tables. */
    ck_assert_uint_eq(al_pagemap_locked_pages(), 0);
}
END_TEST

/* In a larger one they are, and take their part of it. */
START_TEST(our_own_tables_are_in_the_budget)
{
    al_page tables;

    wanted.budget_bytes = (uint64_t)64 << 20;
    (void)start(); /* a sanitizer's memory may be larger */
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

static unsigned begun;

static void note_begin(void)
{
    ck_assert(al_books.tracking);
    ck_assert(al_heap_owner.on);
    ck_assert_uint_eq(al_books.total_pages, 0);
    begun++;
}

/* Late, blocks are counted before anything is locked, so that none is missed meanwhile. */
START_TEST(late_it_is_told_when_counting_begins)
{
    wanted.began = note_begin;
    wanted.late = true;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(begun, 1);
    expect_all(memory.anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
}
END_TEST

START_TEST(early_it_is_not)
{
    wanted.began = note_begin;
    ck_assert_int_eq(start(), 0);
    ck_assert_uint_eq(begun, 0);
}
END_TEST

/* From then on nothing is tried that the program would pay for. */
START_TEST(a_limit_comes)
{
    wanted.policy.kinds |= AL_KIND_STACK;
    ck_assert_int_eq(start(), 0);
    ck_assert(al_books.unlimited);
    al_lock_alloc_limited();
    ck_assert(!al_books.unlimited);
    ck_assert(al_books.by_parts);
    expect_all(memory.anon, mapped_as(AL_KIND_ANON, AL_PAGE_EARLIER));
    ck_assert_uint_eq(word_of(__builtin_frame_address(0)), 0); /* it has to grow */
}
END_TEST

START_TEST(stopped)
{
    ck_assert_int_eq(start(), 0);
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

    wanted.policy.kinds = AL_KIND_IMAGE;
    ck_assert_int_eq(start(), 0);
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
    ck_assert_uint_eq(word_of(start), mapped_as(AL_KIND_IMAGE, AL_PAGE_EARLIER | AL_PAGE_SEGMENT));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lock_alloc");

    tcase_add_checked_fixture(tests, begin, NULL);
    if (THREADS_SANITIZED)
        return process_memory_skip();
    tcase_add_test(tests, by_size);
    tcase_add_test(tests, only_what_comes);
    tcase_add_test(tests, only_what_exists);
    tcase_add_test(tests, on_fault);
    tcase_add_test(tests, observed_only);
    tcase_add_test(tests, observing_knows_no_budget);
    tcase_add_test(tests, forbidden);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, past_the_limit);
    tcase_add_test(tests, past_the_budget);
    tcase_add_test(tests, our_own_tables_are_in_the_budget);
    tcase_add_test(tests, late_it_is_told_when_counting_begins);
    tcase_add_test(tests, early_it_is_not);
    tcase_add_test(tests, a_limit_comes);
    tcase_add_test(tests, stopped);
    tcase_add_test(tests, libraries_come_and_go);
    return unit_run(tests);
}
