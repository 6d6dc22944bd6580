#include "run_reports.h"

#include "command.h"
#include "emit.h"
#include "memory.h"
#include "reader.h"
#include "replace.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct al_reading reading;

/* -- of all that have left a file ---------------------------------------------------------------
 */

static const char *path_in(const char *directory, const char *name)
{
    return text_of("%s/%s", directory, name);
}

/*
 * The file of a process is locked until the kernel has taken its memory down, which may be a moment
 * after its end was told, if somebody was looking at it.
 */
static void settle(void)
{
    const struct al_live_head *head = &reading.live.head;

    if (strcmp(reading.snapshot.ended, "running") == 0 && kill(head->pid, 0) && errno == ESRCH) {
        reading.snapshot.ended = head->state == AL_LIVE_ENDED ? head->ended : "killed";
        reading.current = head->state == AL_LIVE_ENDED;
    }
}

size_t run_reports_each(const char *directory, run_reports_visit *visit, void *data)
{
    size_t unreadable = 0;
    DIR *list = opendir(directory);
    const struct dirent *entry;

    while (list && (entry = readdir(list))) {
        if (entry->d_name[0] == '.')
            continue;
        if (al_reader_read_file(path_in(directory, entry->d_name), &reading)) {
            unreadable++;
            continue;
        }
        settle();
        visit(&reading, data);
    }
    if (list)
        (void)closedir(list);
    return unreadable;
}

/* -- as JSON ------------------------------------------------------------------------------------
 */

/* As al_replace() will do it: a regular file is replaced, what is none is written to. */
static const char *why_not(const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *directory = !slash ? "." : text_of("%.*s", (int)(slash - path + 1), path);
    bool there = lstat(path, &status) == 0;

    if (!*path)
        return strerror(ENOENT);
    if (there && S_ISLNK(status.st_mode))
        return "it is a symbolic link, which is neither followed nor replaced; what helps: the "
               "path "
               "that it stands for";
    if (there && S_ISDIR(status.st_mode))
        return strerror(EISDIR);
    if (there && !S_ISREG(status.st_mode))
        return access(path, W_OK) ? strerror(errno) : NULL;
    return access(directory, W_OK | X_OK) ? strerror(errno) : NULL;
}

bool run_reports_can_go_to(const char *option, const char *path)
{
    const char *why = why_not(path);

    if (why)
        complain("%s %s: %s", option, *path ? path : "\"\"", why);
    return !why;
}

struct report {
    uint64_t began_ns;
    char *text;
};

struct reports {
    struct report *list;
    size_t count;
};

static void take_report(const struct al_reading *found, void *data)
{
    static char bytes[AL_REPORT_BYTES];
    struct al_text text = al_text_over(bytes, sizeof(bytes));
    struct reports *reports = data;
    struct report *list = allocate((reports->count + 1) * sizeof(*list));

    al_emit_json(&text, &found->snapshot);
    if (reports->count)
        memcpy(list, reports->list, reports->count * sizeof(*list));
    free(reports->list);
    list[reports->count++] = (struct report){found->live.head.began_real_ns, text_of("%s", bytes)};
    reports->list = list;
}

static int by_beginning(const void *a, const void *b)
{
    const struct report *first = a;
    const struct report *second = b;

    return (first->began_ns > second->began_ns) - (first->began_ns < second->began_ns);
}

bool run_reports_write(const char *directory, const char *path)
{
    struct reports reports = {0};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    int error = out ? 0 : -ENOMEM;

    (void)run_reports_each(directory, take_report, &reports);
    if (reports.count)
        qsort(reports.list, reports.count, sizeof(*reports.list), by_beginning);
    for (size_t i = 0; out && i < reports.count; i++)
        (void)fputs(reports.list[i].text, out);
    if (out && fclose(out))
        error = -ENOMEM;
    if (!error)
        error = al_replace(text_of("%s", path), bytes, length);
    free(bytes);
    if (error)
        complain("--json %s: %s", path, strerror(-error));
    return !error;
}
