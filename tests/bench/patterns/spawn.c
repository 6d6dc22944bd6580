/*
 * spawn ITERATIONS [NAME=VALUE…] PROGRAM [ARGUMENT…]
 *
 * One operation: start PROGRAM, with these variables in its environment, and wait for its end.
 */
#include "pattern.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char **environment_with(char *const extra[], size_t extra_count)
{
    size_t inherited = 0;
    char **all;

    while (environ[inherited])
        inherited++;
    all = calloc(inherited + extra_count + 1, sizeof(*all));
    if (!all)
        die("out of memory");
    /* Ours come first: of two equal names the first one counts. */
    for (size_t i = 0; i < extra_count; i++)
        all[i] = extra[i];
    for (size_t i = 0; i < inherited; i++)
        all[extra_count + i] = environ[i];
    return all;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    int first = count < 2 ? count : 2;
    int program = first;
    char **environment;
    uint64_t begin;

    while (program < count && strchr(arguments[program], '='))
        program++;
    if (program == count)
        die("usage: spawn ITERATIONS [NAME=VALUE...] PROGRAM [ARGUMENT...]");
    environment = environment_with(&arguments[first], (size_t)(program - first));
    begin = now_ns();
    for (size_t i = 0; i < iterations; i++) {
        pid_t pid;
        int status;

        if (posix_spawn(&pid, arguments[program], NULL, NULL, &arguments[program], environment))
            die("the program cannot be started");
        if (waitpid(pid, &status, 0) != pid || status != 0)
            die("the program failed");
    }
    print_result(now_ns() - begin, iterations);
    free(environment);
    return 0;
}
