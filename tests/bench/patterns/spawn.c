/*
 * spawn ITERATIONS [NAME=VALUE…] PROGRAM [ARGUMENT…]
 *
 * One operation: start PROGRAM, with these variables in its environment, and wait for its end.
 */
#include "launch.h"

#include <spawn.h>
#include <sys/wait.h>

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    struct launch launch = launch_of(count, arguments, 2);
    uint64_t begin = now_ns();

    for (size_t i = 0; i < iterations; i++) {
        pid_t pid;
        int status;

        if (posix_spawn(&pid, launch.program[0], NULL, NULL, launch.program, launch.environment))
            die("the program cannot be started");
        if (waitpid(pid, &status, 0) != pid || status != 0)
            die("the program failed");
    }
    print_result(now_ns() - begin, iterations);
    free(launch.environment);
    return 0;
}
