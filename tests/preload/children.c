/*
 * All the ways in which a program has others run; each child says so once.
 *
 *     children HOW PROGRAM        PROGRAM: to be executed, as `PROGRAM 3`
 */
#include "every_hook.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static char clone_stack[256 * 1024] __attribute__((aligned(64)));
static char *program;

static void reap(pid_t child, int wanted)
{
    int status = -1;

    expect(child > 0);
    expect(waitpid(child, &status, __WALL) == child);
    dprintf(STDOUT_FILENO, "child: %s %d\n", WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    expect_equal(status, wanted);
}

static void execute(void)
{
    execl(program, program, "3", (char *)NULL);
    _exit(127);
}

static int exit_in_clone(void *unused)
{
    (void)unused;
    every_hook_of_memory();
    exit(3);
}

static int shared_clone(void *unused)
{
    (void)unused;
    syscall(SYS_exit, 3);
    return 0;
}

static void with_vfork(bool executes)
{
    pid_t child = vfork();

    if (child == 0) {
        if (executes)
            execute();
        _exit(3);
    }
    reap(child, 3 << 8);
}

static void with_fork(const char *how)
{
    pid_t child = fork();

    if (child == 0) {
        every_hook_of_memory();
        if (strcmp(how, "fork_exec") == 0)
            execute();
        if (strcmp(how, "fork_exit") == 0)
            exit(3);
        if (strcmp(how, "fork_kill") == 0)
            raise(SIGKILL);
        _exit(3);
    }
    reap(child, strcmp(how, "fork_kill") == 0 ? SIGKILL : 3 << 8);
}

static void with_spawn(void)
{
    char *const arguments[] = {program, (char *)"3", NULL};
    pid_t child = -1;

    expect(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
    reap(child, 3 << 8);
}

static void with_shell(const char *how)
{
    char command[4096];

    snprintf(command, sizeof(command), "'%s' 3", program);
    if (strcmp(how, "system") == 0) {
        expect_equal(system(command), 3 << 8);
    } else {
        char line[100] = "";
        FILE *pipe = popen(command, "r");

        expect(pipe && fgets(line, sizeof(line), pipe) && strcmp(line, "main ran\n") == 0);
        expect_equal(pclose(pipe), 3 << 8);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc == 3 ? argv[1] : "";
    char *stack_end = clone_stack + sizeof(clone_stack);

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    program = argv[2];
    free(used(malloc(100)));
    if (strcmp(how, "vfork_exit") == 0)
        with_vfork(false);
    else if (strcmp(how, "vfork_exec") == 0)
        with_vfork(true);
    else if (strncmp(how, "fork", 4) == 0)
        with_fork(how);
    else if (strcmp(how, "spawn") == 0)
        with_spawn();
    else if (strcmp(how, "system") == 0 || strcmp(how, "popen") == 0)
        with_shell(how);
    else if (strcmp(how, "clone") == 0)
        reap(clone(exit_in_clone, stack_end, SIGCHLD, NULL), 3 << 8);
    else if (strcmp(how, "clone_vm") == 0)
        reap(clone(shared_clone, stack_end, CLONE_VM | SIGCHLD, NULL), 3 << 8);
    else
        expect(false);
    every_hook_of_memory();
    dprintf(STDOUT_FILENO, "parent ends\n");
    return 0;
}
