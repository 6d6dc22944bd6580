#include "gate.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 20000 };

static struct al_gate gate;
static struct al_gate other;

/* Guarded by the gate; not atomic. */
static unsigned long counter;

START_TEST(in_and_out)
{
    errno = 1234;
    ck_assert(!al_gate_inside());
    ck_assert(al_gate_enter(&gate));
    ck_assert(al_gate_inside());
    al_gate_leave(&gate);
    ck_assert(!al_gate_inside());
    ck_assert(al_gate_enter(&gate));
    al_gate_leave(&gate);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(nobody_is_inside_twice)
{
    ck_assert(al_gate_enter(&gate));
    ck_assert(!al_gate_enter(&gate));
    ck_assert(!al_gate_enter(&other));
    al_gate_leave(&gate);
    ck_assert(al_gate_enter(&other));
    al_gate_leave(&other);
}
END_TEST

static void *count_rounds(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!al_gate_enter(&gate))
            continue;
        counter++;
        al_gate_leave(&gate);
    }
    return unused;
}

START_TEST(one_at_a_time)
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, count_rounds, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(counter, (unsigned long)THREADS * ROUNDS);
}
END_TEST

/* Whoever waits sleeps, so that it does not take the processor from who is inside. */
static void *wait_for_gate(void *ret_time)
{
    struct timespec *time = ret_time;

    if (al_gate_enter(&gate))
        al_gate_leave(&gate);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
    return NULL;
}

START_TEST(waiting_takes_no_time)
{
    struct timespec time;
    pthread_t thread;

    ck_assert(al_gate_enter(&gate));
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_gate, &time), 0);
    usleep(300000);
    al_gate_leave(&gate);
    pthread_join(thread, NULL);
    ck_assert_int_eq(time.tv_sec, 0);
    ck_assert_int_lt(time.tv_nsec, 100000000);
}
END_TEST

static volatile sig_atomic_t turned_away;
static volatile sig_atomic_t let_in;

static void enter_from_handler(int number)
{
    (void)number;
    if (!al_gate_enter(&gate)) {
        turned_away++;
        return;
    }
    counter++;
    let_in++;
    al_gate_leave(&gate);
}

START_TEST(a_signal_handler_does_not_wait_for_its_thread)
{
    struct itimerval often = {.it_interval = {.tv_usec = 50}, .it_value = {.tv_usec = 50}};
    struct itimerval never = {.it_interval = {0}};
    unsigned long rounds = 0;

    signal(SIGALRM, enter_from_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    while (turned_away < 100 || let_in < 100) {
        if (!al_gate_enter(&gate))
            continue;
        counter++;
        rounds++;
        al_gate_leave(&gate);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    ck_assert_uint_eq(counter, rounds + (unsigned long)let_in);
}
END_TEST

START_TEST(a_forked_child_finds_it_free)
{
    int status;
    pid_t child;

    ck_assert(al_gate_enter(&gate));
    child = fork();
    if (child == 0) {
        al_gate_reset(&gate);
        _exit(!al_gate_inside() && al_gate_enter(&gate) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    al_gate_leave(&gate);
}
END_TEST

/* -- forks that nobody announces ------------------------------------------------------------ */

static unsigned forked_calls;

static void reset_gate(void)
{
    forked_calls++;
    al_gate_reset(&gate);
}

static int after_unannounced_fork(void)
{
    if (!al_gate_is_foreign(&gate) || al_gate_enter(&gate) || forked_calls != 1)
        return 1;
    return al_gate_is_foreign(&gate) || al_gate_inside() || !al_gate_enter(&gate) ? 2 : 0;
}

START_TEST(an_unannounced_child_waits_for_nobody)
{
    int status;
    pid_t child;

    al_gate_watch_forks(&gate, reset_gate);
    ck_assert(!al_gate_is_foreign(&gate));
    if (!al_gate_tells_forks(&gate))
        return; /* Linux before 4.14 */
    ck_assert(al_gate_enter(&gate));
    child = fork();
    if (child == 0)
        _exit(after_unannounced_fork());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(!al_gate_is_foreign(&gate));
    al_gate_leave(&gate);
    ck_assert(al_gate_enter(&gate));
    al_gate_leave(&gate);
    ck_assert_uint_eq(forked_calls, 0);
}
END_TEST

/* -- signals kept back ---------------------------------------------------------------------- */

static volatile sig_atomic_t arrived;

static void note_arrival(int number)
{
    (void)number;
    arrived++;
}

START_TEST(signals_wait_until_it_is_left)
{
    sigset_t before;
    sigset_t after;

    signal(SIGUSR1, note_arrival);
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ck_assert(al_gate_enter_undisturbed(&gate));
    ck_assert(!al_gate_enter_undisturbed(&gate));
    pthread_kill(pthread_self(), SIGUSR1);
    ck_assert_int_eq(arrived, 0);
    al_gate_leave(&gate);
    ck_assert_int_eq(arrived, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert(sigismember(&after, SIGUSR2) == 1 && sigismember(&after, SIGUSR1) == 0);
    ck_assert(al_gate_enter(&gate));
    pthread_kill(pthread_self(), SIGUSR1);
    ck_assert_int_eq(arrived, 2);
    al_gate_leave(&gate);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("gate");

    tcase_add_test(tests, in_and_out);
    tcase_add_test(tests, nobody_is_inside_twice);
    tcase_add_test(tests, one_at_a_time);
    tcase_add_test(tests, waiting_takes_no_time);
    /* The thread sanitizer keeps signals back until a thread calls libc. */
    if (!UNIT_SANITIZED) {
        tcase_add_test(tests, a_signal_handler_does_not_wait_for_its_thread);
        tcase_add_test(tests, signals_wait_until_it_is_left);
    }
    tcase_add_test(tests, an_unannounced_child_waits_for_nobody);
    tcase_add_test(tests, a_forked_child_finds_it_free);
    return unit_run(tests);
}
