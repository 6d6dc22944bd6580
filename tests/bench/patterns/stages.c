/*
 * stages ITERATIONS [NAME=VALUE…] PROGRAM
 *
 * One operation: start PROGRAM, which is `stamps`, with these variables in its environment, and
 * wait for its end. Prints two times in nanoseconds per operation: from the start to the first line
 * of main, and from the last one until the process is gone.
 */
#include "launch.h"
#include "stamps.h"

#include <spawn.h>
#include <sys/wait.h>

struct stages {
    uint64_t to_main_ns;
    uint64_t to_gone_ns;
};

static void run_once(const struct launch *launch, int from_child,
                     const posix_spawn_file_actions_t *actions, struct stages *sum)
{
    struct stamps stamps;
    uint64_t begin = now_ns();
    pid_t pid;
    int status;

    if (posix_spawn(&pid, launch->program[0], actions, NULL, launch->program, launch->environment))
        die("the program cannot be started");
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("the program failed");
    sum->to_gone_ns += now_ns();
    if (read(from_child, &stamps, sizeof(stamps)) != sizeof(stamps))
        die("the program said nothing");
    sum->to_main_ns += stamps.begin_ns - begin;
    sum->to_gone_ns -= stamps.end_ns;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    struct launch launch = launch_of(count, arguments, 2);
    struct stages sum = {0, 0};
    posix_spawn_file_actions_t actions;
    int ends[2];

    if (pipe(ends) || posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STAMPS_DESCRIPTOR))
        die("no pipe");
    for (size_t i = 0; i < iterations; i++)
        run_once(&launch, ends[0], &actions, &sum);
    printf("%.0f %.0f\n", (double)sum.to_main_ns / (double)iterations,
           (double)sum.to_gone_ns / (double)iterations);
    posix_spawn_file_actions_destroy(&actions);
    free(launch.environment);
    return 0;
}
