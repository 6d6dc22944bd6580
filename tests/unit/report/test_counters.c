/* One thread: counting, stopping, signals, no memory. */
#include "counters.h"
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

static uint64_t sum[AL_COUNTER_TOTAL];

static uint64_t counted(enum al_counter counter)
{
    al_counters_sum(sum);
    return sum[counter];
}

START_TEST(all_counters_begin_at_nothing)
{
    al_counters_sum(sum);
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        ck_assert_uint_eq(sum[i], 0);
    ck_assert_ptr_null(al_thread_counts);
}
END_TEST

START_TEST(each_counter_is_its_own)
{
    for (unsigned i = 0; i < AL_COUNTER_TOTAL; i++)
        al_count_add(i, i + 1);
    for (unsigned i = 0; i < AL_COUNTER_TOTAL; i++)
        al_count(i);
    al_counters_sum(sum);
    for (unsigned i = 0; i < AL_COUNTER_TOTAL; i++)
        ck_assert_uint_eq(sum[i], i + 2);
}
END_TEST

START_TEST(large_amounts)
{
    al_count_add(AL_COUNT_syscalls_mlock2_time_ns, (uint64_t)1 << 63);
    al_count_add(AL_COUNT_syscalls_mlock2_time_ns, ((uint64_t)1 << 63) - 1);
    ck_assert_uint_eq(counted(AL_COUNT_syscalls_mlock2_time_ns), UINT64_MAX);
    al_count_add(AL_COUNT_calls_free, 0);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 0);
}
END_TEST

START_TEST(after_its_end_a_thread_still_counts)
{
    al_count(AL_COUNT_calls_free);
    al_counters_thread_ends();
    ck_assert_ptr_null(al_thread_counts);
    al_count(AL_COUNT_calls_free);
    al_count_add(AL_COUNT_calls_free, 10);
    ck_assert_ptr_null(al_thread_counts);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 12);
}
END_TEST

static unsigned attached;

static void note_attach(struct al_counts *counts)
{
    ck_assert_ptr_eq(counts, al_thread_counts);
    attached++;
    /* as libc may call free in there */
    al_count(AL_COUNT_calls_free);
}

START_TEST(whoever_watches_threads_is_told_once)
{
    al_counters_on_attach = note_attach;
    al_count(AL_COUNT_calls_malloc);
    al_count(AL_COUNT_calls_malloc);
    ck_assert_uint_eq(attached, 1);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 2);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 1);
}
END_TEST

static void *count_once(void *unused)
{
    al_count(AL_COUNT_calls_malloc);
    return unused;
}

static void in_another_thread(void *(*routine)(void *))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, routine, NULL), 0);
    pthread_join(thread, NULL);
}

START_TEST(stopped_no_other_thread_begins)
{
    al_counters_stop();
    al_count(AL_COUNT_calls_malloc);
    in_another_thread(count_once);
    ck_assert_ptr_null(al_thread_counts);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 0);
}
END_TEST

static void count_signal(int number)
{
    (void)number;
    al_count(AL_COUNT_calls_malloc);
    al_count(AL_COUNT_calls_free);
}

/* Nothing is lost when a handler counts the same thing. */
START_TEST(a_signal_handler_counts_too)
{
    struct itimerval often = {.it_interval = {.tv_usec = 50}, .it_value = {.tv_usec = 50}};
    struct itimerval never = {.it_interval = {0}};
    uint64_t handled;
    uint64_t rounds = 0;

    signal(SIGALRM, count_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    do {
        for (unsigned i = 0; i < 1000; i++)
            al_count(AL_COUNT_calls_malloc);
        rounds += 1000;
        handled = counted(AL_COUNT_calls_free);
    } while (handled < 2000);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    handled = counted(AL_COUNT_calls_free);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), rounds + handled);
}
END_TEST

static void *count_and_stay(void *barrier)
{
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    al_count(AL_COUNT_calls_malloc);
    al_count(AL_COUNT_calls_malloc);
    pthread_barrier_wait(barrier);
    return NULL;
}

/* More threads than there are blocks, and no memory for others: they count together. (Nor has
 * libcheck any: no assertion while the limit is there.) */
START_TEST(without_memory_nothing_is_lost)
{
    enum { THREADS = 40 };
    struct rlimit before;
    struct rlimit none;
    pthread_barrier_t barrier;
    pthread_t thread[THREADS];

    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, count_and_stay, &barrier), 0);
    pthread_barrier_wait(&barrier);
    getrlimit(RLIMIT_AS, &before);
    none = before;
    none.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_AS, &none);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    setrlimit(RLIMIT_AS, &before);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 2 * THREADS);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("counters");

    tcase_add_test(tests, all_counters_begin_at_nothing);
    tcase_add_test(tests, each_counter_is_its_own);
    tcase_add_test(tests, large_amounts);
    tcase_add_test(tests, after_its_end_a_thread_still_counts);
    tcase_add_test(tests, whoever_watches_threads_is_told_once);
    tcase_add_test(tests, stopped_no_other_thread_begins);
    tcase_add_test(tests, a_signal_handler_counts_too);
    if (!UNIT_SANITIZED)
        tcase_add_test(tests, without_memory_nothing_is_lost);
    return unit_run(tests);
}
