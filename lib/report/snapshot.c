#include "snapshot.h"

#include "large.h"
#include "mark.h"
#include "procfs.h"
#include "sys.h"
#include "unlocked.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

void al_faults_read(uint64_t *ret_minor, uint64_t *ret_major)
{
    struct rusage usage;

    memset(&usage, 0, sizeof(usage));
    al_sys2(SYS_getrusage, RUSAGE_SELF, &usage);
    *ret_minor = (uint64_t)usage.ru_minflt;
    *ret_major = (uint64_t)usage.ru_majflt;
}

/* Where a histogram's figures stand in the report. */
struct place {
    enum al_timed timed;
    enum al_field p50_ns;
    enum al_field p99_ns;
    enum al_field p999_ns;
    enum al_field max_ns;
};

#define PLACE(call)                                                                                \
    {                                                                                              \
        AL_TIMED_##call, AL_FIELD_syscalls_##call##_p50_ns, AL_FIELD_syscalls_##call##_p99_ns,     \
            AL_FIELD_syscalls_##call##_p999_ns, AL_FIELD_syscalls_##call##_max_ns                  \
    }

static const struct place places[] = {
    PLACE(mlock2),
    PLACE(munlock),
    PLACE(mlockall),
    PLACE(madvise),
    PLACE(msync),
    {AL_TIMED_hooks, AL_FIELD_hooks_p50_ns, AL_FIELD_hooks_p99_ns, AL_FIELD_hooks_p999_ns,
     AL_FIELD_hooks_max_ns},
};

static_assert(sizeof(places) / sizeof(places[0]) == AL_TIMED_TOTAL, "each has its place");

static void fill_times(uint64_t *field, const struct al_live *live)
{
    for (size_t i = 0; i < AL_TIMED_TOTAL; i++) {
        const struct place *place = &places[i];
        struct al_times times = {0};

        if (al_live_has_times(live, place->timed))
            times = al_histogram_look(&live->histogram[place->timed]);

        field[place->p50_ns] = times.p50_ns;
        field[place->p99_ns] = times.p99_ns;
        field[place->p999_ns] = times.p999_ns;
        field[place->max_ns] = times.max_ns;
    }
}

void al_snapshot_look(struct al_snapshot *snapshot, const struct al_live *live)
{
    snapshot->head = &live->head;
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        snapshot->field[i] = __atomic_load_n(&live->head.field[i], __ATOMIC_RELAXED);
    fill_times(snapshot->field, live);
}

/* Blocks from before us are counted when they are freed, and were not when they came. */
static void not_negative(uint64_t *count)
{
    if ((int64_t)*count < 0)
        *count = 0;
}

void al_snapshot_count(struct al_snapshot *snapshot, const uint64_t sum[static AL_COUNTER_TOTAL])
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        if (al_fields[i].counter >= 0)
            snapshot->field[i] = sum[al_fields[i].counter];
    not_negative(&snapshot->field[AL_FIELD_by_kind_heap_requested_bytes]);
    not_negative(&snapshot->field[AL_FIELD_by_kind_heap_regions]);
}

/* Whether all was locked, and all that came, and nothing was unlocked but by a bare system call. */
static bool is_whole(const struct al_run *run, const uint64_t *field)
{
    const unsigned all = AL_FLAG_CURRENT | AL_FLAG_FUTURE;

    return strcmp(run->backend, "kernel") == 0 && (run->config->flags & all) == all &&
           !(field[AL_FIELD_calls_munlock] | field[AL_FIELD_calls_munlockall] |
             field[AL_FIELD_calls_mlockall] | field[AL_FIELD_calls_mremap] |
             field[AL_FIELD_syscalls_munlock_count]);
}

