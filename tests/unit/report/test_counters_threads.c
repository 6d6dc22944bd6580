/* Many threads, at once and one after the other: the sum is exact. */
#include "counters.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROUNDS = 20000 };

static pthread_key_t key;
static pthread_barrier_t barrier;

/* As the library watches threads end. */
static void thread_ends(void *unused)
{
    (void)unused;
    al_counters_thread_ends();
}

static void thread_counts(struct al_counts *counts)
{
    pthread_setspecific(key, counts);
}

static void watch_threads(void)
{
    ck_assert_int_eq(pthread_key_create(&key, thread_ends), 0);
    al_counters_on_attach = thread_counts;
}

static uint64_t counted(enum al_counter counter)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    return sum[counter];
}

static void *count_rounds(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        al_count(AL_COUNT_calls_malloc);
        al_count_add(AL_COUNT_syscalls_mlock2_time_ns, 3);
    }
    return unused;
}

static void run(size_t threads, void *(*routine)(void *))
{
    pthread_t *thread = calloc(threads, sizeof(*thread));

    for (size_t i = 0; i < threads; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, routine, NULL), 0);
    for (size_t i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    free(thread);
}

/* 3 are fewer than the blocks at hand, 300 more than fit into the next piece of memory. */
static const size_t many[] = {1, 3, 8, 9, 100, 300};

START_TEST(threads_at_once)
{
    run(many[_i], count_rounds);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), many[_i] * ROUNDS);
    ck_assert_uint_eq(counted(AL_COUNT_syscalls_mlock2_time_ns), 3 * many[_i] * ROUNDS);
}
END_TEST

static void *count_and_meet(void *unused)
{
    al_count(AL_COUNT_calls_malloc);
    pthread_barrier_wait(&barrier);
    return count_rounds(unused);
}

START_TEST(each_living_thread_has_a_block)
{
    enum { THREADS = 300 };

    pthread_barrier_init(&barrier, NULL, THREADS);
    run(THREADS, count_and_meet);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), (uint64_t)THREADS * (ROUNDS + 1));
}
END_TEST

static void *return_block(void *unused)
{
    (void)unused;
    al_count(AL_COUNT_calls_free);
    return al_thread_counts;
}

/* A server that makes a thread for each request must not grow for it. */
START_TEST(blocks_of_ended_threads_are_used_again)
{
    void *first = NULL;

    watch_threads();
    for (unsigned i = 0; i < 1000; i++) {
        pthread_t thread;
        void *block;

        ck_assert_int_eq(pthread_create(&thread, NULL, return_block, NULL), 0);
        pthread_join(thread, &block);
        if (!first)
            first = block;
        ck_assert_ptr_eq(block, first);
    }
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 1000);
}
END_TEST

static void *begin_and_end(void *unused)
{
    for (unsigned i = 0; i < 50; i++)
        run(3, return_block);
    return unused;
}

START_TEST(threads_that_come_and_go)
{
    watch_threads();
    run(10, begin_and_end);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 10 * 50 * 3);
}
END_TEST

static volatile bool done;

static void *look_often(void *unused)
{
    uint64_t last = 0;

    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        uint64_t now = counted(AL_COUNT_calls_malloc);

        ck_assert_uint_ge(now, last);
        last = now;
    }
    return unused;
}

START_TEST(a_sum_taken_meanwhile_only_grows)
{
    pthread_t looker;

    watch_threads();
    ck_assert_int_eq(pthread_create(&looker, NULL, look_often, NULL), 0);
    for (unsigned i = 0; i < 10; i++)
        run(20, count_rounds);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    pthread_join(looker, NULL);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 200ULL * ROUNDS);
}
END_TEST

/* Destructors of the program's own keys may run behind ours, and allocate. */
static pthread_key_t programs_key;

static void count_late(void *rounds_left)
{
    al_count(AL_COUNT_calls_free);
    if (rounds_left != (void *)1)
        pthread_setspecific(programs_key, (char *)rounds_left - 1);
}

static void *end_with_work(void *unused)
{
    al_count(AL_COUNT_calls_malloc);
    pthread_setspecific(programs_key, (void *)3);
    return unused;
}

START_TEST(what_a_thread_counts_behind_its_end_is_kept)
{
    watch_threads();
    ck_assert_int_eq(pthread_key_create(&programs_key, count_late), 0);
    run(100, end_with_work);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 100);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 300);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("counters_threads");

    tcase_add_loop_test(tests, threads_at_once, 0, sizeof(many) / sizeof(many[0]));
    tcase_add_test(tests, each_living_thread_has_a_block);
    tcase_add_test(tests, blocks_of_ended_threads_are_used_again);
    tcase_add_test(tests, threads_that_come_and_go);
    tcase_add_test(tests, a_sum_taken_meanwhile_only_grows);
    tcase_add_test(tests, what_a_thread_counts_behind_its_end_is_kept);
    return unit_run(tests);
}
