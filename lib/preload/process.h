/*
 * The library's life in this process: from the constructor to the report.
 */
#ifndef AL_PROCESS_H
#define AL_PROCESS_H

#include "deliver.h"
#include "options.h"

struct al_process {
    bool active;        /* false: mode off, or before the constructor */
    bool locks;         /* memory is locked for us */
    bool program_locks; /* the program has locked memory by itself */
    bool program_all;   /* ... all that it has, and needs none of ours for that (mlockall) */
    struct al_stderr err;
    struct al_run run; /* run.pid: the process that the report is about */
};

extern struct al_process al_process;

/* Who locks: "kernel", "hooks" or "none". The string lives for ever. */
void al_process_set_backend(const char *backend);

/* Ends the process, before main, with the status of a bad configuration: 78. */
void al_process_give_up(void) __attribute__((noreturn));

/*
 * The process ends: makes the report, once. `ended` is what the report says of how. Does nothing in
 * a child that shares our memory (vfork), where the report would be about its parent.
 */
void al_process_end(const char *ended);

/*
 * The program is about to give up system calls (seccomp), and most likely those that a report
 * needs: it is made now, once. Should the kernel refuse, everything goes on as before, and there is
 * another one at the end. errno is untouched. Returns whether it is this process that is meant: a
 * child that shares our memory (vfork) gives up its own calls, not ours.
 */
bool al_process_sandboxing(void);

/* The kernel has refused: what is seen from outside says again that the process goes on. */
void al_process_not_sandboxed(void);

/* It has. No system call of ours any more; what is locked stays locked. */
void al_process_sandboxed(void);

/*
 * In a forked child, before fork returns there: the locks, which are not inherited, are had again
 * as the option FORK says, counters are fresh, nothing of the parent's is held. Async-signal safe.
 */
void al_process_after_fork(void);

#endif
