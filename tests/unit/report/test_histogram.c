/* How long things took: what the buckets tell, against the durations themselves. */
#include "histogram.h"
#include "snapshot.h"
#include "times.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t LONGEST = ((uint64_t)1 << AL_HISTOGRAM_BITS) - 1;

static struct al_histogram histogram;

START_TEST(buckets_follow_each_other)
{
    ck_assert_uint_eq(al_histogram_least(0), 0);
    for (size_t i = 0; i < AL_HISTOGRAM_BUCKETS - 1; i++) {
        ck_assert_uint_ge(al_histogram_most(i), al_histogram_least(i));
        ck_assert_uint_eq(al_histogram_least(i + 1), al_histogram_most(i) + 1);
        ck_assert_uint_eq(al_histogram_bucket(al_histogram_least(i)), i);
        ck_assert_uint_eq(al_histogram_bucket(al_histogram_most(i)), i);
    }
}
END_TEST

START_TEST(buckets_are_narrow)
{
    for (size_t i = 1; i < AL_HISTOGRAM_BUCKETS - 1; i++)
        ck_assert_uint_le((al_histogram_most(i) - al_histogram_least(i)) * 64,
                          al_histogram_least(i));
}
END_TEST

START_TEST(what_is_longer_is_in_the_last_bucket)
{
    ck_assert_uint_ge(LONGEST, 68000000000);
    ck_assert_uint_eq(al_histogram_bucket(LONGEST), AL_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(al_histogram_bucket(LONGEST + 1), AL_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(al_histogram_bucket(UINT64_MAX), AL_HISTOGRAM_BUCKETS - 1);
    al_histogram_record(&histogram, LONGEST * 5);
    ck_assert_uint_eq(al_histogram_look(&histogram).p50_ns, LONGEST * 5);
    ck_assert_uint_eq(al_histogram_look(&histogram).max_ns, LONGEST * 5);
}
END_TEST

START_TEST(nothing_is_recorded)
{
    struct al_times times = al_histogram_look(&histogram);

    ck_assert_uint_eq(times.p50_ns | times.p99_ns | times.p999_ns | times.max_ns, 0);
}
END_TEST

START_TEST(one_is_recorded)
{
    struct al_times times;

    al_histogram_record(&histogram, 1234567);
    times = al_histogram_look(&histogram);
    ck_assert_uint_eq(times.p50_ns, 1234567);
    ck_assert_uint_eq(times.p999_ns, 1234567);
    ck_assert_uint_eq(times.max_ns, 1234567);
}
END_TEST

START_TEST(shorter_than_the_clock_can_tell)
{
    al_histogram_record(&histogram, 0);
    ck_assert_uint_eq(al_histogram_count(&histogram), 1);
    ck_assert_uint_eq(al_histogram_look(&histogram).max_ns, 1);
}
END_TEST

/* -- percentiles of random durations --------------------------------------------------------- */

enum { MANY = 20000 };

static uint64_t durations[MANY];

static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* `per_mille` of the sorted durations are not longer than this one. */
static uint64_t exact(size_t count, size_t per_mille)
{
    return durations[(count * per_mille + 999) / 1000 - 1];
}

static void expect_near(uint64_t told, uint64_t is)
{
    ck_assert_uint_ge(told, is);
    ck_assert_uint_le((told - is) * 64, is);
}

static const size_t counts[] = {1, 2, 3, 10, 99, 100, 101, 999, 1000, 1001, MANY};

/* As many orders of magnitude as there are bits, each as likely. */
START_TEST(percentiles_are_those_of_the_durations)
{
    const size_t count = counts[(size_t)_i % (sizeof(counts) / sizeof(counts[0]))];
    struct al_times times;

    random_state = 88172645463325252 + (uint64_t)_i;
    for (size_t i = 0; i < count; i++) {
        durations[i] = (random_number() & LONGEST) >> random_number() % AL_HISTOGRAM_BITS;
        durations[i] += !durations[i];
        al_histogram_record(&histogram, durations[i]);
    }
    qsort(durations, count, sizeof(durations[0]), compare);
    times = al_histogram_look(&histogram);
    expect_near(times.p50_ns, exact(count, 500));
    expect_near(times.p99_ns, exact(count, 990));
    expect_near(times.p999_ns, exact(count, 999));
    ck_assert_uint_eq(times.max_ns, durations[count - 1]);
    ck_assert_uint_eq(al_histogram_count(&histogram), count);
}
END_TEST

/* -- threads --------------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 50000 };

static void *record_rounds(void *thread)
{
    for (uint64_t i = 0; i < ROUNDS; i++)
        al_histogram_record(&histogram, 1 + (i * 7919 + (uint64_t)(size_t)thread) % 100000);
    return NULL;
}

static bool done;

static void *look_often(void *unused)
{
    uint64_t max = 0;

    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        struct al_times times = al_histogram_look(&histogram);

        ck_assert_uint_le(times.p50_ns, times.p99_ns);
        ck_assert_uint_le(times.p99_ns, times.p999_ns);
        ck_assert_uint_le(times.p999_ns, times.max_ns);
        ck_assert_uint_ge(times.max_ns, max);
        max = times.max_ns;
    }
    return unused;
}

static void run_threads(void *(*routine)(void *))
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, routine, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

static void *record_the_same(void *unused)
{
    for (unsigned i = 0; i < 4 * ROUNDS; i++)
        al_histogram_record(&histogram, 1000);
    return unused;
}

START_TEST(threads_in_one_bucket)
{
    run_threads(record_the_same);
    ck_assert_uint_eq(al_histogram_count(&histogram), 4 * THREADS * ROUNDS);
}
END_TEST

START_TEST(threads_at_once)
{
    pthread_t looker;

    ck_assert_int_eq(pthread_create(&looker, NULL, look_often, NULL), 0);
    run_threads(record_rounds);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    pthread_join(looker, NULL);
    ck_assert_uint_eq(al_histogram_count(&histogram), THREADS * ROUNDS);
    ck_assert_uint_eq(al_histogram_look(&histogram).max_ns, 100000);
    expect_near(al_histogram_look(&histogram).p50_ns, 50000);
}
END_TEST

/* -- the end of a bucket, forks, the report --------------------------------------------------- */

START_TEST(a_full_bucket_does_not_begin_again)
{
    const size_t bucket = al_histogram_bucket(1000);

    histogram.bucket[bucket] = UINT32_MAX - 1;
    for (unsigned i = 0; i < 5; i++)
        al_histogram_record(&histogram, 1000);
    ck_assert_uint_eq(histogram.bucket[bucket], UINT32_MAX - 1);
    histogram.bucket[bucket + 100] = UINT32_MAX - 1;
    expect_near(al_histogram_look(&histogram).p50_ns, 1000);
}
END_TEST

START_TEST(a_forked_child_begins_at_nothing)
{
    int status;
    pid_t child;

    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        for (uint64_t ns = 1; ns < LONGEST * 2; ns = ns * 3 + i)
            al_histogram_record(&al_live.histogram[i], ns + 1);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        static const struct al_histogram nothing[AL_TIMED_TOTAL];

        for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
            al_histogram_forget(&al_live.histogram[i]);
        if (memcmp(al_live.histogram, nothing, sizeof(nothing)) != 0)
            _exit(1);
        al_histogram_record(&al_live.histogram[AL_TIMED_hooks], 5);
        _exit(al_histogram_look(&al_live.histogram[AL_TIMED_hooks]).max_ns == 5 ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_gt(al_histogram_count(&al_live.histogram[AL_TIMED_mlock2]), 0);
}
END_TEST

START_TEST(each_stands_at_its_place_in_the_report)
{
    static struct al_config config;
    struct al_run run = {.config = &config, .program = "p", .backend = "none"};
    static struct al_snapshot snapshot;

    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        for (uint64_t n = 1; n <= 1000; n++)
            al_times_record((enum al_timed)i, n <= 980 ? 10 + i : n <= 998 ? 30 + i : 50 + i);
    al_times_record(AL_TIMED_msync, 4711);
    al_snapshot_take(&snapshot, &run, "exit");
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        static const char *const names[] = {"mlockall", "mlock2", "munlock",
                                            "madvise",  "msync",  "hooks"};

        for (size_t j = 0; j < AL_TIMED_TOTAL; j++) {
            if (strcmp(al_field_inner(&al_fields[i]), names[j]) != 0)
                continue;
            if (strcmp(al_fields[i].key, "p50_ns") == 0)
                ck_assert_uint_eq(snapshot.field[i], 10 + j);
            if (strcmp(al_fields[i].key, "p99_ns") == 0)
                ck_assert_uint_eq(snapshot.field[i], 30 + j);
            if (strcmp(al_fields[i].key, "p999_ns") == 0)
                ck_assert_uint_eq(snapshot.field[i], 50 + j);
            if (strcmp(al_fields[i].key, "max_ns") == 0)
                ck_assert_uint_eq(snapshot.field[i], j == AL_TIMED_msync ? 4711 : 50 + j);
        }
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("histogram");

    tcase_add_test(tests, buckets_follow_each_other);
    tcase_add_test(tests, buckets_are_narrow);
    tcase_add_test(tests, what_is_longer_is_in_the_last_bucket);
    tcase_add_test(tests, nothing_is_recorded);
    tcase_add_test(tests, one_is_recorded);
    tcase_add_test(tests, shorter_than_the_clock_can_tell);
    tcase_add_loop_test(tests, percentiles_are_those_of_the_durations, 0,
                        5 * (int)(sizeof(counts) / sizeof(counts[0])));
    tcase_add_test(tests, threads_in_one_bucket);
    tcase_add_test(tests, threads_at_once);
    tcase_add_test(tests, a_full_bucket_does_not_begin_again);
    tcase_add_test(tests, a_forked_child_begins_at_nothing);
    tcase_add_test(tests, each_stands_at_its_place_in_the_report);
    return unit_run(tests);
}
