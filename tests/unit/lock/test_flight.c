/* Calls in flight, and who waits until there is none. */
#include "flight.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 3, STOPS = 300 };

static unsigned inside;
static bool over;

/* -- one thread ----------------------------------------------------------------------------- */

START_TEST(ones_own_is_not_waited_for)
{
    al_flight_begin();
    al_flight_begin();
    ck_assert(al_flight_is_on());
    al_flight_stop();
    al_flight_begin(); /* nor does one wait for oneself */
    al_flight_go();
    al_flight_end();
    al_flight_end();
    ck_assert(al_flight_is_on());
    al_flight_end();
    ck_assert(!al_flight_is_on());
    al_flight_end();
    ck_assert(!al_flight_is_on());
}
END_TEST

/* -- several -------------------------------------------------------------------------------- */

static void *leave_it(void *abandons)
{
    al_flight_begin();
    al_flight_begin();
    if (abandons)
        al_flight_abandon();
    return NULL;
}

static void run_leave_it(void *abandons)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, leave_it, abandons), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(what_is_abandoned_is_not_waited_for)
{
    run_leave_it(&over);
    al_flight_stop();
    al_flight_go();
}
END_TEST

START_TEST(a_child_waits_for_nobody)
{
    run_leave_it(NULL);
    al_flight_begin();
    al_flight_forked();
    al_flight_stop();
    al_flight_go();
    al_flight_end();
    al_flight_stop();
    al_flight_go();
}
END_TEST

static void *fly(void *data)
{
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        al_flight_begin();
        __atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED);
        (void)sched_yield();
        __atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
        al_flight_end();
    }
    return data;
}

START_TEST(nobody_is_in_the_middle_of_it)
{
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fly, NULL), 0);
    for (unsigned i = 0; i < STOPS; i++) {
        al_flight_stop();
        for (unsigned look = 0; look < 20; look++) {
            ck_assert_uint_eq(__atomic_load_n(&inside, __ATOMIC_RELAXED), 0);
            (void)sched_yield();
        }
        al_flight_go();
        (void)sched_yield();
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("flight");

    tcase_add_test(tests, ones_own_is_not_waited_for);
    tcase_add_test(tests, what_is_abandoned_is_not_waited_for);
    tcase_add_test(tests, a_child_waits_for_nobody);
    tcase_add_test(tests, nobody_is_in_the_middle_of_it);
    return unit_run(tests);
}
