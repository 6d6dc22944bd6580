/* A forked child begins at nothing, and the parent does not notice. */
#include "counters.h"
#include "live.h"
#include "unit.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static uint64_t counted(enum al_counter counter)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    return sum[counter];
}

/* Runs `check` in a child; it returns true if all is well. */
static void in_child(bool (*check)(void))
{
    uint64_t before[AL_COUNTER_TOTAL];
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        al_counters_after_fork(before);
        _exit(check() ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static bool begins_at_nothing(void)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        if (sum[i])
            return false;
    al_count_add(AL_COUNT_calls_malloc, 5);
    return counted(AL_COUNT_calls_malloc) == 5;
}

START_TEST(of_a_thread_that_counts)
{
    struct al_counts *block;

    al_count_add(AL_COUNT_calls_malloc, 100);
    block = al_thread_counts;
    in_child(begins_at_nothing);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 100);
    ck_assert_ptr_eq(al_thread_counts, block);
}
END_TEST

START_TEST(of_a_thread_that_never_counted)
{
    in_child(begins_at_nothing);
}
END_TEST

START_TEST(of_a_thread_that_has_ended)
{
    al_count(AL_COUNT_calls_malloc);
    al_counters_thread_ends();
    al_count_add(AL_COUNT_calls_free, 7);
    in_child(begins_at_nothing);
    ck_assert_uint_eq(counted(AL_COUNT_calls_free), 7);
}
END_TEST

static void *count_and_stay(void *unused)
{
    al_count(AL_COUNT_calls_malloc);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    al_count(AL_COUNT_calls_malloc);
    return unused;
}

static bool has_the_blocks_of_lost_threads(void)
{
    struct al_counts *own = al_thread_counts;

    if (!begins_at_nothing() || al_thread_counts != own || !own->claimed)
        return false;
    /* The other threads are not in the child: the next one takes the first of their blocks. */
    al_thread_counts = NULL;
    al_count(AL_COUNT_calls_free);
    return al_thread_counts != own && al_thread_counts->value[AL_COUNT_calls_free] == 1 &&
           al_thread_counts == own + 1;
}

/* What a child finds until it has pages of its own is its parent's, also what that has added since:
 * where that lies nothing is in the child. */
START_TEST(whose_parent_has_added_blocks_since)
{
    uint64_t before[AL_COUNTER_TOTAL];
    void *nothing = mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t child;

    ck_assert_ptr_ne(nothing, MAP_FAILED);
    al_count_add(AL_COUNT_calls_malloc, 100);
    child = fork();
    if (child == 0) {
        al_live.head.slab.next = (uint64_t)(uintptr_t)nothing;
        al_counters_after_fork(before);
        _exit(before[AL_COUNT_calls_malloc] == 100 && begins_at_nothing() ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(of_many_threads)
{
    enum { THREADS = 150 };
    pthread_t thread[THREADS];

    al_count(AL_COUNT_calls_malloc);
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, count_and_stay, NULL), 0);
    pthread_barrier_wait(&barrier);
    in_child(has_the_blocks_of_lost_threads);
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(counted(AL_COUNT_calls_malloc), 2 * THREADS + 1);
}
END_TEST

static bool has_a_child_itself(void)
{
    al_count_add(AL_COUNT_calls_malloc, 3);
    in_child(begins_at_nothing);
    return counted(AL_COUNT_calls_malloc) == 3;
}

START_TEST(of_a_child)
{
    al_count(AL_COUNT_calls_malloc);
    in_child(has_a_child_itself);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("counters_fork");

    tcase_add_test(tests, of_a_thread_that_counts);
    tcase_add_test(tests, of_a_thread_that_never_counted);
    tcase_add_test(tests, of_a_thread_that_has_ended);
    tcase_add_test(tests, whose_parent_has_added_blocks_since);
    tcase_add_test(tests, of_many_threads);
    tcase_add_test(tests, of_a_child);
    return unit_run(tests);
}
