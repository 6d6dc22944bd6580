/*
 * Random mappings.
 */
#ifndef REGIONS_H
#define REGIONS_H

#include "random.h"

enum { REGIONS_MAX = 16 };

struct region {
    char *start; /* NULL: there is none */
    size_t length;
    int closed; /* not all of it is accessible */
    int shared; /* and not of a file */
    int split;  /* a part of it was protected by itself: several mappings to the kernel */
};

struct regions {
    struct region region[REGIONS_MAX];
    size_t live_bytes;
    size_t most_bytes;
    int file; /* as long as any mapping of it */
};

/* Once in the process, before any thread. */
int regions_file(void);

void regions_step(struct regions *regions, struct random *random);

/* Moves the end of the heap; only while there is one thread. */
void heap_end_step(struct random *random);

#endif
