#include "run_faults.h"

#include "command.h"
#include "faults_perf.h"
#include "faults_process.h"
#include "faults_sites.h"
#include "memory.h"
#include "sys.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Nothing has to happen sooner, unless a ring gets full. */
enum { PAUSE_MS = 50 };

struct run_faults {
    bool tree;
    int64_t warmup_ms;
    const char *directory;
    const char *refused;
    struct faults_perf *perf;
    bool sees_calls;
    pthread_t reader;
    bool reads;
    bool stops; /* what the reader is to do */
    int stop;   /* and what wakes it */

    struct faults_process *processes; /* the last one is the program's */
    struct faults_process *ended;     /* what those have counted that are gone, or NULL */
    uint64_t began_ns;                /* when it was executed */
    uint64_t lost;
    uint64_t moved; /* pages that the machine has moved, when last looked at */
    bool moves;
};

/* -- processes ----------------------------------------------------------------------------------
 */

static struct faults_process *process_of(const struct run_faults *faults, pid_t pid)
{
    struct faults_process *process = faults->processes;

    while (process && process->pid != pid)
        process = process->next;
    return process;
}

/* The first is the program's: the first that executes anything. */
static struct faults_process *add_process(struct run_faults *faults, pid_t pid,
                                          const struct faults_process *parent, uint64_t now_ns)
{
    struct faults_process *process = faults_process_new(pid, parent, now_ns);

    process->next = faults->processes;
    faults->processes = process;
    return process;
}

static void refresh(const struct run_faults *faults, struct faults_process *process)
{
    const struct faults_live *live = &process->live;

    faults_live_refresh(&process->live, faults->directory, process->pid);
    if (faults->warmup_ms > 0)
        faults_process_start_at(process, faults->began_ns + (uint64_t)faults->warmup_ms * 1000000U);
    else
        faults_process_start_at(process, faults->warmup_ms == RUN_WARMUP_MARK ? live->mark_ns
                                                                              : live->lock_ns);
}

/* -- records ------------------------------------------------------------------------------------
 */

static void take_fork(struct run_faults *faults, const struct faults_record *record)
{
    struct faults_process *parent = process_of(faults, record->parent);

    if (!parent)
        return;
    faults_process_take(parent, record, false);
    if (record->pid != record->parent && faults->tree)
        refresh(faults, add_process(faults, record->pid, parent, record->time_ns));
}

/* Of a child only its faults are kept: there may be any number. The program itself stays. */
static void take_end(struct run_faults *faults, const struct faults_record *record)
{
    struct faults_process *process = process_of(faults, record->pid);
    struct faults_process **at;

    if (!process || record->tid != record->pid || !process->next)
        return;
    if (!faults->ended)
        faults->ended = faults_process_new(0, NULL, 0);
    for (at = &faults->processes; *at && *at != process; at = &(*at)->next)
        ;
    *at = process->next;
    faults_process_end(process, faults->ended);
}

/* What is held back for the sample that would follow: that may be one of those. */
static void lose(struct run_faults *faults, uint64_t count)
{
    faults->lost += count;
    for (struct faults_process *process = faults->processes; process; process = process->next)
        faults_process_doubt(process);
}

static void take(struct run_faults *faults, const struct faults_record *record)
{
    struct faults_process *process;

    switch (record->kind) {
    case FAULTS_LOST:
        lose(faults, record->lost);
        return;
    case FAULTS_FORKED:
        take_fork(faults, record);
        return;
    case FAULTS_ENDED:
        take_end(faults, record);
        return;
    default:
        break;
    }
    process = process_of(faults, record->pid);
    if (!process && !faults->processes) {
        process = add_process(faults, record->pid, NULL, 0);
        faults->began_ns = record->time_ns;
    }
    if (!process)
        return;
    faults_process_take(process, record, faults->moves);
    if (record->kind == FAULTS_NAMED && record->executed)
        refresh(faults, process);
}

/* Compaction, NUMA balancing and the like, all over the machine. */
static uint64_t moved_pages(void)
{
    FILE *file = fopen("/proc/vmstat", "re");
    char line[128];
    uint64_t sum = 0;

    while (file && fgets(line, sizeof(line), file)) {
        unsigned long long value;

        if (sscanf(line, "pgmigrate_success %llu", &value) == 1 ||
            sscanf(line, "numa_hint_faults %llu", &value) == 1)
            sum += value;
    }
    if (file)
        (void)fclose(file);
    return sum;
}

/*
 * The order matters: what has been taken from the rings was before the mark, if the mark is not
 * there after that; and what is locked then was there when the last of it happened, or came later.
 */
