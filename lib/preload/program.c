#include "program.h"

#include "options.h"
#include "programs.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

/* Where symbolic links have led to, as in /proc/self/exe. */
static const char *file_that_runs(char *buffer, size_t size)
{
    long length = al_sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buffer, size - 1);

    if (length < 0)
        return NULL;
    buffer[length] = '\0';
    return buffer;
}

/* A path without a beginning gets the working directory's; "./" at its beginning goes. */
static const char *what_was_started(char *buffer, size_t size)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    struct al_text text = al_text_over(buffer, size);
    long length;

    if (!path || *path == '/')
        return path;
    /* The kernel counts the terminator. */
    length = al_sys2(SYS_getcwd, buffer, size);
    if (length <= 1 || buffer[0] != '/')
        return path;
    text.length = (size_t)length - 1;
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (text.length > 1)
        al_text_char(&text, '/');
    al_text_string(&text, path);
    return buffer;
}

bool al_program_included(const char *list)
{
    char started[AL_OPTION_PATH_SIZE];
    char running[AL_OPTION_PATH_SIZE];
    const char *names[2];

    /* The default, and no reason to ask the kernel. */
    if (strcmp(list, "*") == 0)
        return true;
    names[0] = what_was_started(started, sizeof(started));
    names[1] = file_that_runs(running, sizeof(running));
    return al_programs_include(list, names, 2);
}
