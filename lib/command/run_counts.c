#include "run_counts.h"

#include "memory.h"
#include "run_reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct al_reading reading;

double run_coverage(double resident, double unlocked)
{
    if (unlocked < 0)
        return -1;
    if (resident <= 0)
        return 100;
    return unlocked > resident ? 0 : 100 * (resident - unlocked) / resident;
}

struct run_counts run_counts_of(const struct al_reading *found)
{
    const uint64_t *field = found->snapshot.field;

    return (struct run_counts){
        .began_ns = found->live.head.began_real_ns,
        .major = (double)field[AL_FIELD_faults_major],
        .minor = (double)field[AL_FIELD_faults_minor],
        .major_after_lock = (double)field[AL_FIELD_faults_major_after_lock],
        .minor_after_lock = (double)field[AL_FIELD_faults_minor_after_lock],
        .major_after_mark = (double)field[AL_FIELD_faults_major_after_mark],
        .minor_after_mark = (double)field[AL_FIELD_faults_minor_after_mark],
        .failures = (double)(field[AL_FIELD_failures_EPERM] + field[AL_FIELD_failures_ENOMEM] +
                             field[AL_FIELD_failures_EAGAIN] + field[AL_FIELD_failures_ENOSYS] +
                             field[AL_FIELD_failures_EINVAL] + field[AL_FIELD_failures_other]),
        .downgrades = (double)found->live.head.downgrade_count,
        .locked = (double)field[AL_FIELD_memory_locked_bytes],
        .swap = (double)field[AL_FIELD_memory_swap_bytes],
        .resident = (double)field[AL_FIELD_memory_rss_bytes],
        .unlocked = (double)field[AL_FIELD_memory_unlocked_resident_bytes],
    };
}

/* The resident part of mappings without a lock, but for those that the kernel itself put there. */
double run_counts_unlocked(pid_t pid)
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
    *ret_counts = run_counts_of(&reading);
    ret_counts->unlocked = run_counts_unlocked(pid);
    return true;
}

struct last {
    pid_t pid;
    bool found;
    bool whole; /* it has come to its end, and looked at everything */
    struct run_counts counts;
};

static void take_last(const struct al_reading *found, void *data)
{
    struct last *last = data;

    if (found->live.head.pid != last->pid ||
        (last->found && found->live.head.began_real_ns < last->counts.began_ns))
        return;
    last->found = true;
    last->whole = strcmp(found->snapshot.ended, "killed") != 0 &&
                  strcmp(found->snapshot.ended, "running") != 0;
    last->counts = run_counts_of(found);
}

bool run_counts_of_last(const char *directory, pid_t pid, struct run_counts *ret_counts)
{
    struct last last = {.pid = pid};

    (void)run_reports_each(directory, take_last, &last);
    *ret_counts = last.counts;
    return last.whole;
}
