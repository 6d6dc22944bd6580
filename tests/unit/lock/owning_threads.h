/*
 * Threads that own and disown: each looks at what it has been told is locked, while another one
 * gives back what has no owner.
 */
#ifndef OWNING_THREADS_H
#define OWNING_THREADS_H

#include "books_check.h"
#include "fake_heap.h"

enum { THREADS = 4 };

extern unsigned rounds;    /* of each thread */
extern bool done;          /* the threads that own have ended */
extern bool some_refused;  /* what is not locked was refused */
extern bool some_unlocked; /* by the program itself, meanwhile */

void owning_threads_begin(void);

static inline uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 11;
}

static inline al_page first_of(const struct fake_block *block)
{
    return al_page_of(block->address);
}

static inline al_page end_of(const struct fake_block *block)
{
    return al_page_of(block->address + block->usable - 1) + 1;
}

/* Neighbours may be refused, but nobody who has his lock loses it. */
struct held {
    struct fake_block block;
    bool locked;
};

void expect_locked(const struct fake_block *block, const char *when);

/* As the hooks tell it, and looked at. */
void own(struct held *held);
void disown(const struct held *held);

/* THREADS threads in `routine`, each with its number; until they have ended, one that gives back,
 * and one in `other`, which may be NULL. Then the books are held against the page map. */
void run(void *(*routine)(void *), void *(*other)(void *));

#endif
