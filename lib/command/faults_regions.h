/*
 * What lies where in a process: by what the kernel tells of each mapping when it is made, and by
 * looks at /proc/PID/smaps, which tell what is locked.
 */
#ifndef AL_FAULTS_REGIONS_H
#define AL_FAULTS_REGIONS_H

#include "faults_record.h"

enum faults_lock { FAULTS_LOCK_UNKNOWN, FAULTS_LOCK_NONE, FAULTS_LOCKED, FAULTS_LOCKED_ON_FAULT };

struct faults_region {
    uint64_t start;
    uint64_t end;
    uint64_t offset; /* in the file */
    uint64_t inode;
    const char *name; /* as in /proc/PID/maps; "" if it has none. Names that are equal are the same
                         pointer, and stay */
    bool is_private;  /* a write needs a copy after a fork */
    bool writable;
    uint64_t made_ns; /* fresh ones: when it was mapped */
    bool fresh;       /* not seen in a look yet: the lock is the one that it was made with */
    enum faults_lock lock;
    uint64_t populated_ns; /* from then on all of it was there, since it was locked; 0: never */
};

struct faults_regions {
    struct faults_region *list; /* in the order of addresses */
    size_t count;
    size_t size;
    const char *program; /* the file that was mapped first */
    uint64_t program_end;
};

/* A copy of the name that stays. */
const char *faults_name(const char *name);

/* NULL: nothing is known to be there. Good until the next change. */
const struct faults_region *faults_regions_find(const struct faults_regions *regions,
                                                uint64_t address);

/* The first that begins at the address or above, or NULL. */
const struct faults_region *faults_regions_above(const struct faults_regions *regions,
                                                 uint64_t address);

/* `on_fault`: what is locked when it is mapped is so on first touch. */
void faults_regions_map(struct faults_regions *regions, const struct faults_record *record,
                        bool on_fault);

/* As in the other. */
void faults_regions_copy(struct faults_regions *regions, const struct faults_regions *other);

void faults_regions_clear(struct faults_regions *regions);

/*
 * What is there now, in a list of its own; of `before` it takes since when things are there. False:
 * it cannot be had. To be freed by faults_regions_clear().
 */
bool faults_regions_look(pid_t pid, const struct faults_regions *before, uint64_t now_ns,
                         struct faults_regions *ret_now);

#endif
