/*
 * Where the page faults of a program come from: each fault since the lock, or since the warm-up, is
 * sampled, and named by place, mapping and cause.
 *
 * Sampling is done by a thread of the command; the program is not stopped and not traced. What it
 * costs the program is what the kernel takes for a sample, a microsecond or two a fault.
 */
#ifndef AL_RUN_FAULTS_H
#define AL_RUN_FAULTS_H

#include "faults_cause.h"
#include "run_child.h"
#include "run_faults_options.h"
#include "run_gate_options.h"

/* Faults that have all of this in common. Texts stay; NULL: not known. */
struct run_fault_site {
    const char *function;
    const char *source;
    int line;
    const char *module;  /* the file that it is in, "" if it is in none */
    uint64_t offset;     /* in that file */
    const char *through; /* the function of the C library that it was in, called from there */
    const char *mapping; /* what was touched: "heap", "stack of thread 4711 (worker)", a file, … */
    enum run_fault_cause cause;
    uint64_t minor;
    uint64_t major;
};

struct run_fault_sites {
    const char *program;
    const char *refused;         /* why nothing was sampled, and what helps; else NULL */
    const char *since;           /* "mark", "lock", "warm-up" or "start" */
    struct run_fault_site *list; /* worst first */
    size_t count;
    uint64_t minor; /* all of the list */
    uint64_t major;
    uint64_t brought; /* how many of them the kernel had brought in (RUN_FAULT_BROUGHT) */
    uint64_t other;   /* not in the list: of more places than are kept */
    uint64_t lost;    /* samples that the command was too late for, at most */
    int64_t unseen;   /* faults that the program counts and nobody has sampled; -1: not known */
    bool sees_calls;  /* pages brought in by calls are sampled too */
};

struct run_faults;

/*
 * Before the program is started, and after everything else that starts a process. `directory` is
 * where the program keeps its counters. Where nothing can be sampled that is complained of, and the
 * program runs without. Of the gate's options it takes the warm-up, and whether descendants count.
 */
struct run_faults *run_faults_open(const struct run_gate_options *gate, const char *directory);

struct run_watch run_faults_watch(struct run_faults *faults);

/* When the program has ended, and before the directory is taken away. */
const struct run_fault_sites *run_faults_close(struct run_faults *faults, const char *program);

/* What was asked for of the following; false: it could not be written, complained of. */
bool run_faults_tell(const struct run_fault_sites *sites, const struct run_faults_options *options);

/* The worst ones as a table on standard error. */
void run_faults_print(const struct run_fault_sites *sites);

/* All of them as one object on one line (schema autolock-faults/1); NULL: there is no memory. */
char *run_faults_json(const struct run_fault_sites *sites);

/* The same as a file. False: complained of. */
bool run_faults_write(const struct run_fault_sites *sites, const char *path);

#endif
