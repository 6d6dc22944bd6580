/* What is not used is not memory: the histograms in a process where all memory is brought in. */
#include "times.h"
#include "unit.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void begin(void)
{
    const struct al_live_start start = {.pid = getpid(), .program = "a", .directory = ""};

    ck_assert_int_eq(al_live_begin(&start), 0);
}

/* By a system call, which is refused where an instruction would raise a signal. */
static bool can_be_read(const void *bytes)
{
    int ends[2];
    bool read;

    ck_assert_int_eq(pipe(ends), 0);
    read = write(ends[1], bytes, 1) == 1;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return read;
}

static uint64_t longest(enum al_timed timed)
{
    return al_live_has_times(&al_live, timed) ? al_histogram_look(&al_live.histogram[timed]).max_ns
                                              : 0;
}

static const char *last_part(void)
{
    return (const char *)&al_live + AL_LIVE_USUAL;
}

START_TEST(unused_ones_have_no_memory)
{
    begin();
    ck_assert(!can_be_read(last_part()));
    ck_assert(!al_times_whole());
    al_times_record(AL_TIMED_mlockall, 5);
    ck_assert(!can_be_read(last_part()));
    al_times_record(AL_TIMED_hooks, 6);
    ck_assert(can_be_read(last_part()));
    ck_assert(al_times_whole());
    al_times_record(AL_TIMED_mlock2, 7);
    ck_assert_uint_eq(longest(AL_TIMED_mlockall), 5);
    ck_assert_uint_eq(longest(AL_TIMED_hooks), 6);
    ck_assert_uint_eq(longest(AL_TIMED_mlock2), 7);
    ck_assert_uint_eq(longest(AL_TIMED_msync), 0);
}
END_TEST

START_TEST(they_can_be_had_before_they_are_used)
{
    begin();
    al_times_have();
    ck_assert(can_be_read(last_part()));
    ck_assert_uint_eq(longest(AL_TIMED_hooks), 0);
    al_times_record(AL_TIMED_hooks, 6);
    ck_assert_uint_eq(longest(AL_TIMED_hooks), 6);
}
END_TEST

START_TEST(without_a_memfd_they_are_there)
{
    ck_assert(can_be_read(last_part()));
    al_times_record(AL_TIMED_mlock2, 9);
    ck_assert_uint_eq(longest(AL_TIMED_mlock2), 9);
}
END_TEST

/* All of them want them at the same time, and none of what they record is lost. */
static void *record_often(void *gate)
{
    (void)pthread_barrier_wait(gate);
    for (unsigned i = 0; i < 100; i++)
        al_times_record(AL_TIMED_munlock, 100);
    return NULL;
}

START_TEST(threads_at_once)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    pthread_barrier_t gate;

    begin();
    ck_assert_int_eq(pthread_barrier_init(&gate, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, record_often, &gate), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(al_histogram_count(&al_live.histogram[AL_TIMED_munlock]), THREADS * 100);
}
END_TEST

START_TEST(a_child_has_its_own)
{
    int status;
    pid_t child;

    begin();
    al_times_record(AL_TIMED_mlockall, 5);
    al_times_record(AL_TIMED_mlock2, 6000);
    al_times_record(AL_TIMED_madvise, 6);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (!al_live_forked(getpid()))
            _exit(1);
        al_times_forget();
        if (longest(AL_TIMED_mlockall) || longest(AL_TIMED_madvise))
            _exit(2);
        al_times_record(AL_TIMED_madvise, 7);
        al_times_record(AL_TIMED_mlockall, 8);
        al_times_record(AL_TIMED_mlock2, 9);
        if (longest(AL_TIMED_mlock2) != 9)
            _exit(3);
        _exit(longest(AL_TIMED_madvise) == 7 && longest(AL_TIMED_mlockall) == 8 ? 0 : 4);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(longest(AL_TIMED_mlockall), 5);
    ck_assert_uint_eq(longest(AL_TIMED_madvise), 6);
}
END_TEST

START_TEST(a_child_of_one_without_any_has_its_own)
{
    int status;
    pid_t child;

    begin();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (!al_live_forked(getpid()))
            _exit(1);
        al_times_forget();
        al_times_record(AL_TIMED_madvise, 7);
        _exit(longest(AL_TIMED_madvise) == 7 ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(!can_be_read(last_part()));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("times");

    tcase_add_test(tests, unused_ones_have_no_memory);
    tcase_add_test(tests, they_can_be_had_before_they_are_used);
    tcase_add_test(tests, without_a_memfd_they_are_there);
    tcase_add_test(tests, threads_at_once);
    tcase_add_test(tests, a_child_has_its_own);
    tcase_add_test(tests, a_child_of_one_without_any_has_its_own);
    return unit_run(tests);
}
