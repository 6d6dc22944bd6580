/*
 * A program that may be setuid, setgid, or have capabilities of its file:
 *
 *     rights show          what it is, and what its caller has given it
 *     rights loaded        the library, as the loader has mapped it, and what is locked
 *     rights over FILE     with a file of its own where standard error was
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STATUS = 5, WRONG = 1 };

static void show_limit(const char *name, const struct rlimit *limit)
{
    printf("%s %llu %llu\n", name, (unsigned long long)limit->rlim_cur,
           (unsigned long long)limit->rlim_max);
}

static int show(void)
{
    struct rlimit memlock;
    struct rlimit stack;

    if (getrlimit(RLIMIT_MEMLOCK, &memlock) || getrlimit(RLIMIT_STACK, &stack))
        return WRONG;
    printf("secure %lu\n", getauxval(AT_SECURE));
    printf("user %d %d, group %d %d\n", getuid(), geteuid(), getgid(), getegid());
    show_limit("memlock", &memlock);
    show_limit("stack", &stack);
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "AUTOLOCK_", strlen("AUTOLOCK_")) == 0)
            puts(*variable);
    return STATUS;
}

/* The lines of the file with this in them. */
static bool show_lines(const char *path, const char *with)
{
    FILE *file = fopen(path, "re");
    char line[4096];

    if (!file)
        return false;
    while (fgets(line, sizeof(line), file))
        if (strstr(line, with))
            (void)fputs(line, stdout);
    return fclose(file) == 0;
}

static int over(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND);

    if (fd < 0 || (fd != STDERR_FILENO && dup2(fd, STDERR_FILENO) < 0))
        return WRONG;
    return STATUS;
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";

    if (strcmp(what, "show") == 0)
        return show();
    if (strcmp(what, "over") == 0 && count > 2)
        return over(arguments[2]);
    if (strcmp(what, "loaded") == 0 && show_lines("/proc/self/maps", "/libautolock.so") &&
        show_lines("/proc/self/status", "VmLck"))
        return STATUS;
    return WRONG;
}
