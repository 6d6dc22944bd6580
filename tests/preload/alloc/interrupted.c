/*
 * A thread is torn out of mmap, munmap, mprotect or madvise: by siglongjmp out of a signal handler,
 * or cancelled asynchronously. These are plain system calls elsewhere, and programs do that. Nobody
 * waits for the thread afterwards, and what is mapped then is locked. KINDS=anon.
 */
#include "scenario.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>

/* Large, and most of it never in memory: much to write down, little to do. */
enum { AREA = 4096 * PAGE, USED = 16 * PAGE, SPIN_MAX = 4001, SPIN_STEP = 37 };

static volatile unsigned long rounds;

static char *reserve(void)
{
    void *area =
        (void *)syscall(SYS_mmap, NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);

    expect(area != MAP_FAILED);
    return area;
}

/* Again and again in one place, so that nothing is lost when it is torn out of the call. */
static void map_again(char *area)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    (void)mmap(area, AREA, PROT_NONE, flags, -1, 0);
    (void)mprotect(area, USED, PROT_READ | PROT_WRITE);
    (void)madvise(area, USED, MADV_DONTNEED);
    (void)munmap(area + AREA / 2, AREA / 2);
    rounds++;
}

static void expect_still_locking(void)
{
    char *block = mmap(NULL, USED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(block != MAP_FAILED);
    expect_locked(block, USED);
    expect(munmap(block, USED) == 0);
}

/* A moment that is another one each time. */
static void pass_time(unsigned turn)
{
    for (volatile unsigned i = 0; i < turn * SPIN_STEP % SPIN_MAX; i++)
        ;
}

/* -- jumps ---------------------------------------------------------------------------------- */

enum { JUMPS = 4000 };

static sigjmp_buf out;
static volatile unsigned jumps;

static void jump(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

static void *call_for_jumps(void *victim)
{
    char *area = reserve();

    for (unsigned i = 0; i < JUMPS; i++) {
        map_again(area); /* who is torn out may have left something that is waited for here */
        pass_time(i);
        expect(pthread_kill(*(pthread_t *)victim, SIGUSR1) == 0);
        while (jumps == i)
            sched_yield();
    }
    return NULL;
}

static void by_siglongjmp(void)
{
    struct sigaction action = {.sa_handler = jump};
    pthread_t victim = pthread_self();
    pthread_t caller;
    char *area = reserve();
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    expect(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
    expect(sigaction(SIGUSR1, &action, NULL) == 0);
    expect(pthread_create(&caller, NULL, call_for_jumps, &victim) == 0);
    if (sigsetjmp(out, 1))
        jumps++;
    if (jumps < JUMPS) {
        expect(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) == 0);
        for (;;)
            map_again(area);
    }
    expect(pthread_join(caller, NULL) == 0);
    expect_still_locking();
}

/* -- cancellation --------------------------------------------------------------------------- */

enum { CANCELLED = 1000 };

static void *map_until_cancelled(void *area)
{
    expect(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    for (;;)
        map_again(area);
    return NULL;
}

static void *wait_to_be_cancelled(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* The first cancellation loads the library that unwinds: not into a hole that is mapped again. */
static void load_unwinder(void)
{
    pthread_t victim;

    expect(pthread_create(&victim, NULL, wait_to_be_cancelled, NULL) == 0);
    expect(pthread_cancel(victim) == 0);
    expect(pthread_join(victim, NULL) == 0);
}

static void by_cancellation(void)
{
    char *own_area = reserve();
    char *area = reserve();

    load_unwinder();

    for (unsigned i = 0; i < CANCELLED; i++) {
        unsigned long begun = rounds;
        pthread_t victim;

        expect(pthread_create(&victim, NULL, map_until_cancelled, area) == 0);
        while (rounds == begun)
            sched_yield();
        pass_time(i);
        expect(pthread_cancel(victim) == 0);
        expect(pthread_join(victim, NULL) == 0);
        map_again(own_area);
    }
    expect_still_locking();
}

/* What came for the thread meanwhile is there when the call is over, and its mask is its own. */
static volatile sig_atomic_t arrived;

static void note_arrival(int number)
{
    (void)number;
    arrived++;
}

static void signals_are_the_programs(void)
{
    struct sigaction action = {.sa_handler = note_arrival};
    sigset_t blocked;
    sigset_t mask;
    char *area = reserve();

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    expect(sigaction(SIGUSR1, &action, NULL) == 0);
    expect(pthread_sigmask(SIG_SETMASK, &blocked, NULL) == 0);
    expect(raise(SIGUSR1) == 0);
    map_again(area);
    expect_equal(arrived, 0);
    expect(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    for (int i = 1; i <= SIGRTMAX; i++)
        expect(sigismember(&mask, i) != 1 || i == SIGUSR1);
    expect(pthread_sigmask(SIG_UNBLOCK, &blocked, NULL) == 0);
    expect_equal(arrived, 1);
    map_again(area);
    expect(raise(SIGUSR1) == 0);
    expect_equal(arrived, 2);
}

SCENARIOS(SCENARIO(by_siglongjmp), SCENARIO(by_cancellation), SCENARIO(signals_are_the_programs))
