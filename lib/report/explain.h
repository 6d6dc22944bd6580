/*
 * Why a lock could not be had, and what would help: one line. Knows the process only by what is
 * passed in; allocates nothing, asks the kernel nothing. Async-signal safe.
 */
#ifndef AL_EXPLAIN_H
#define AL_EXPLAIN_H

#include "options.h"
#include "place.h"
#include "text.h"

/* What there is instead of the lock that was asked for. */
enum al_outcome {
    AL_OUTCOME_NOTHING,
    AL_OUTCOME_CURRENT, /* only what exists now */
    AL_OUTCOME_FUTURE,  /* only what is to come */
    AL_OUTCOME_PART
};

struct al_failure {
    const char *program;
    enum al_outcome outcome;
    unsigned flags;      /* enum al_flag, as asked for */
    const char *call;    /* what failed: "mlockall", "mlock" */
    int error;           /* its negative errno; 0: left out for the limit, no call was made */
    uint64_t soft_limit; /* of locked memory, UINT64_MAX: none */
    uint64_t hard_limit;
    uint64_t wanted; /* bytes that were to be locked; 0: not known */
    bool capable;    /* CAP_IPC_LOCK is in the effective set */
    bool exempt;     /* no limit holds */
    int probe_error; /* of mlock2, when it was to show whether one holds: 0 or a negative errno */
    bool proc;       /* /proc is mounted; without it the next four are not known */
    bool user_namespace; /* in another user namespace than the machine's first */
    int seccomp;         /* mode, 2: there is a filter; -1: not known */
    uint64_t mappings;   /* that the program has; 0: not known */
    uint64_t mappings_max;
    unsigned user; /* the effective one, as /proc and limits.d count them here */
    struct al_place place;
};

enum al_cause {
    AL_CAUSE_LIMIT,      /* too small */
    AL_CAUSE_LIMIT_ZERO, /* and without the capability, nothing may be locked at all */
    AL_CAUSE_NAMESPACE,  /* the capability does not count in this user namespace */
    AL_CAUSE_CAPABILITY, /* the capability does not count, and we do not know why */
    AL_CAUSE_SECCOMP,
    AL_CAUSE_REFUSED,    /* like that, but there is no filter (that we could see) */
    AL_CAUSE_NO_ONFAULT, /* a kernel before Linux 4.4 */
    AL_CAUSE_NO_MLOCK2,  /* the same: whether the limit holds cannot be tried out */
    AL_CAUSE_MAPPINGS,   /* vm.max_map_count */
    AL_CAUSE_MEMORY,     /* of the machine or the cgroup, used up */
    AL_CAUSE_NO_PROC,
    AL_CAUSE_OTHER
};

enum al_cause al_explain_cause(const struct al_failure *failure);

/* Appends the line, with its newline. */
void al_explain(struct al_text *text, const struct al_failure *failure);

/* Appends the cause alone, as the line says it. */
void al_explain_words(struct al_text *text, const struct al_failure *failure, enum al_cause cause);

/* Appends what would help against `cause` where the process runs (explain_fix.c). */
void al_explain_fix(struct al_text *text, const struct al_failure *failure, enum al_cause cause);

/* Appends EPERM and the like, or "errno 5"; `error` is negative or positive. */
void al_explain_errno(struct al_text *text, int error);

#endif
