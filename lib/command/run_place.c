#include "run_place.h"

#include "command.h"
#include "live.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever runs on may put one more file there between the last look and the end of the directory.
 */
enum { ATTEMPTS = 100 };

/* Locked for as long as this command is there, however it ends. */
static int lock = -1;

/* -- taking away --------------------------------------------------------------------------------
 */

static void empty(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    while (list && (entry = readdir(list)))
        (void)unlinkat(directory, entry->d_name, 0);
    if (list)
        (void)closedir(list);
    else if (fd >= 0)
        (void)close(fd);
}

static void take_away(const char *path, int directory)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        empty(directory);
        if (rmdir(path) == 0 || errno != ENOTEMPTY)
            break;
    }
}

void run_place_remove(const char *path)
{
    take_away(path, lock);
    (void)close(lock);
    lock = -1;
}

/* -- what others have left ----------------------------------------------------------------------
 */

static int open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Ours, and nobody holds it any more. */
static void take_away_if_left(const char *path)
{
    int directory = open_directory(path);
    struct stat status;

    if (directory < 0)
        return;
    if (fstat(directory, &status) == 0 && status.st_uid == geteuid() &&
        flock(directory, LOCK_EX | LOCK_NB) == 0)
        take_away(path, directory);
    (void)close(directory);
}

static void take_away_what_is_left(const char *where)
{
    DIR *list = opendir(where);
    const struct dirent *entry;

    while (list && (entry = readdir(list)))
        if (strncmp(entry->d_name, AL_LIVE_OF_RUN, strlen(AL_LIVE_OF_RUN)) == 0)
            take_away_if_left(text_of("%s/%s", where, entry->d_name));
    if (list)
        (void)closedir(list);
}

/* -- making -------------------------------------------------------------------------------------
 */

/* Before it was locked somebody else may have taken it for one that is left: then once more. */
static char *make_in(const char *where)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        char *path = text_of("%s/" AL_LIVE_OF_RUN "XXXXXX", where);
        struct stat status;

        if (!mkdtemp(path))
            return NULL;
        lock = open_directory(path);
        if (lock < 0 && errno == ENOENT)
            continue;
        if (lock < 0) {
            (void)rmdir(path);
            return NULL;
        }
        (void)flock(lock, LOCK_SH);
        if (fstat(lock, &status) == 0 && status.st_nlink)
            return path;
        (void)close(lock);
    }
    errno = EAGAIN;
    return NULL;
}

/* In memory, where there is such a place: the counters are written all the time. */
char *run_place_make(void)
{
    static const char memory[] = "/dev/shm";
    const char *temporary = getenv("TMPDIR");
    char *path = make_in(memory);

    if (path) {
        take_away_what_is_left(memory);
        return path;
    }
    temporary = temporary && *temporary ? temporary : "/tmp";
    path = make_in(temporary);
    if (path)
        take_away_what_is_left(temporary);
    else
        complain("there is no place for the program's counters: %s", strerror(errno));
    return path;
}
