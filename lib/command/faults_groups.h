/*
 * Page faults that have place, mapping and cause in common, counted. Places are addresses in files
 * yet: what they are called is looked up in the end.
 */
#ifndef AL_FAULTS_GROUPS_H
#define AL_FAULTS_GROUPS_H

#include "faults_cause.h"

struct faults_code {
    const char *file; /* of faults_name(); NULL: not known, "" and the like: memory of no file */
    uint64_t inode;
    uint64_t offset; /* in the file; of no file the address */
    uint64_t call;   /* 1: behind a call */
};

struct faults_key {
    struct faults_code at;      /* where in the program's own code, as far as it can be told */
    struct faults_code through; /* where in the C library, if it was there; else the same */
    const char *mapping;        /* of faults_name(); NULL: not known */
    uint64_t stack_of;          /* the thread whose stack it is, or 0 */
    uint64_t cause;             /* enum run_fault_cause */
};

struct faults_group {
    struct faults_key key;
    uint64_t minor;
    uint64_t major;
};

struct faults_groups {
    struct faults_group *list; /* a hash table; without faults: free */
    size_t size;
    size_t count;
    uint64_t other; /* faults of places that there was no room for any more */
};

void faults_groups_add(struct faults_groups *groups, const struct faults_key *key, uint64_t minor,
                       uint64_t major);

void faults_groups_clear(struct faults_groups *groups);

#endif
