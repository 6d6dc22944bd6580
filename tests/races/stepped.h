/*
 * Calls that a signal may come into, each in a place of its own so that it is known what there is
 * to be cleared away if nobody comes back from it.
 */
#ifndef STEPPED_H
#define STEPPED_H

#include "../preload/alloc/policy.h"
#include "../preload/expect.h"

struct stepped_call {
    const char *name;
    void (*prepare)(void); /* may be NULL */
    void (*call)(void);
    void (*done)(void); /* judges what came of it; may be NULL */
    void (*clear)(void);
    bool of_heap; /* may not be left by siglongjmp, nor interrupted by one that allocates */
    bool wide;    /* where each page is written down, that takes too long step by step: mode all */
};

extern const struct stepped_call stepped_mappings[]; /* and the heap's end */
extern const size_t stepped_mappings_count;
extern const struct stepped_call stepped_blocks[];
extern const size_t stepped_blocks_count;

/* Before the first of them. */
void stepped_begin(void);

/* What is to be locked at all, and what of it. */
struct stepped_wish {
    bool all;     /* mode all */
    bool nothing; /* modes off and observe */
    struct policy policy;
};

extern struct stepped_wish stepped_wish;

/* From the environment. */
void stepped_wish_begin(void);

/* Of memory of that kind: it is locked if it is to be, in memory unless on fault. */
void stepped_expect_locked(const void *start, size_t length, enum kind kind);

#endif
