/* Parts: one addition for what several counters say. */
#include "counters.h"
#include "unit.h"

#include <pthread.h>

static uint64_t sum[AL_COUNTER_TOTAL];

static void add_part(enum al_part part, uint64_t amount)
{
    al_count_add(AL_COUNT_calls_realloc, 0); /* the thread has a block from its first count on */
    al_count_up(&al_thread_counts->part[part], amount);
}

/* All other counters stay as they are. */
static void expect_sum(uint64_t mallocs, uint64_t frees, uint64_t regions, uint64_t bytes,
                       uint64_t skipped)
{
    uint64_t expected[AL_COUNTER_TOTAL] = {
        [AL_COUNT_calls_malloc] = mallocs,         [AL_COUNT_calls_free] = frees,
        [AL_COUNT_by_kind_heap_regions] = regions, [AL_COUNT_by_kind_heap_requested_bytes] = bytes,
        [AL_COUNT_skipped_size] = skipped,
    };

    al_counters_sum(sum);
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        if (sum[i] != expected[i])
            ck_abort_msg("counter %zu is %zu, not %zu", i, (size_t)sum[i], (size_t)expected[i]);
}

START_TEST(a_block_comes_and_goes)
{
    add_part(AL_PART_OWNED_MALLOC, 3);
    add_part(AL_PART_OWNED_BYTES, 300);
    expect_sum(3, 0, 3, 300, 0);
    add_part(AL_PART_OWNED_FREE, 2);
    add_part(AL_PART_OWNED_BYTES, (uint64_t)-200);
    expect_sum(3, 2, 1, 100, 0);
}
END_TEST

START_TEST(a_small_one_is_called_for_and_skipped)
{
    add_part(AL_PART_SMALL_MALLOC, 5);
    expect_sum(5, 0, 0, 0, 5);
}
END_TEST

START_TEST(they_add_to_what_is_counted)
{
    al_count_add(AL_COUNT_calls_malloc, 10);
    al_count_add(AL_COUNT_by_kind_heap_regions, 7);
    add_part(AL_PART_OWNED_MALLOC, 1);
    add_part(AL_PART_SMALL_MALLOC, 1);
    expect_sum(12, 0, 8, 0, 1);
}
END_TEST

START_TEST(one_is_no_count)
{
    add_part(AL_PART_ROOM, 1 << 20);
    expect_sum(0, 0, 0, 0, 0);
}
END_TEST

static void *free_there(void *unused)
{
    add_part(AL_PART_OWNED_FREE, 1);
    add_part(AL_PART_OWNED_BYTES, (uint64_t)-100);
    return unused;
}

/* One thread allocates, another frees: only the sum makes sense. */
START_TEST(over_threads)
{
    pthread_t thread;

    add_part(AL_PART_OWNED_MALLOC, 2);
    add_part(AL_PART_OWNED_BYTES, 200);
    ck_assert_int_eq(pthread_create(&thread, NULL, free_there, NULL), 0);
    pthread_join(thread, NULL);
    expect_sum(2, 1, 1, 100, 0);
}
END_TEST

/* The block goes to another thread with its values in it. */
START_TEST(after_the_threads_end)
{
    add_part(AL_PART_OWNED_MALLOC, 2);
    al_counters_thread_ends();
    expect_sum(2, 0, 2, 0, 0);
}
END_TEST

START_TEST(in_a_child_they_are_nothing)
{
    uint64_t before[AL_COUNTER_TOTAL];

    add_part(AL_PART_OWNED_MALLOC, 2);
    add_part(AL_PART_ROOM, 100);
    al_counters_after_fork(before);
    expect_sum(0, 0, 0, 0, 0);
    ck_assert_uint_eq(al_thread_counts->part[AL_PART_ROOM], 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("counters_parts");

    tcase_add_test(tests, a_block_comes_and_goes);
    tcase_add_test(tests, a_small_one_is_called_for_and_skipped);
    tcase_add_test(tests, they_add_to_what_is_counted);
    tcase_add_test(tests, one_is_no_count);
    tcase_add_test(tests, over_threads);
    tcase_add_test(tests, after_the_threads_end);
    tcase_add_test(tests, in_a_child_they_are_nothing);
    return unit_run(tests);
}
