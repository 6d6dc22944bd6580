/*
 * A process that is sampled: its mappings, its threads, and its faults since its lock or warm-up.
 */
#ifndef AL_FAULTS_PROCESS_H
#define AL_FAULTS_PROCESS_H

#include "faults_groups.h"
#include "faults_live.h"
#include "faults_regions.h"

enum { FAULTS_COMMAND_BYTES = 16 };

struct faults_thread {
    struct faults_thread *next;
    pid_t tid;
    char name[FAULTS_COMMAND_BYTES];
    /* Pages that the kernel had for it, and which may yet turn out to have been for a fault. */
    uint64_t brought;
    uint64_t brought_pc;
    uint64_t brought_sp;
    struct faults_key brought_key;
    const char *mapped; /* the last mapping that it has made since its last fault, or NULL */
};

struct faults_process {
    struct faults_process *next;
    pid_t pid;
    struct faults_regions regions;
    struct faults_live live;
    struct faults_thread *threads;
    struct faults_groups groups;
    uint64_t forked_ns; /* the last fork that it or its parent has made; 0: none */
    bool is_child;      /* it has not executed anything since its fork */
    uint64_t from_ns;   /* faults before do not count; 0: not known yet */

    bool looked; /* since the last samples, and `seen` is what was seen */
    struct faults_regions seen;
    uint64_t look_due_ns;
};

/* A new one; `parent` may be NULL. */
struct faults_process *faults_process_new(pid_t pid, const struct faults_process *parent,
                                          uint64_t now_ns);

/* Faults count from then on; those that have been counted before do not. */
void faults_process_start_at(struct faults_process *process, uint64_t from_ns);

/* Looks at what is locked, if it is time for that; whether it was. */
bool faults_process_look(struct faults_process *process);

/* After the samples: what was seen is what is known. */
void faults_process_settle(struct faults_process *process);

/* `moved`: the machine has moved pages lately. FAULTS_FORKED is for the parent. */
void faults_process_take(struct faults_process *process, const struct faults_record *record,
                         bool moved);

/* Records are missing: what is not certain without them is not counted. */
void faults_process_doubt(struct faults_process *process);

/* What is left to be counted in the end. */
void faults_process_finish(struct faults_process *process);

/* What was touched, in words that stay; NULL: not known. */
const char *faults_process_mapping(const struct faults_process *process,
                                   const struct faults_key *key);

/* Adds what was counted to another one's, and frees the process. */
void faults_process_end(struct faults_process *process, struct faults_process *heir);

#endif
