#include "run_file.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than any list of libraries takes. */
enum { LIST_BYTES = 1 << 18 };

static bool spawn(pid_t *ret_pid, int out, char **arguments, char **environment)
{
    posix_spawn_file_actions_t actions;
    bool spawned;

    if (posix_spawn_file_actions_init(&actions))
        return false;
    spawned = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
              posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO) == 0 &&
              posix_spawn(ret_pid, arguments[0], &actions, NULL, arguments, environment) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    return spawned;
}

static void read_all(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    ssize_t more;

    while ((more = read(fd, buffer + length, size - 1 - length)) > 0 ||
           (more < 0 && errno == EINTR))
        length += more > 0 ? (size_t)more : 0;
    buffer[length] = '\0';
}

/* What it prints, and whether it came to its end. */
static bool list_libraries(const struct run_file *file, char **environment, char *buffer,
                           size_t size)
{
    char *arguments[] = {text_of("%s", file->loader), text_of("--list"), text_of("%s", file->runs),
                         NULL};
    int status = -1;
    int ends[2];
    pid_t pid;
    bool spawned;

    if (pipe2(ends, O_CLOEXEC))
        return false;
    spawned = spawn(&pid, ends[1], arguments, environment);
    (void)close(ends[1]);
    if (spawned)
        read_all(ends[0], buffer, size);
    (void)close(ends[0]);
    while (spawned && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return spawned && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The list has a line for each library that is loaded; the loader's complaints name it too. */
static bool has_line_of(const char *list, const char *library)
{
    size_t length = strlen(library);

    for (const char *at = strstr(list, library); at; at = strstr(at + 1, library))
        if (at > list && (at[-1] == '\t' || at[-1] == ' ') &&
            (strncmp(at + length, " (0x", 4) == 0 || strncmp(at + length, " => ", 4) == 0))
            return true;
    return false;
}

const char *run_file_try(const struct run_file *file, const char *library, char **environment)
{
    char *list = allocate(LIST_BYTES);
    const char *complaint;

    if (!file->loader || !list_libraries(file, environment, list, LIST_BYTES) ||
        has_line_of(list, library))
        return NULL;
    complaint = strstr(list, "ERROR: ");
    if (complaint)
        return text_of("its loader says: %.*s", (int)strcspn(complaint, "\n"), complaint);
    return text_of("its loader (%s) does not preload it", file->loader);
}
