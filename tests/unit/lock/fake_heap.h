/*
 * An allocator over the simulated kernel that behaves as glibc's does: a main heap that grows and
 * shrinks at its end, thread arenas that are unmapped as a whole, and mappings of their own for
 * large blocks. All of it unseen by the library, which is told of blocks alone.
 */
#ifndef FAKE_HEAP_H
#define FAKE_HEAP_H

#include "kernel_model.h"

struct fake_block {
    char *address; /* NULL: none */
    size_t usable;
    unsigned heap; /* 0 the main one, else an arena */
    bool mapping;  /* of its own, in none of them */
};

enum { FAKE_ARENAS = 3 };

/* Where mappings are made, the program's included. */
#define FAKE_MAPPINGS_FIRST (MODEL_FIRST + 5 * AL_LEAF_PAGES)
#define FAKE_MAPPINGS_END   MODEL_END

/* The main heap's end, as __curbrk has it, and its first byte. */
extern char *fake_end_of_main;
extern char *const fake_start_of_main;

void fake_heap_begin(uint64_t seed);

/*
 * From now on it is these bytes that choose, and not chance: `fake_random` takes as many of them as
 * the bound needs, and is 0 when they are over. They must be there as long as they are needed.
 */
void fake_choices(const uint8_t *bytes, size_t size);
bool fake_choices_are_over(void);

/* Any number below `bound`. */
uint64_t fake_random(uint64_t bound);

/* One out of `one_in` times. */
bool fake_chance(unsigned one_in);

/* As malloc in a thread that uses `heap`; false if there is no room. */
bool fake_malloc(struct fake_block *ret_block, size_t size, unsigned heap);

/* A mapping of its own. */
bool fake_mapping(struct fake_block *ret_block, size_t size);

void fake_free(const struct fake_block *block);

/*
 * As realloc, which grows and shrinks in place where it can; false, and nothing is changed, without
 * room.
 */
bool fake_realloc(struct fake_block *block, size_t size);

/* `count` pages of free addresses for a mapping; 0 if there are none. */
al_page fake_free_pages(size_t count);

#endif
