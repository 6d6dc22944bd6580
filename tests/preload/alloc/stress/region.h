/*
 * A stretch of addresses that came from one mmap, shmat or mremap, page by page.
 */
#ifndef REGION_H
#define REGION_H

#include "stress.h"

enum { REGION_PAGES = 2048 };

struct page {
    uint8_t kind;       /* enum kind */
    uint8_t protection; /* PROT_… */
    bool mapped;        /* once it is not, it never is again: others may have the address then */
    uint16_t part;      /* pages of one part came from one call and can be moved together */
    uint16_t low;       /* the size in pages that the page's mapping is judged by is one of these */
    uint16_t high;
};

struct region {
    char *start; /* NULL: an empty slot */
    size_t pages;
    const char *origin;
    bool taken;
    bool segment;    /* of shmat: released by shmdt, as a whole */
    bool fixed_size; /* cannot grow: there is nothing behind its end */
    uint16_t parts;
    struct page page[REGION_PAGES];
};

/* region_new.c */
struct recipe {
    const char *name;
    enum kind kind;
    int flags;
    int protection;
    int fd; /* -1: anonymous */
};

/* The files behind mappings. */
void recipes_begin(void);

const struct recipe *recipe_pick(struct random *random);

/* mmap or mmap64 by the recipe. `at` is NULL or, with MAP_FIXED, what is replaced. */
char *recipe_map(const struct recipe *recipe, struct random *random, char *at, size_t pages);

void region_fill(struct region *region, struct random *random);

/* Sets pages [from, from + count) to what one call of mmap or mremap made of them. */
void region_set(struct region *region, size_t from, size_t count, struct page page);

/* region_move.c: the mremap family. `spare` is an empty slot or NULL. */
void region_remap(struct region *region, struct region *spare, struct random *random);

#endif
