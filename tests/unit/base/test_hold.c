#include "hold.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t arrived;

static void note_arrival(int number)
{
    (void)number;
    arrived++;
}

static bool waits(int number)
{
    sigset_t mask;

    ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    return sigismember(&mask, number) == 1;
}

START_TEST(signals_wait)
{
    struct sigaction action = {.sa_handler = note_arrival};

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 1234;
    al_hold_begin();
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(arrived, 0);
    al_hold_end();
    ck_assert_int_eq(errno, 1234);
    (void)usleep(1); /* a sanitizer keeps what comes until a call that may wait */
    ck_assert_int_eq(arrived, 1);
}
END_TEST

START_TEST(until_the_outermost_ends)
{
    al_hold_begin();
    al_hold_begin();
    al_hold_end();
    ck_assert(waits(SIGUSR1));
    al_hold_end();
    ck_assert(!waits(SIGUSR1));
}
END_TEST

START_TEST(not_those_of_an_instruction)
{
    al_hold_begin();
    ck_assert(waits(SIGTERM));
    ck_assert(!waits(SIGSEGV));
    ck_assert(!waits(SIGTRAP));
    ck_assert(!waits(SIGSYS));
    al_hold_end();
}
END_TEST

START_TEST(what_waited_before_waits_afterwards)
{
    sigset_t usr2;

    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &usr2, NULL), 0);
    al_hold_begin();
    al_hold_end();
    ck_assert(waits(SIGUSR2));
    ck_assert(!waits(SIGUSR1));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("hold");

    tcase_add_test(tests, signals_wait);
    tcase_add_test(tests, until_the_outermost_ends);
    tcase_add_test(tests, not_those_of_an_instruction);
    tcase_add_test(tests, what_waited_before_waits_afterwards);
    return unit_run(tests);
}
