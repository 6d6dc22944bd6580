/*
 * Random calls of the malloc family.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "random.h"

enum { BLOCKS_MAX = 48 };

struct blocks {
    char *block[BLOCKS_MAX];
    size_t live_bytes;
    size_t most_bytes;
};

void blocks_step(struct blocks *blocks, struct random *random);

#endif
