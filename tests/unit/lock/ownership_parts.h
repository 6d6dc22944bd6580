/*
 * What the files of the model share:
 *
 *   ownership.c            the start, one step after the other, the end
 *   ownership_pages.c      what is known of each page, and how it is compared
 *   ownership_blocks.c     blocks come, change and go
 *   ownership_mappings.c   so do mappings
 */
#ifndef OWNERSHIP_PARTS_H
#define OWNERSHIP_PARTS_H

#include "ownership.h"

extern struct ownership_setup setup;

/* -- ownership_pages.c -- */

/* Of each page of the stretch. */
struct page {
    uint16_t owners;
    uint8_t kind;   /* of its mapping, as far as known */
    bool taken;     /* the mapping qualifies */
    bool closed;    /* … or is a reservation */
    bool program;   /* locked by the program */
    bool right;     /* was owned and locked after the last operation on it */
    bool tolerated; /* owned, but its lock was refused */
};

extern struct page pages[MODEL_PAGES];
extern bool everything; /* the program has locked everything */

/* What had been refused before the step, and by now. */
extern uint64_t complaints;
uint64_t complaints_now(void);

static inline struct page *page_of(al_page page)
{
    return &pages[page - MODEL_FIRST];
}

/* After an operation that touched [first, end): what is owned is locked, or was refused just now.
 */
void compare(al_page first, al_page end);

/* What went has left no more without an owner than may be. */
void check_slack(void);

/* By calls of its own; compared. */
void program_locks(al_page first, al_page end);
void program_unlocks(al_page first, al_page end);

/* -- ownership_blocks.c -- */

extern unsigned block_count;

/* What the allocator behind the hooks is asked about, and where it allocates. */
extern const struct fake_block *subject;
extern unsigned current_heap;

/* Blocks that nobody told us of. */
void add_existing(void);

void forget_blocks(void);

/* The program has unlocked everything. */
void blocks_unlocked(void);

void add_block(void);
void remove_block(unsigned index);
void resize_block(void);

/* -- ownership_mappings.c: a region is what is left of a mapping -- */

extern unsigned region_count;

void add_region(void);
void remove_region(void);
void protect_region(void);
void move_region(void);
void lock_region(void);

#endif
