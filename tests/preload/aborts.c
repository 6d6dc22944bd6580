/*
 * Aborts, with what a program may have arranged for that; and ends by quick_exit with handlers.
 *
 *     aborts plain|blocked|ignored|handled|exits|survives|vfork|assertion|handlers
 */
#include "expect.h"

#undef NDEBUG
#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

enum { FEW = 3, CALLS = 1234 };

static sigjmp_buf back;

static void note(const char *line)
{
    expect(write(STDOUT_FILENO, line, strlen(line)) > 0);
}

static void say_so(int signal_number)
{
    (void)signal_number;
    note("handler\n");
}

static void leave(int signal_number)
{
    (void)signal_number;
    note("handler ends it\n");
    exit(5);
}

static void jump(int signal_number)
{
    (void)signal_number;
    siglongjmp(back, 1);
}

static void survive(void)
{
    for (volatile int i = 0; i < FEW; i++)
        if (sigsetjmp(back, 1) == 0)
            abort();
    note("survived\n");
    for (int i = 0; i < CALLS; i++)
        free(used(calloc(1, 10)));
}

static void first_handler(void)
{
    note("first\n");
}

static void second_handler(void)
{
    for (int i = 0; i < CALLS; i++)
        free(used(calloc(1, 10)));
    note("second\n");
}

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    sigset_t set;

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(how, "handlers") == 0) {
        expect(at_quick_exit(second_handler) == 0 && at_quick_exit(first_handler) == 0);
        quick_exit(4);
    } else if (strcmp(how, "survives") == 0) {
        signal(SIGABRT, jump);
        survive();
        return 3;
    } else if (strcmp(how, "vfork") == 0) {
        int status;
        pid_t child = vfork();

        if (child == 0)
            abort();
        expect(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGABRT);
        return 3;
    } else if (strcmp(how, "blocked") == 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGABRT);
        expect(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    } else if (strcmp(how, "ignored") == 0) {
        signal(SIGABRT, SIG_IGN);
    } else if (strcmp(how, "handled") == 0) {
        signal(SIGABRT, say_so);
    } else if (strcmp(how, "exits") == 0) {
        signal(SIGABRT, leave);
    } else if (strcmp(how, "assertion") == 0) {
        assert(argc == 0);
    }
    abort();
}
