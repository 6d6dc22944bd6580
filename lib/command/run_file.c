#include "run_file.h"

#include "elf_file.h"
#include "memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 256,    /* what the kernel looks at */
    INTERPRETERS_MAX = 5 /* one script's interpreter is a script, and so on: more is ELOOP */
};

/* The interpreter of a script, or NULL: it is none. */
static const char *interpreter_of(const char *path)
{
    char head[HEAD_BYTES] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *start = head + 2;
    ssize_t length;

    if (fd < 0)
        return NULL;
    length = read(fd, head, sizeof(head) - 1);
    (void)close(fd);
    if (length < 2 || head[0] != '#' || head[1] != '!')
        return NULL;
    start += strspn(start, " \t");
    return text_of("%.*s", (int)strcspn(start, " \t\n"), start);
}

/*
 * Whether the program is going to have more rights than its caller, so that the loader does not
 * listen to him. Root gains nothing by a file's capabilities.
 */
static const char *rights_of(const char *path)
{
    struct stat status;
    struct statvfs system;

    if (geteuid() != getuid() || getegid() != getgid())
        return "this command itself is setuid or setgid, and then the loader ignores LD_PRELOAD";
    if (stat(path, &status) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
        (statvfs(path, &system) == 0 && system.f_flag & ST_NOSUID))
        return NULL;
    if (status.st_mode & S_ISUID && status.st_uid != getuid())
        return "it is setuid, and then the loader ignores LD_PRELOAD";
    if (status.st_mode & S_ISGID && status.st_mode & S_IXGRP && status.st_gid != getgid())
        return "it is setgid, and then the loader ignores LD_PRELOAD";
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return "its file has capabilities, and then the loader ignores LD_PRELOAD; ambient ones "
               "do not have it do so";
    return NULL;
}

/* False: there is nothing to be known of it. */
static bool read_elf(const char *path, struct elf_file *ret_elf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return false;
    elf_file_read(fd, ELF_FILE_LOADING, ret_elf);
    (void)close(fd);
    return ret_elf->elf && !ret_elf->damaged && !ret_elf->relocatable;
}

static const char *differs(const struct elf_file *program, const struct elf_file *library)
{
    if (program->bits != library->bits)
        return text_of("it is a program of %u bits, and the library is one of %u", program->bits,
                       library->bits);
    if (program->machine != library->machine)
        return "it is a program for another processor than the library";
    return NULL;
}

struct run_file run_file_look(const char *path, const char *library)
{
    struct run_file file = {.runs = path};
    struct elf_file program;
    struct elf_file ours;

    for (int i = 0; i < INTERPRETERS_MAX; i++) {
        const char *interpreter = interpreter_of(file.runs);

        if (!interpreter)
            break;
        file.runs = interpreter;
    }
    if (access(file.runs, F_OK)) {
        file.missing = true;
        return file;
    }
    file.hinders = rights_of(file.runs);
    if (!read_elf(file.runs, &program))
        return file;
    if (*program.interpreter)
        file.loader = text_of("%s", program.interpreter);
    file.missing = file.loader && access(file.loader, F_OK);
    if (!file.hinders && read_elf(library, &ours))
        file.hinders = differs(&program, &ours);
    if (!file.hinders && !file.loader && !program.is_library)
        file.hinders = "it is a static program, and nothing can be preloaded into those";
    if (!file.hinders && program.sanitizer) {
        file.said = true;
        file.hinders = text_of("it is built with %s", program.sanitizer);
    }
    return file;
}
