/*
 * A program that comes under a memlock limit:
 *
 *   rescue.c        how it does, and what is to hold then
 *   rescue_uses.c   how it uses memory
 */
#ifndef RESCUE_H
#define RESCUE_H

#include "expect.h"

enum { MUCH = 30 << 20 };

static const int rw = PROT_READ | PROT_WRITE;
static const int anon = MAP_PRIVATE | MAP_ANONYMOUS;

static inline void *filled(void *block, size_t size)
{
    expect(block && block != MAP_FAILED);
    memset(used(block), 7, size);
    return block;
}

struct rescue_use {
    const char *name;
    void (*use)(void);
};

extern const struct rescue_use rescue_uses[];
extern const size_t rescue_uses_count;

#endif
