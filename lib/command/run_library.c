#include "run.h"

#include "command.h"
#include "memory.h"
#include "sanitizer_libraries.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY    "libautolock.so"

/* What the loader takes for the end of a path. */
#define SEPARATORS " :"

/* `directory`/LIBRARY with no symbolic link in the directory, if it is there. */
static const char *library_in(const char *directory)
{
    char resolved[PATH_MAX];
    const char *path;

    if (!realpath(directory, resolved))
        return NULL;
    path = text_of("%s/" LIBRARY, resolved);
    return access(path, F_OK) ? NULL : path;
}

/* This file. Where /proc is not there, as it was called: the kernel has kept that. */
static bool own_path(char (*ret_path)[PATH_MAX])
{
    const char *called = (const char *)getauxval(AT_EXECFN); /* NOLINT(performance-no-int-to-ptr) */
    ssize_t length = readlink("/proc/self/exe", *ret_path, sizeof(*ret_path) - 1);

    if (length > 0) {
        (*ret_path)[length] = '\0';
        return true;
    }
    return called && realpath(called, *ret_path);
}

/* From where this file lies: of a build tree, or of an installed one that may have been moved. */
static const char *library_beside(const char *from_here)
{
    char self[PATH_MAX];
    char *slash;

    if (!own_path(&self))
        return NULL;
    slash = strrchr(self, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return library_in(text_of("%s/%s", self, from_here));
}

/* Not resolved: a link may be there because the loader could not read the path of the file. */
static const char *from_root(const char *path)
{
    char directory[PATH_MAX];

    if (*path == '/' || !getcwd(directory, sizeof(directory)))
        return path;
    return text_of("%s/%s", directory, path);
}

static bool is_library(const char *path)
{
    Elf64_Ehdr head; /* begins as the one of 32 bits does */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length;

    if (fd < 0) {
        complain("the library %s cannot be read: %s", path, strerror(errno));
        return false;
    }
    length = read(fd, &head, sizeof(head));
    (void)close(fd);
    if (length != (ssize_t)sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_type != ET_DYN) {
        complain("%s is no library", path);
        return false;
    }
    return true;
}

const char *run_library_find(const char *asked)
{
    const char *path = asked ? from_root(asked) : library_beside("../lib");

    if (!path)
        path = library_beside(AUTOLOCK_LIBDIR_FROM_BINDIR);
    if (!path)
        path = library_in(AUTOLOCK_LIBDIR);
    if (!path) {
        complain(LIBRARY " is neither beside this command nor in " AUTOLOCK_LIBDIR
                         "; --library PATH says where it is");
        return NULL;
    }
    if (!is_library(path))
        return NULL;
    if (path[strcspn(path, SEPARATORS)]) {
        complain("%s cannot be preloaded: to the loader a blank or a colon ends a path; what "
                 "helps: a symbolic link from elsewhere, and its path with --library",
                 path);
        return NULL;
    }
    return path;
}

/* -- LD_PRELOAD ------------------------------------------------------------------------------- */

struct entry {
    const char *start;
    size_t length;
};

/* False at the end. */
static bool next_entry(const char **list, struct entry *ret_entry)
{
    *list += strspn(*list, SEPARATORS);
    *ret_entry = (struct entry){.start = *list, .length = strcspn(*list, SEPARATORS)};
    *list += ret_entry->length;
    return ret_entry->length > 0;
}

static const char *base_name(const struct entry *entry)
{
    const char *slash = memrchr(entry->start, '/', entry->length);

    return slash ? slash + 1 : entry->start;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first;
    struct stat second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static bool is_ours(const struct entry *entry, const char *library)
{
    return is_same_file(text_of("%.*s", (int)entry->length, entry->start), library);
}

/*
 * Before what is there: only the first library sees the program's calls of malloc, and ours hands
 * them on to the next. But behind the runtimes of sanitizers, which must come first.
 */
char *run_library_preload(const char *library, const char *present)
{
    const char *rest = present ? present : "";
    const char *place = NULL;
    struct entry entry;

    while (next_entry(&rest, &entry)) {
        if (is_ours(&entry, library))
            return text_of("%s", present);
        if (!place && !sanitizer_is_library(base_name(&entry)))
            place = entry.start;
    }
    present = present ? present : "";
    if (place)
        return text_of("%.*s%s:%s", (int)(place - present), present, library, place);
    return text_of("%s%s%s", present, *present ? ":" : "", library);
}
