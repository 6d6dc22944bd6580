/*
 * Another program takes this one's place: what was counted so far is reported before, as nothing is
 * left to report it afterwards.
 *
 * In a child of vfork, whose memory is its parent's, nothing happens but that the parent counts.
 */
#include "counters.h"
#include "ends.h"
#include "export.h"
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

static void executing(int directory, const char *path, int flags)
{
    al_count(AL_COUNT_children_exec);
    al_ends_exec(directory, path, flags);
}

static void executing_found(const char *name)
{
    al_count(AL_COUNT_children_exec);
    al_ends_exec_search(name);
}

/* The process goes on as it was. */
static int came_back(int result)
{
    al_ends_exec_failed();
    return result;
}

/* What is no bare system call may be asked for before it is known, or where libc does not have it.
 */
#define RESOLVED(name) (al_real_resolve() && al_real.name)

static int not_there(void)
{
    errno = ENOSYS;
    return -1;
}

AL_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    executing(AT_FDCWD, path, 0);
    return came_back(al_real.execve(path, argv, envp));
}

/* libc has it, and says so, from glibc 2.34 on. */
// NOLINTNEXTLINE(readability-redundant-declaration)
int execveat(int directory, const char *path, char *const argv[], char *const envp[], int flags);

AL_EXPORT int execveat(int directory, const char *path, char *const argv[], char *const envp[],
                       int flags)
{
    executing(directory, path, flags);
    return came_back(al_real.execveat(directory, path, argv, envp, flags));
}

AL_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    if (!RESOLVED(fexecve))
        return not_there();
    executing(fd, "", AT_EMPTY_PATH);
    return came_back(al_real.fexecve(fd, argv, envp));
}

static int execute(const char *path, char *const argv[])
{
    executing(AT_FDCWD, path, 0);
    return came_back(RESOLVED(execv) ? al_real.execv(path, argv)
                                     : al_real.execve(path, argv, environ));
}

AL_EXPORT int execv(const char *path, char *const argv[])
{
    return execute(path, argv);
}

static int search_and_execute(const char *name, char *const argv[])
{
    if (!RESOLVED(execvp))
        return not_there();
    executing_found(name);
    return came_back(al_real.execvp(name, argv));
}

AL_EXPORT int execvp(const char *name, char *const argv[])
{
    return search_and_execute(name, argv);
}

AL_EXPORT int execvpe(const char *name, char *const argv[], char *const envp[])
{
    if (!RESOLVED(execvpe))
        return not_there();
    executing_found(name);
    return came_back(al_real.execvpe(name, argv, envp));
}

/* -- arguments one by one ------------------------------------------------------------------- */

/* Of a list that ends with NULL, which is counted. */
static size_t count(const char *first, va_list list)
{
    size_t length = 1;

    for (; first; length++)
        first = va_arg(list, const char *);
    return length;
}

static void copy(char **argv, const char *first, va_list *list)
{
    for (*argv = (char *)first; *argv;)
        *++argv = va_arg(*list, char *);
}

/*
 * Declares argv, made of the arguments from `first` on, and leaves `list` behind their NULL. As
 * libc does it: on the stack, since exec may be called where nothing can be allocated.
 */
#define ARGV_OF(first, list)                                                                       \
    char **argv;                                                                                   \
    va_list list;                                                                                  \
    va_start(list, first);                                                                         \
    argv = __builtin_alloca(count(first, list) * sizeof(char *));                                  \
    va_end(list);                                                                                  \
    va_start(list, first);                                                                         \
    copy(argv, first, &(list))

AL_EXPORT int execl(const char *path, const char *first, ...)
{
    ARGV_OF(first, list);
    va_end(list);
    return execute(path, argv);
}

AL_EXPORT int execlp(const char *name, const char *first, ...)
{
    ARGV_OF(first, list);
    va_end(list);
    return search_and_execute(name, argv);
}

AL_EXPORT int execle(const char *path, const char *first, ...)
{
    char *const *envp;

    ARGV_OF(first, list);
    envp = va_arg(list, char *const *);
    va_end(list);
    executing(AT_FDCWD, path, 0);
    return came_back(al_real.execve(path, argv, envp));
}
