/*
 * What of a process's own counters (live.h) it takes to judge its faults: when its lock was done
 * and its warm-up over. From its file in the gate's directory, which costs the process nothing.
 */
#ifndef AL_FAULTS_LIVE_H
#define AL_FAULTS_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct faults_live {
    uint64_t executed_ns; /* what has begun before that is of an earlier program of the process */
    int fd;               /* -1: not found yet */
    uint64_t lock_ns;     /* 0: not yet */
    uint64_t mark_ns;     /* 0: not yet; as lock_ns without a mark */
    bool by_hooks;        /* what is mapped is locked by the hooks */
    bool future;          /* and what is mapped later, as the program's options have it */
    bool at_once;         /* all that was there at lock_ns is locked since then */
    bool on_fault;        /* as the program's options have it */
    bool ended;           /* and the following are known */
    uint64_t after_lock;  /* page faults, minor and major */
    uint64_t after_mark;
};

/* Reads them anew; the file is looked for if it has not been found. */
void faults_live_refresh(struct faults_live *live, const char *directory, pid_t pid);

/* Another program runs in the process, since then. */
void faults_live_next(struct faults_live *live, uint64_t executed_ns);

#endif
