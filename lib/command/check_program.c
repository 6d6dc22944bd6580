#include "check_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 256, /* BINPRM_BUF_SIZE: what the kernel looks at */
    HOPS_MAX = 6      /* interpreters of interpreters; env counts as one */
};

static const char usual_search[] = "/bin:/usr/bin";

/* -- which file ----------------------------------------------------------------------------- */

/* Of one that is there and may not be executed the path is kept, in case there is no other. */
static bool may_execute(struct check_program *program, const char *path)
{
    struct stat status;

    if (stat(path, &status))
        return false;
    program->directory = S_ISDIR(status.st_mode);
    program->kind = S_ISREG(status.st_mode) ? CHECK_FILE_FORBIDDEN : CHECK_FILE_NO_FILE;
    (void)snprintf(program->started, sizeof(program->started), "%s", path);
    return S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* As execvp does it: what may not be executed does not end the search. */
static bool find(struct check_program *program, const char *name, const char *search)
{
    char path[PATH_MAX];

    program->kind = CHECK_FILE_MISSING;
    (void)snprintf(program->started, sizeof(program->started), "%s", name);
    if (!*name)
        return false;
    if (strchr(name, '/'))
        return may_execute(program, name);
    for (search = search ? search : usual_search;; search++) {
        int length = (int)strcspn(search, ":");
        int made =
            snprintf(path, sizeof(path), "%.*s%s%s", length, search, length ? "/" : "./", name);

        if (made < (int)sizeof(path) && may_execute(program, path))
            return true;
        search += length;
        if (!*search)
            break;
    }
    /* A directory of the name is nothing that a shell would name. */
    if (program->kind == CHECK_FILE_NO_FILE)
        program->kind = CHECK_FILE_MISSING;
    return false;
}

/* -- scripts -------------------------------------------------------------------------------- */

/* Ends the word at `*at` and moves on behind it; NULL: there is none. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");
    size_t length = strcspn(word, " \t");

    if (!length)
        return NULL;
    *at = word + length;
    if (**at)
        *(*at)++ = '\0';
    return word;
}

/* What `env ARGUMENT…` starts: neither an option nor a variable of the environment. */
static char *started_by_env(char *at)
{
    char *word;

    while ((word = next_word(&at)))
        if (*word != '-' && !strchr(word, '='))
            return word;
    return NULL;
}

static bool is_env(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash ? slash + 1 : path, "env") == 0;
}

/* Texts without "#!" are read by a shell, if one starts them. */
static bool is_text(const char *head, ssize_t length)
{
    for (ssize_t i = 0; i < length; i++)
        if (head[i] != '\t' && head[i] != '\n' && head[i] != '\r' &&
            ((unsigned char)head[i] < ' ' || head[i] == '\177'))
            return false;
    return length > 0;
}

/* What a script is run by, or NULL: it is none, or names none. */
static const char *interpreter_of(char head[HEAD_BYTES + 1], ssize_t length, bool *ret_by_env)
{
    char *at = head + 2;
    char *path;

    if (length < 2 || head[0] != '#' || head[1] != '!')
        return is_text(head, length) ? "/bin/sh" : NULL;
    head[strcspn(head, "\n")] = '\0';
    path = next_word(&at);
    *ret_by_env = path && is_env(path);
    return *ret_by_env ? started_by_env(at) : path;
}

/* -- what gives rights ---------------------------------------------------------------------- */

static uint64_t set_of(uint32_t low, uint32_t high)
{
    return (uint64_t)le32toh(high) << 32 | le32toh(low);
}

/*
 * Those that count in this user namespace: of others the kernel shows the third version, or
 * nothing.
 */
static void read_capabilities(struct check_program *program, int fd)
{
    struct vfs_ns_cap_data data = {0};
    ssize_t length = fgetxattr(fd, "security.capability", &data, sizeof(data));
    uint32_t magic = le32toh(data.magic_etc);
    uint32_t revision = magic & VFS_CAP_REVISION_MASK;

    if (length < (ssize_t)XATTR_CAPS_SZ_1 ||
        (revision != VFS_CAP_REVISION_1 && revision != VFS_CAP_REVISION_2))
        return;
    program->capabilities.any = true;
    program->capabilities.effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
    program->capabilities.permitted = set_of(data.data[0].permitted, data.data[1].permitted);
    program->capabilities.inheritable = set_of(data.data[0].inheritable, data.data[1].inheritable);
}

static void read_rights(struct check_program *program, int fd)
{
    struct stat status;
    struct statvfs system;

    if (fstat(fd, &status))
        return;
    program->mode = status.st_mode;
    program->owner = status.st_uid;
    program->group = status.st_gid;
    program->nosuid = fstatvfs(fd, &system) == 0 && system.f_flag & ST_NOSUID;
    read_capabilities(program, fd);
}

/* -- the program ---------------------------------------------------------------------------- */

static void read_elf(struct check_program *program, int fd)
{
    const char *interpreter = program->elf.interpreter;

    elf_file_read(fd, ELF_FILE_WHOLE, &program->elf);
    program->interpreter_missing =
        *interpreter && !program->elf.other_processor && access(interpreter, F_OK) != 0;
}

/* "AI" in the padding of the ELF header, and the type behind it. */
static bool is_appimage(const char *head, ssize_t length)
{
    return length > 10 && memcmp(head, "\177ELF", 4) == 0 && head[8] == 'A' && head[9] == 'I';
}

/* One file: returns what it is run by, or NULL when this is the end. */
static const char *read_file(struct check_program *program, char head[HEAD_BYTES + 1],
                             bool *ret_by_env)
{
    int fd = open(program->started, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *interpreter = NULL;
    ssize_t length;

    *ret_by_env = false;
    if (fd < 0) {
        program->kind = CHECK_FILE_UNREADABLE;
        return NULL;
    }
    length = pread(fd, head, HEAD_BYTES, 0);
    head[length < 0 ? 0 : length] = '\0';
    if (length >= 4 && memcmp(head, "\177ELF", 4) == 0) {
        program->kind = CHECK_FILE_PROGRAM;
        program->appimage = is_appimage(head, length);
        read_rights(program, fd);
        read_elf(program, fd);
    } else {
        program->kind = CHECK_FILE_UNKNOWN;
        interpreter = interpreter_of(head, length, ret_by_env);
    }
    (void)close(fd);
    return interpreter;
}

static void follow(struct check_program *program, const char *search)
{
    char head[HEAD_BYTES + 1];
    bool by_env;

    for (int hops = 0; hops < HOPS_MAX; hops++) {
        const char *next = read_file(program, head, &by_env);

        if (!next)
            return;
        program->script = true;
        /* The kernel looks for an interpreter nowhere, env does. */
        if (!by_env && !strchr(next, '/')) {
            program->kind = CHECK_FILE_MISSING;
            (void)snprintf(program->started, sizeof(program->started), "%s", next);
            return;
        }
        if (!find(program, next, search))
            return;
    }
    program->kind = CHECK_FILE_LOOP;
}

void check_program_read(struct check_program *ret, const char *name, const char *search)
{
    memset(ret, 0, sizeof(*ret));
    ret->name = name;
    if (find(ret, name, search))
        follow(ret, search);
    if (!realpath(ret->started, ret->file))
        memcpy(ret->file, ret->started, sizeof(ret->file));
}
