#include "run.h"

#include "command.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What execvp(3) takes where there is no PATH. */
#define USUAL_PATH "/bin:/usr/bin"

/* 0, or the errno that would come of executing it. */
static int look_at(const char *path)
{
    struct stat status;

    if (stat(path, &status))
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
}

static bool is_absence(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

/* As execvp(3): a file that may not be executed is passed over, and remembered. */
static int look_in(const char *search, const char *name, char **ret_path)
{
    int found = ENOENT;

    for (;;) {
        size_t length = strcspn(search, ":");
        char *path = text_of("%.*s%s%s", (int)length, search, length ? "/" : "", name);
        int error = look_at(path);

        if (!error) {
            *ret_path = path;
            return 0;
        }
        /* A directory of that name is nothing that was meant. */
        if (!is_absence(error) && error != EISDIR)
            found = error;
        if (!search[length])
            return found;
        search += length + 1;
    }
}

int run_search(const char *name, const char *search, char **ret_path)
{
    int error;

    if (strchr(name, '/')) {
        *ret_path = text_of("%s", name);
        error = look_at(name);
    } else {
        error = *name ? look_in(search ? search : USUAL_PATH, name, ret_path) : ENOENT;
    }
    if (!error)
        return RUN_ON;
    complain("%s: %s", *name ? name : "\"\"", strerror(error));
    return is_absence(error) ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}
