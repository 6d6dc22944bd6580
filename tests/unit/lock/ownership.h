/*
 * The plain model of who owns which page: each page has a number of blocks, or a mapping, and that
 * is all. Operations are done on the simulated kernel, told to the library as the hooks tell it,
 * and noted here; then the pages that they touched are compared.
 */
#ifndef OWNERSHIP_H
#define OWNERSHIP_H

#include "books_check.h"
#include "fake_heap.h"

/* What a run is like. */
struct ownership_setup {
    uint64_t seed;
    unsigned kinds;
    uint64_t min_size;
    uint64_t max_size;
    bool threads;           /* more than one, from some step on */
    bool holds;             /* pages that blocks have left */
    bool existing;          /* blocks from before the start */
    bool current;           /* … whose pages are locked as a whole */
    bool limited;           /* no fallback to locks on fault */
    bool by_parts;          /* of what does not fit the budget, what does */
    unsigned refuse_in;     /* a refusal now and then, so many calls apart; 0: none */
    uint64_t limit_pages;   /* of the kernel; 0: none */
    uint64_t budget_pages;  /* 0: none */
    uint64_t runs_max;      /* 0: none */
    uint64_t mappings_max;  /* of the kernel; 0: none */
    unsigned unkept_arenas; /* one in so many arenas cannot be kept by a block of ours; 0: none */
};

void ownership_begin(const struct ownership_setup *setup);

/* One random operation, and the pages that it touched compared. */
void ownership_step(unsigned step);

/* Every page compared, and the books with their words. */
void ownership_check_all(void);

/* All that lives goes: nothing is left. */
void ownership_end(void);

#endif