static int take_memory(struct al_snapshot *snapshot, struct al_run *run)
{
    struct al_memory_status status;
    int error = al_memory_status_read(&status);
    uint64_t *field = snapshot->field;
    long parent;

    if (status.locked > run->peak_kernel_bytes)
        run->peak_kernel_bytes = status.locked;
    if (!error)
        (void)al_unlocked_resident(&status, is_whole(run, field),
                                   &field[AL_FIELD_memory_unlocked_resident_bytes]);
    parent = status.parent ? (long)status.parent : al_sys0(SYS_getppid);
    snapshot->ppid = parent > 0 ? (pid_t)parent : 0;

    if (status.locked > run->peak_kernel_bytes)
        run->peak_kernel_bytes = status.locked;
    field[AL_FIELD_locked_kernel_bytes] = status.locked;
    field[AL_FIELD_locked_peak_kernel_bytes] = run->peak_kernel_bytes;
    field[AL_FIELD_memory_locked_bytes] = status.locked;
    field[AL_FIELD_memory_rss_bytes] = status.resident;
    field[AL_FIELD_memory_peak_rss_bytes] = status.peak_resident;
    field[AL_FIELD_memory_swap_bytes] = status.swapped;
    field[AL_FIELD_memory_limit_bytes] = run->limit_bytes;
    field[AL_FIELD_memory_cgroup_limit_bytes] = run->cgroup_limit_bytes;
    /* mlockall holds the whole address space against the limit, resident or not. */
    field[AL_FIELD_need_memlock_bytes] = status.peak_virtual;
    return error;
}

struct faults {
    uint64_t minor_at_mark;
    uint64_t major_at_mark;
    uint64_t minor;
    uint64_t major;
};

/* The mark first: one that is made just now must not have more faults than we. */
static struct faults read_faults(const struct al_run *run)
{
    struct faults faults = {.minor_at_mark = __atomic_load_n(&run->minor_at_mark, __ATOMIC_ACQUIRE),
                            .major_at_mark =
                                __atomic_load_n(&run->major_at_mark, __ATOMIC_ACQUIRE)};

    al_faults_read(&faults.minor, &faults.major);
    return faults;
}

/* There are none since, where the kernel says nothing any more. */
static uint64_t since(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}

static void fill_faults(uint64_t *field, const struct al_run *run, const struct faults *faults)
{
    field[AL_FIELD_faults_minor] = faults->minor;
    field[AL_FIELD_faults_major] = faults->major;
    field[AL_FIELD_faults_minor_after_lock] = since(faults->minor, run->minor_at_lock);
    field[AL_FIELD_faults_major_after_lock] = since(faults->major, run->major_at_lock);
    field[AL_FIELD_faults_minor_after_mark] = since(faults->minor, faults->minor_at_mark);
    field[AL_FIELD_faults_major_after_mark] = since(faults->major, faults->major_at_mark);
}

static void show_gauges(const uint64_t *field)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        if (al_fields[i].counter < 0)
            al_live_set((enum al_field)i, field[i]);
}

/* If the process is killed, this is the last that is known of it. */
static struct al_snapshot at_start AL_LARGE;

void al_run_locked(struct al_run *run)
{
    al_mark_begin(run);
    al_live_set(AL_FIELD_memory_limit_bytes, run->limit_bytes);
    al_live_set(AL_FIELD_memory_cgroup_limit_bytes, run->cgroup_limit_bytes);
    if (al_live_in_file())
        (void)al_snapshot_take(&at_start, run, "running");
}

int al_snapshot_take(struct al_snapshot *ret_snapshot, struct al_run *run, const char *ended)
{
    /* First what our own work below changes: the snapshot itself may have to be brought in. */
    const struct faults faults = read_faults(run);
    uint64_t sum[AL_COUNTER_TOTAL];
    int error;

    if (run->note)
        run->note();
    memset(ret_snapshot, 0, sizeof(*ret_snapshot));
    ret_snapshot->run = run;
    ret_snapshot->ended = ended;
    ret_snapshot->pid = run->pid;
    al_snapshot_look(ret_snapshot, &al_live);
    al_counters_sum(sum);
    al_snapshot_count(ret_snapshot, sum);
    fill_faults(ret_snapshot->field, run, &faults);
    error = take_memory(ret_snapshot, run);
    /* Behind the kernel's figures, as it may bring memory of ours in. A program that asks while it
     * runs is not to wait for it. */
    if (run->settle && strcmp(ended, "running") != 0)
        run->settle();
    if (run->figures)
        run->figures(ret_snapshot->field);
    show_gauges(ret_snapshot->field);
    return error;
}
