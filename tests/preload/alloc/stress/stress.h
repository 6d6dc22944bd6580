/*
 * Random operations on memory by several threads, and a plain model of what the program holds.
 *
 *   stress.c    the threads, the rounds, the checkpoints
 *   options.c   the command line
 *   blocks.c    the malloc family
 *   regions.c   mappings and shared segments
 *   breaks.c    the program's own brk and sbrk
 *   journal.c   what happened to a page
 *
 * Blocks and regions stand in slots. A thread takes a slot, works on it and puts it back, whoever
 * filled it: so every block goes from thread to thread.
 */
#ifndef STRESS_H
#define STRESS_H

#include "journal.h"
#include "random.h"

#include "../claims.h"
#include "../policy.h"
#include "../raw.h"

#include "../../expect.h"

enum { MAX_THREADS = 64 };

struct options {
    unsigned long seed;
    unsigned long operations; /* of all threads together */
    unsigned threads;
    unsigned rounds;      /* with a checkpoint after each */
    unsigned slots;       /* for blocks */
    unsigned fork;        /* one operation in so many is a fork; 0: none */
    bool breaks;          /* the program moves the heap's end itself */
    bool blocks_claimed;  /* an allocator in front of the library hides its blocks */
    bool regions_claimed; /* … or the program's mappings as well */
    bool slack_checked;
    bool marks_only;       /* a lock counts, whether the page is in memory or not */
    bool no_leaving;       /* never mremap with MREMAP_DONTUNMAP */
    bool no_closing;       /* never mprotect to PROT_NONE */
    const char *allocator; /* that must be there; NULL: libc's */
};

extern struct options options;
extern struct policy policy;

/* In a child of fork: work a little, to show that nothing of the library is stuck, and end. */
void __attribute__((noreturn)) child_of_fork(void);

/* -- options.c -- */
/* Of the command line, behind the program's name; ends the program where they are wrong. */
void options_read(char **argument);

/* -- blocks.c -- */
void blocks_begin(void);
void block_operation(struct random *random, bool draining);
void blocks_claim(void);
/* The arenas that any block was ever in. Returns how much of the library's own may be there too. */
size_t blocks_watch(void);

/* -- regions.c -- */
void regions_begin(void);
void region_operation(struct random *random);
void regions_claim(void);

/* -- breaks.c: only while all other threads stand still -- */
void break_operation(struct random *random);
void breaks_claim(void);

#endif
