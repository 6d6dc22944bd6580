/*
 * Random blocks, mappings and locks of the program's against a plain model. The number after the
 * test's name is the seed; OWNERSHIP_STEPS in the environment makes the runs longer.
 */
#include "ownership.h"

#include <stdio.h>
#include <stdlib.h>

static const unsigned all = AL_KIND_HEAP | AL_KIND_ANON | AL_KIND_FILE;

static void run(struct ownership_setup setup, unsigned steps)
{
    const char *longer = getenv("OWNERSHIP_STEPS");

    if (longer)
        steps = (unsigned)strtoul(longer, NULL, 10);
    else if (UNIT_SANITIZED)
        steps /= 8;
    if (!setup.max_size)
        setup.max_size = UINT64_MAX;
    if (!setup.kinds)
        setup.kinds = all;
    ownership_begin(&setup);
    for (unsigned step = 0; step < steps; step++) {
        ownership_step(step);
        if (step % 512 == 0)
            ownership_check_all();
    }
    ownership_check_all();
    ownership_end();
}

#define RUN(name, steps, ...)                                                                      \
    START_TEST(name)                                                                               \
    {                                                                                              \
        run((struct ownership_setup){.seed = (uint64_t)_i, __VA_ARGS__}, steps);                   \
    }                                                                                              \
    END_TEST

RUN(one_thread, 10000, .threads = false)
RUN(several_threads, 10000, .threads = true)
RUN(arenas_that_go, 10000, .threads = true, .unkept_arenas = 2)
RUN(held, 10000, .holds = true)
RUN(held_with_threads, 10000, .holds = true, .threads = true)
RUN(held_in_arenas_that_go, 10000, .holds = true, .threads = true, .unkept_arenas = 2)
RUN(held_blocks_alone, 10000, .holds = true, .threads = true, .kinds = AL_KIND_HEAP)
RUN(held_and_from_before, 10000, .holds = true, .existing = true, .current = true, .threads = true)
RUN(held_and_refused, 10000, .holds = true, .threads = true, .refuse_in = 10, .limited = true)
RUN(held_within_a_budget, 10000, .holds = true, .threads = true, .budget_pages = 3000)
RUN(only_blocks, 10000, .threads = true, .kinds = AL_KIND_HEAP)
RUN(only_mappings, 10000, .kinds = AL_KIND_ANON | AL_KIND_SHARED)
RUN(large_ones, 10000, .min_size = 30000)
RUN(large_ones_with_threads, 10000, .min_size = 30000, .threads = true)
RUN(very_large_ones, 10000, .min_size = 200000, .kinds = AL_KIND_HEAP)
RUN(very_large_ones_with_threads, 10000, .min_size = 200000, .kinds = AL_KIND_HEAP, .threads = true)
RUN(small_ones, 10000, .max_size = 100000, .threads = true)
RUN(blocks_from_before, 10000, .existing = true)
RUN(blocks_from_before_locked, 10000, .existing = true, .current = true, .threads = true)
RUN(refusals, 10000, .threads = true, .refuse_in = 100)
RUN(refusals_under_a_limit, 10000, .threads = true, .refuse_in = 10, .limited = true)
RUN(a_budget, 10000, .threads = true, .budget_pages = 3000)
RUN(a_budget_by_parts, 10000, .threads = true, .limited = true, .by_parts = true,
    .budget_pages = 3000)
RUN(large_ones_by_parts, 10000, .min_size = 30000, .limited = true, .by_parts = true,
    .budget_pages = 3000)
RUN(a_limit, 10000, .threads = true, .limited = true, .limit_pages = 3000)
RUN(few_runs, 10000, .threads = true, .runs_max = 20, .unkept_arenas = 2)
RUN(few_runs_and_refusals, 10000, .threads = true, .runs_max = 20, .refuse_in = 20, .limited = true)
RUN(few_mappings, 1000, .threads = true, .mappings_max = 150)

int main(void)
{
    TCase *tests = tcase_create("ownership_model");
    const int seeds = UNIT_SANITIZED ? 1 : 3;

    tcase_add_loop_test(tests, one_thread, 0, seeds);
    tcase_add_loop_test(tests, several_threads, 0, seeds);
    tcase_add_loop_test(tests, arenas_that_go, 0, seeds);
    tcase_add_loop_test(tests, held, 0, seeds);
    tcase_add_loop_test(tests, held_with_threads, 0, seeds);
    tcase_add_loop_test(tests, held_in_arenas_that_go, 0, seeds);
    tcase_add_loop_test(tests, held_blocks_alone, 0, seeds);
    tcase_add_loop_test(tests, held_and_from_before, 0, seeds);
    tcase_add_loop_test(tests, held_and_refused, 0, seeds);
    tcase_add_loop_test(tests, held_within_a_budget, 0, seeds);
    tcase_add_loop_test(tests, only_blocks, 0, seeds);
    tcase_add_loop_test(tests, only_mappings, 0, seeds);
    tcase_add_loop_test(tests, large_ones, 0, seeds);
    tcase_add_loop_test(tests, large_ones_with_threads, 0, seeds);
    tcase_add_loop_test(tests, very_large_ones, 0, seeds);
    tcase_add_loop_test(tests, very_large_ones_with_threads, 0, seeds);
    tcase_add_loop_test(tests, small_ones, 0, seeds);
    tcase_add_loop_test(tests, blocks_from_before, 0, seeds);
    tcase_add_loop_test(tests, blocks_from_before_locked, 0, seeds);
    tcase_add_loop_test(tests, refusals, 0, seeds);
    tcase_add_loop_test(tests, refusals_under_a_limit, 0, seeds);
    tcase_add_loop_test(tests, a_budget, 0, seeds);
    tcase_add_loop_test(tests, a_budget_by_parts, 0, seeds);
    tcase_add_loop_test(tests, large_ones_by_parts, 0, seeds);
    tcase_add_loop_test(tests, a_limit, 0, seeds);
    tcase_add_loop_test(tests, few_runs, 0, seeds);
    tcase_add_loop_test(tests, few_runs_and_refusals, 0, seeds);
    tcase_add_loop_test(tests, few_mappings, 0, seeds);
    return unit_run(tests);
}
