/*
 * Threads that pthread_create() does not make: C11's, timers', bare ones. Owners of pages are
 * counted right nevertheless: what two threads own together on one page stays locked as long as one
 * of them owns it. KINDS=heap.
 */
#include "scenario.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <threads.h>
#include <time.h>

enum { SIZE = 100, PER_PAGE = 36, STEPS = 200, LARGE = 100000, TIMES = 60 };

/* musl has one lock for all blocks, and threads that both want it sleep in turns. */
#if defined(__GLIBC__)
enum { ROUNDS = 2000 };
#else
enum { ROUNDS = 100 };
#endif

static char *block[STEPS * PER_PAGE];
static char *last; /* above all others, so that the heap does not shrink */
static unsigned arrivals;

/* Two threads come to a step together. */
static void meet(unsigned step)
{
    __atomic_fetch_add(&arrivals, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&arrivals, __ATOMIC_ACQUIRE) < 2 * (step + 1))
        sched_yield();
}

/* A block of each thread, side by side on one page, which both count up and down. */
static int exchange(void *index)
{
    for (unsigned step = 0; step < STEPS; step++) {
        char **own = &block[step * PER_PAGE + 1 + (uintptr_t)index];

        meet(step);
        for (int i = 0; i < ROUNDS; i++) {
            free(*own);
            *own = used(malloc(SIZE));
        }
    }
    return 0;
}

static void fill(void)
{
    for (int i = 0; i < STEPS * PER_PAGE; i++)
        block[i] = used(malloc(SIZE));
    last = used(malloc(SIZE));
}

/* Makes the library give back what it believes to have no owner, from the lowest page on. */
static void make_it_give_back(void)
{
    char *large[TIMES];

    for (int i = 0; i < TIMES; i++)
        large[i] = used(malloc(LARGE));
    for (int i = 0; i < TIMES; i++)
        free(large[i]);
}

static void expect_counted_right(void)
{
    for (int i = 0; i < STEPS * PER_PAGE; i++)
        if (i % PER_PAGE)
            free(block[i]);
    make_it_give_back();
    /* On each page there still is one. */
    for (int i = 0; i < STEPS * PER_PAGE; i += PER_PAGE)
        expect_locked(block[i], SIZE);
    for (int i = 0; i < STEPS * PER_PAGE; i += PER_PAGE)
        free(block[i]);
    make_it_give_back();
    /* The large blocks have been there as well, and a few pages may stay locked without an owner.
     */
    watch_take();
    expect(watch_locked_pages(block[0], (size_t)(last - block[0])) < STEPS / 2);
}

static void c11(void)
{
    thrd_t thread[2];

    fill();
    for (intptr_t i = 0; i < 2; i++)
        expect(thrd_create(&thread[i], exchange, (void *)i) == thrd_success);
    for (int i = 0; i < 2; i++)
        expect(thrd_join(thread[i], NULL) == thrd_success);
    expect_counted_right();
}

static volatile bool timer_ran;
static volatile bool timer_begun;

static void exchange_in_timer(union sigval value)
{
    (void)value;
    free(used(malloc(SIZE))); /* from here on it is known of */
    timer_begun = true;
    (void)exchange((void *)1);
    timer_ran = true;
}

static void timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = exchange_in_timer};
    struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
    timer_t id;

    fill();
    expect(timer_create(CLOCK_MONOTONIC, &event, &id) == 0);
    expect(timer_settime(id, 0, &soon, NULL) == 0);
    while (!timer_begun)
        sched_yield();
    (void)exchange((void *)0);
    while (!timer_ran)
        sched_yield();
    expect_counted_right();
}

SCENARIOS(SCENARIO(c11), SCENARIO(timer))
