/*
 * Everything a report says, gathered at one moment.
 */
#ifndef AL_SNAPSHOT_H
#define AL_SNAPSHOT_H

#include "live.h"
#include "options.h"

#include <sys/types.h>

/* What the caller knows of the run; the strings live longer than any snapshot. */
struct al_run {
    pid_t pid;
    const struct al_config *config;
    const char *program;         /* base name */
    const char *backend;         /* "kernel", "hooks" or "none" */
    uint64_t limit_bytes;        /* the soft memlock limit, UINT64_MAX if unlimited */
    uint64_t cgroup_limit_bytes; /* of memory, UINT64_MAX if none is known */
    uint64_t minor_at_lock;      /* faults when the lock at start was done */
    uint64_t major_at_lock;
    uint64_t minor_at_mark; /* the same at the last mark (mark.h) */
    uint64_t major_at_mark;
    uint64_t peak_kernel_bytes; /* the most VmLck seen so far; a snapshot raises it */
    void (*figures)(uint64_t field[AL_FIELD_TOTAL]); /* what the hooks know; may be NULL */
    void (*settle)(void); /* makes sure of that, before a report; may be NULL */
    void (*note)(void);   /* adds to the downgrades what is seen only now; may be NULL */
    int lock_error;       /* of the lock asked for at start: 0 or a negative errno */
};

struct al_snapshot {
    const struct al_run *run;
    const struct al_live_head *head; /* the command line, and what became less */
    const char *ended;               /* "exit", … or "running" */
    pid_t pid;
    pid_t ppid;
    uint64_t field[AL_FIELD_TOTAL];
};

/* Page faults of the whole process so far. */
void al_faults_read(uint64_t *ret_minor, uint64_t *ret_major);

/* The lock at start is done: what follows is counted from here. */
void al_run_locked(struct al_run *run);

/*
 * What is counted in this or another process: how long calls took, and all gauges as they were last
 * looked at; then the sum of its blocks, which is to be had later, as a call's time is added there
 * first: so no call is longer than all of them.
 */
void al_snapshot_look(struct al_snapshot *snapshot, const struct al_live *live);
void al_snapshot_count(struct al_snapshot *snapshot, const uint64_t sum[static AL_COUNTER_TOTAL]);

/*
 * Overwrites all of `ret_snapshot`, and what others see of the gauges (live.h); async-signal safe.
 * Returns 0, or the negative errno of the memory figures, which are 0 then.
 */
int al_snapshot_take(struct al_snapshot *ret_snapshot, struct al_run *run, const char *ended);

#endif
