#include "downgrades.h"
#include "sys.h"
#include "unit.h"

#include <pthread.h>

START_TEST(in_order_with_their_time)
{
    al_downgrades_begin(al_now_ns());
    ck_assert_uint_eq(al_downgrades_count(), 0);
    al_downgrade_add("first");
    usleep(2000);
    al_downgrade_add("second");
    ck_assert_uint_eq(al_downgrades_count(), 2);
    ck_assert_str_eq(al_downgrade_at(&al_live.head, 0)->reason, "first");
    ck_assert_str_eq(al_downgrade_at(&al_live.head, 1)->reason, "second");
    ck_assert_uint_ge(al_downgrade_at(&al_live.head, 1)->when_ns,
                      al_downgrade_at(&al_live.head, 0)->when_ns + 2000000);
    ck_assert_uint_lt(al_downgrade_at(&al_live.head, 1)->when_ns, 60ULL * 1000000000);
}
END_TEST

START_TEST(beyond_the_last_they_are_counted)
{
    for (unsigned i = 0; i < AL_DOWNGRADES_MAX; i++)
        al_downgrade_add("kept");
    for (unsigned i = 0; i < 100; i++)
        al_downgrade_add("lost");
    ck_assert_uint_eq(al_downgrades_count(), AL_DOWNGRADES_MAX + 100);
    for (unsigned i = 0; i < AL_DOWNGRADES_MAX; i++)
        ck_assert_str_eq(al_downgrade_at(&al_live.head, i)->reason, "kept");
}
END_TEST

START_TEST(a_new_beginning_forgets)
{
    al_downgrade_add("forgotten");
    al_downgrades_begin(al_now_ns());
    ck_assert_uint_eq(al_downgrades_count(), 0);
    ck_assert_ptr_null(al_downgrade_at(&al_live.head, 0));
}
END_TEST

static void *add_some(void *unused)
{
    for (unsigned i = 0; i < 3; i++)
        al_downgrade_add("by a thread");
    return unused;
}

static void *read_all(void *unused)
{
    for (unsigned i = 0; i < 1000; i++) {
        const struct al_downgrade *entry = al_downgrade_at(&al_live.head, i % AL_DOWNGRADES_MAX);

        if (entry)
            ck_assert_str_eq(entry->reason, "by a thread");
    }
    return unused;
}

START_TEST(from_many_threads)
{
    enum { THREADS = 8 };
    pthread_t adder[THREADS];
    pthread_t reader;

    al_downgrades_begin(al_now_ns());
    ck_assert_int_eq(pthread_create(&reader, NULL, read_all, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&adder[i], NULL, add_some, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(adder[i], NULL);
    pthread_join(reader, NULL);
    ck_assert_uint_eq(al_downgrades_count(), 3 * THREADS);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("downgrades");

    tcase_add_test(tests, in_order_with_their_time);
    tcase_add_test(tests, beyond_the_last_they_are_counted);
    tcase_add_test(tests, a_new_beginning_forgets);
    tcase_add_test(tests, from_many_threads);
    return unit_run(tests);
}