static void take_all(struct run_faults *faults)
{
    size_t count = faults_perf_take(faults->perf);
    struct faults_process *process;
    struct faults_record record;
    bool looked = false;

    for (process = faults->processes; process; process = process->next)
        refresh(faults, process);
    if (!count)
        return;
    for (process = faults->processes; process; process = process->next)
        looked = faults_process_look(process) || looked;
    if (looked) {
        uint64_t moved = moved_pages();

        faults->moves = moved != faults->moved;
        faults->moved = moved;
    }
    while (faults_perf_next(faults->perf, &record))
        take(faults, &record);
    for (process = faults->processes; process; process = process->next)
        faults_process_settle(process);
}

static void *read_on(void *data)
{
    struct run_faults *faults = data;

    while (!__atomic_load_n(&faults->stops, __ATOMIC_ACQUIRE)) {
        faults_perf_wait(faults->perf, faults->stop, PAUSE_MS);
        take_all(faults);
    }
    return NULL;
}

/* -- the run ------------------------------------------------------------------------------------
 */

struct run_faults *run_faults_open(const struct run_gate_options *gate, const char *directory)
{
    struct run_faults *faults = allocate(sizeof(*faults));

    faults->tree = gate->tree;
    faults->warmup_ms = gate->warmup_ms;
    faults->directory = directory;
    faults->perf = faults_perf_open(&faults->refused);
    if (!faults->perf) {
        complain("--faults: page faults cannot be sampled: %s", faults->refused);
        return faults;
    }
    faults->sees_calls = faults_perf_sees_calls(faults->perf);
    faults->moved = moved_pages();
    faults->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return faults;
}

/* The thread is made when the program is there: before, it would be in the way of the fork. */
static int look(pid_t pid, void *data)
{
    struct run_faults *faults = data;

    (void)pid;
    faults->reads = faults->perf && faults->stop >= 0 &&
                    pthread_create(&faults->reader, NULL, read_on, faults) == 0;
    return -1;
}

struct run_watch run_faults_watch(struct run_faults *faults)
{
    return (struct run_watch){.look = look, .data = faults};
}

static const char *since(const struct run_faults *faults, const struct faults_process *program)
{
    const struct faults_live *live = &program->live;

    if (faults->warmup_ms > 0)
        return "warm-up";
    if (!live->lock_ns)
        return "start";
    return faults->warmup_ms == RUN_WARMUP_MARK && live->mark_ns > live->lock_ns ? "mark" : "lock";
}

/* Only where the program itself has counted from the same moment on, and to its end. */
static int64_t unseen(const struct run_faults *faults, const struct faults_process *program,
                      const struct run_fault_sites *sites)
{
    uint64_t seen = sites->minor + sites->major + sites->other;
    uint64_t counted = program->live.after_lock;

    if (faults->warmup_ms > 0 || faults->tree || !program->live.ended)
        return -1;
    if (faults->warmup_ms == RUN_WARMUP_MARK)
        counted = program->live.after_mark;
    return counted > seen ? (int64_t)(counted - seen) : 0;
}

const struct run_fault_sites *run_faults_close(struct run_faults *faults, const char *program)
{
    struct run_fault_sites *sites = allocate(sizeof(*sites));
    const uint64_t one = 1;
    struct faults_process *first = NULL;
    uint64_t lost;

    sites->program = program;
    sites->refused = faults->refused;
    sites->since = "start";
    sites->unseen = -1;
    if (!faults->perf)
        return sites;
    if (faults->reads) {
        __atomic_store_n(&faults->stops, true, __ATOMIC_RELEASE);
        /* Which it sees at once, or after its pause where this fails. */
        (void)!write(faults->stop, &one, sizeof(one));
        (void)pthread_join(faults->reader, NULL);
    }
    take_all(faults);
    /* Of the last ones there is no record. */
    lost = faults_perf_lost(faults->perf);
    if (lost > faults->lost)
        lose(faults, lost - faults->lost);
    /* Debugging information is looked for on this machine only. */
    (void)unsetenv("DEBUGINFOD_URLS");
    for (struct faults_process *process = faults->processes; process; process = process->next) {
        faults_process_finish(process);
        faults_sites_add(sites, process);
        first = process;
    }
    if (faults->ended)
        faults_sites_add(sites, faults->ended);
    faults_sites_finish(sites);
    sites->lost = faults->lost;
    sites->sees_calls = faults->sees_calls;
    if (first) {
        sites->since = since(faults, first);
        sites->unseen = unseen(faults, first, sites);
        /* Those that were lost before are nobody's loss. */
        if (sites->unseen >= 0 && (uint64_t)sites->unseen < sites->lost)
            sites->lost = (uint64_t)sites->unseen;
    }
    faults_perf_close(faults->perf);
    faults->perf = NULL;
    return sites;
}
