#include "executable.h"

#include "sys.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

enum {
    HEAD_BYTES = 256,     /* BINPRM_BUF_SIZE: what the kernel looks at */
    INTERPRETERS_MAX = 5, /* one script's interpreter is a script, and so on: more is ELOOP */
    FACCESSAT2 = 439      /* Linux 5.8; the number is every processor's but alpha's */
};

/* By the effective user, where the kernel can be asked that. */
static bool may_execute(int directory, const char *path, int flags)
{
    long error = al_sys4(FACCESSAT2, directory, path, X_OK, flags | AT_EACCESS);

    /* Of an old kernel, or of an old sandbox that does not know the call. */
    if (error != -ENOSYS && error != -EPERM)
        return error == 0;
    return flags & AT_EMPTY_PATH || al_sys3(SYS_faccessat, directory, path, X_OK) == 0;
}

/* The file's beginning; a negative errno where there is none to be had. */
static long read_head(int directory, const char *path, int flags, char head[HEAD_BYTES])
{
    /* What is no file is not waited for, and does not become our terminal. */
    const int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int follow = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    long fd = al_sys4(SYS_openat, directory, path, how | follow, 0);
    long length;

    if (fd == -ENOENT && flags & AT_EMPTY_PATH)
        return al_sys6(SYS_pread64, directory, (long)head, HEAD_BYTES, 0, 0, 0);
    if (fd < 0)
        return fd;
    length = al_sys6(SYS_pread64, fd, (long)head, HEAD_BYTES, 0, 0, 0);
    al_sys1(SYS_close, fd);
    return length;
}

/* Executable all the same: not readable, no descriptor left, or one that was opened otherwise. */
static bool is_unknown(long error)
{
    return error == -EACCES || error == -EPERM || error == -EMFILE || error == -ENFILE ||
           error == -EBADF;
}

/* As the kernel tells texts from what some program may be registered for (binfmt_misc). */
static bool is_text(const char *head, size_t length)
{
    for (size_t i = 0; i < length && i < 4; i++)
        if (head[i] != '\t' && head[i] != '\n' && (head[i] < ' ' || head[i] > '~'))
            return false;
    return true;
}

/* The path behind "#!", terminated in place, or NULL: there is none. */
static const char *interpreter_in(char head[HEAD_BYTES], size_t length)
{
    char *path = head + 2;
    size_t end;

    head[length < HEAD_BYTES ? length : HEAD_BYTES - 1] = '\0';
    path += strspn(path, " \t");
    end = strcspn(path, " \t\n");
    path[end] = '\0';
    return end ? path : NULL;
}

bool al_executable(int directory, const char *path, int flags, enum al_text_file text)
{
    char head[HEAD_BYTES] = {0};

    for (int i = 0; i <= INTERPRETERS_MAX; i++) {
        long length;

        if (!may_execute(directory, path, flags))
            return false;
        length = read_head(directory, path, flags, head);
        if (length < 0)
            return is_unknown(length);
        if (length < 2 || head[0] != '#' || head[1] != '!')
            return text == AL_TEXT_RUNS || !is_text(head, (size_t)length);
        path = interpreter_in(head, (size_t)length);
        if (!path)
            return text == AL_TEXT_RUNS;
        directory = AT_FDCWD;
        flags = 0;
    }
    return false;
}

/* `candidate` has room for each of the names. */
static bool any_of(const char *search, const char *name, char *candidate, size_t longest)
{
    for (;;) {
        size_t length = strcspn(search, ":");
        size_t end = length;

        /* An empty one is the working directory; libc leaves out what is too long. */
        if (length <= longest) {
            memcpy(candidate, search, length);
            if (length)
                candidate[end++] = '/';
            memcpy(candidate + end, name, strlen(name) + 1);
            if (al_executable(AT_FDCWD, candidate, 0, AL_TEXT_RUNS))
                return true;
        }
        if (!search[length])
            return false;
        search += length + 1;
    }
}

bool al_executable_in(const char *search, const char *name)
{
    size_t longest;

    if (strchr(name, '/'))
        return al_executable(AT_FDCWD, name, 0, AL_TEXT_RUNS);
    if (!*name || strlen(name) > NAME_MAX)
        return false;
    if (!search)
        search = "/bin:/usr/bin";
    /* Not PATH_MAX bytes: stacks may be as small as a signal handler's. */
    longest = strnlen(search, PATH_MAX - 1);
    return any_of(search, name, __builtin_alloca(longest + strlen(name) + 2), longest);
}
