/* A few threads for one piece of work, of which nothing is left. */
#include "crew.h"
#include "sys.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 };

static struct {
    unsigned calls;
    unsigned wanted; /* all of them are to be there at once */
    long ids[MOST];
    uint64_t signals[MOST];
} seen;

/* As work has to be: system calls, and memory of its own. */
static void look(void *data)
{
    unsigned mine = __atomic_fetch_add(&seen.calls, 1, __ATOMIC_SEQ_CST);

    (void)data;
    seen.ids[mine] = al_sys0(SYS_gettid);
    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &seen.signals[mine], sizeof(seen.signals[mine]));
    while (__atomic_load_n(&seen.calls, __ATOMIC_SEQ_CST) < seen.wanted)
        al_sys0(SYS_sched_yield);
}

static void run(unsigned count)
{
    memset(&seen, 0, sizeof(seen));
    seen.wanted = count;
    errno = 4711;
    al_crew_run(count, look, NULL);
    ck_assert_int_eq(errno, 4711);
}

static bool is_known(long id)
{
    return al_sys3(SYS_tgkill, al_sys0(SYS_getpid), id, 0) == 0;
}

START_TEST(all_are_there_at_once_and_gone_afterwards)
{
    long own = al_sys0(SYS_gettid);

#if !(defined(__x86_64__) && defined(__LP64__)) && !defined(__aarch64__)
    return;
#endif
    for (unsigned round = 0; round < 200; round++) {
        unsigned count = round % 8 + 1;
        unsigned others = 0;

        run(count);
        ck_assert_uint_eq(seen.calls, count);
        for (unsigned i = 0; i < count; i++) {
            if (seen.ids[i] == own)
                continue;
            others++;
            ck_assert_uint_eq(seen.signals[i] | 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1),
                              UINT64_MAX);
            ck_assert(!is_known(seen.ids[i]));
        }
        ck_assert_uint_eq(others, count - 1);
    }
}
END_TEST

START_TEST(signals_are_the_callers_again)
{
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t usr1 = 1ULL << (SIGUSR1 - 1);

    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, 0, sizeof(usr1));
    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &before, sizeof(before));
    run(4);
    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &after, sizeof(after));
    ck_assert_uint_eq(before, after);
}
END_TEST

static void count_one(void *data)
{
    __atomic_fetch_add((unsigned *)data, 1, __ATOMIC_SEQ_CST);
}

/* The limit of processes holds for who is not root alone. */
START_TEST(where_no_thread_can_be_made)
{
    const struct rlimit none = {0, 0};
    unsigned calls = 0;

    ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
    if (al_sys0(SYS_geteuid) == 0)
        ck_assert_int_eq(al_sys1(SYS_setuid, 65534), 0);
    al_crew_run(4, count_one, &calls);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(alone)
{
    unsigned calls = 0;

    al_crew_run(0, count_one, &calls);
    ck_assert_uint_eq(calls, 1);
    al_crew_run(1, count_one, &calls);
    ck_assert_uint_eq(calls, 2);
}
END_TEST

START_TEST(more_than_there_can_be)
{
    unsigned calls = 0;

    al_crew_run(1000, count_one, &calls);
    ck_assert_uint_ge(calls, 1);
    ck_assert_uint_le(calls, MOST);
}
END_TEST

/* Others would run with less priority than the one that waits for them. */
START_TEST(alone_where_priority_is_not_inherited)
{
    const struct sched_param none = {0};
    unsigned calls = 0;

    ck_assert_int_eq(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none), 0);
    al_crew_run(4, count_one, &calls);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

static sigjmp_buf left;
static volatile bool went_on;

static void leave(int signal_number)
{
    (void)signal_number;
    siglongjmp(left, 1);
}

/* The caller sends himself a signal, and goes on. */
static void interrupt(void *data)
{
    long own = *(long *)data;

    if (al_sys0(SYS_gettid) != own)
        return;
    al_sys3(SYS_tgkill, al_sys0(SYS_getpid), own, SIGALRM);
    went_on = true;
}

START_TEST(nobody_leaves_while_others_work)
{
    const struct sigaction action = {.sa_handler = leave};
    long own = al_sys0(SYS_gettid);

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    if (sigsetjmp(left, 1) == 0) {
        al_crew_run(4, interrupt, &own);
        ck_abort_msg("the signal came never");
    }
    /* It came when all was done. */
    ck_assert(went_on);
}
END_TEST

/* -- one that nobody takes away ------------------------------------------------------------- */

/* Lets the helper that comes go on, and does not look at it when it has ended. */
static bool trace(pid_t process)
{
    unsigned long helper = 0;
    int status = 0;

    ck_assert_int_eq(waitpid(process, &status, 0), process);
    if (!WIFSTOPPED(status))
        return false; /* ptrace is not allowed here */
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, process, NULL, PTRACE_O_TRACECLONE), 0);
    ck_assert_int_eq(ptrace(PTRACE_CONT, process, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(process, &status, 0), process);
    ck_assert_int_eq(status >> 8, SIGTRAP | PTRACE_EVENT_CLONE << 8);
    ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, process, NULL, &helper), 0);
    ck_assert_int_eq(waitpid((pid_t)helper, &status, __WALL), (pid_t)helper);
    ck_assert_int_eq(ptrace(PTRACE_CONT, (pid_t)helper, NULL, NULL), 0);
    ck_assert_int_eq(ptrace(PTRACE_CONT, process, NULL, NULL), 0);
    return true;
}

START_TEST(a_debugger_that_leaves_them_lying)
{
    int pipes[2];
    char done = 0;
    pid_t process;

    ck_assert_int_eq(pipe(pipes), 0);
    process = fork();
    if (process == 0) {
        unsigned calls = 0;

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(UNIT_SKIP);
        (void)raise(SIGSTOP);
        al_crew_run(2, count_one, &calls);
        (void)write(pipes[1], &calls, 1);
        _exit(0);
    }
    if (!trace(process))
        return;
    ck_assert_int_eq(read(pipes[0], &done, 1), 1);
    ck_assert_int_eq(done, 2);
    ck_assert_int_eq(kill(process, SIGKILL), 0);
}
END_TEST

START_TEST(processors_as_the_thread_may_use)
{
    cpu_set_t one;

    ck_assert_uint_ge(al_crew_processors(), 1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(one), &one), 0);
    ck_assert_uint_eq(al_crew_processors(), (unsigned)CPU_COUNT(&one));
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &one))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        break;
    }
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    ck_assert_uint_eq(al_crew_processors(), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("crew");

    if (UNIT_SANITIZED) {
        puts("skipped: a sanitizer looks at the memory of a thread that has none");
        return UNIT_SKIP;
    }
    tcase_add_test(tests, all_are_there_at_once_and_gone_afterwards);
    tcase_add_test(tests, signals_are_the_callers_again);
    tcase_add_test(tests, where_no_thread_can_be_made);
    tcase_add_test(tests, alone);
    tcase_add_test(tests, more_than_there_can_be);
    tcase_add_test(tests, alone_where_priority_is_not_inherited);
    tcase_add_test(tests, nobody_leaves_while_others_work);
    tcase_add_test(tests, a_debugger_that_leaves_them_lying);
    tcase_add_test(tests, processors_as_the_thread_may_use);
    return unit_run(tests);
}
