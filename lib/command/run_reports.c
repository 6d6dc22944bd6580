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

/* -- of one process -----------------------------------------------------------------------------
 */

static struct run_counts counts_of_reading(void)
{
    const uint64_t *field = reading.snapshot.field;

    return (struct run_counts){
        .began_ns = reading.live.head.began_real_ns,
        .major = (double)field[AL_FIELD_faults_major],
        .minor = (double)field[AL_FIELD_faults_minor],
        .major_after_lock = (double)field[AL_FIELD_faults_major_after_lock],
        .minor_after_lock = (double)field[AL_FIELD_faults_minor_after_lock],
        .major_after_mark = (double)field[AL_FIELD_faults_major_after_mark],
        .minor_after_mark = (double)field[AL_FIELD_faults_minor_after_mark],
        .failures = (double)(field[AL_FIELD_failures_EPERM] + field[AL_FIELD_failures_ENOMEM] +
                             field[AL_FIELD_failures_EAGAIN] + field[AL_FIELD_failures_ENOSYS] +
                             field[AL_FIELD_failures_EINVAL] + field[AL_FIELD_failures_other]),
        .downgrades = (double)reading.live.head.downgrade_count,
        .locked = (double)field[AL_FIELD_memory_locked_bytes],
        .swap = (double)field[AL_FIELD_memory_swap_bytes],
        .resident = (double)field[AL_FIELD_memory_rss_bytes],
        .unlocked = (double)field[AL_FIELD_memory_unlocked_resident_bytes],
    };
}

/* The resident part of mappings without a lock, but for those that the kernel itself put there. */
static double unlocked_of(pid_t pid)
{
    FILE *smaps = fopen(text_of("/proc/%d/smaps", (int)pid), "re");
    unsigned long resident = 0;
    double unlocked = 0;
    bool kernels = false;
    char *line = NULL;
    size_t size = 0;

    if (!smaps)
        return -1;
    while (getline(&line, &size, smaps) > 0) {
        unsigned long start;
        unsigned long end;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            kernels = strstr(line, " [v") != NULL;
        else if (sscanf(line, "Rss: %lu", &resident) != 1 && !kernels &&
                 strncmp(line, "VmFlags:", 8) == 0 && !strstr(line, " lo"))
            unlocked += (double)resident * 1024;
    }
    free(line);
    (void)fclose(smaps);
    return unlocked;
}

bool run_counts_of_process(pid_t pid, struct run_counts *ret_counts)
{
    if (al_reader_read_process(pid, &reading))
        return false;
    *ret_counts = counts_of_reading();
    ret_counts->unlocked = unlocked_of(pid);
    return true;
}

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

    if (strcmp(reading.snapshot.ended, "running") == 0 && kill(head->pid, 0) && errno == ESRCH)
        reading.snapshot.ended = head->state == AL_LIVE_ENDED ? head->ended : "killed";
}

static void each(const char *directory, void (*visit)(void *data), void *data)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;

    while (list && (entry = readdir(list))) {
        if (entry->d_name[0] == '.' ||
            al_reader_read_file(path_in(directory, entry->d_name), &reading))
            continue;
        settle();
        visit(data);
    }
    if (list)
        (void)closedir(list);
}

struct last {
    pid_t pid;
    bool found;
    bool whole; /* it has come to its end, and looked at everything */
    struct run_counts counts;
};

static void take_last(void *data)
{
    struct last *last = data;

    if (reading.live.head.pid != last->pid ||
        (last->found && reading.live.head.began_real_ns < last->counts.began_ns))
        return;
    last->found = true;
    last->whole = strcmp(reading.snapshot.ended, "killed") != 0 &&
                  strcmp(reading.snapshot.ended, "running") != 0;
    last->counts = counts_of_reading();
}

bool run_counts_of_last(const char *directory, pid_t pid, struct run_counts *ret_counts)
{
    struct last last = {.pid = pid};

    each(directory, take_last, &last);
    *ret_counts = last.counts;
    return last.whole;
}

/* -- as JSON ------------------------------------------------------------------------------------
 */

bool run_reports_can_go_to(const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *directory = !slash ? "." : text_of("%.*s", (int)(slash - path + 1), path);

    if (*path && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        errno = EISDIR;
    else if (*path && access(directory, W_OK | X_OK) == 0)
        return true;
    complain("--json %s: %s", path, strerror(errno));
    return false;
}

struct report {
    uint64_t began_ns;
    char *text;
};

struct reports {
    struct report *list;
    size_t count;
};

static void take_report(void *data)
{
    static char bytes[AL_REPORT_BYTES];
    struct al_text text = al_text_over(bytes, sizeof(bytes));
    struct reports *reports = data;
    struct report *list = allocate((reports->count + 1) * sizeof(*list));

    al_emit_json(&text, &reading.snapshot);
    if (reports->count)
        memcpy(list, reports->list, reports->count * sizeof(*list));
    free(reports->list);
    list[reports->count++] = (struct report){reading.live.head.began_real_ns, text_of("%s", bytes)};
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

    each(directory, take_report, &reports);
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

void run_reports_remove(const char *directory)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;

    while (list && (entry = readdir(list)))
        (void)unlinkat(dirfd(list), entry->d_name, 0);
    if (list)
        (void)closedir(list);
    (void)rmdir(directory);
}
