/*
 * A kernel in place of lib/lock/kernel.c that knows which pages of a simulated stretch of addresses
 * are mapped, accessible and locked. Nothing has to be mapped there really: the library's books
 * never touch the memory itself.
 *
 * It does as Linux does: locks reach up to the first page that is not mapped, the limit is looked
 * at before anything is changed, and pages that cannot be brought in leave the lock behind although
 * the call fails. Outside the stretch every call succeeds.
 *
 * Failures of mlock2 are booked as kernel.c books them. Any thread may lock and unlock at any time,
 * if there is no bound of mappings.
 */
#ifndef KERNEL_MODEL_H
#define KERNEL_MODEL_H

#include "pagemap.h"

#include <stdbool.h>
#include <stddef.h>

/* 64 MiB aligned, and unlikely to be mapped in any process. */
#define MODEL_FIRST ((al_page)1 << 32)

enum {
    MODEL_LEAVES = 10,
    MODEL_PAGES = MODEL_LEAVES << 14 /* AL_LEAF_PAGES each */
};

#define MODEL_END (MODEL_FIRST + MODEL_PAGES)

struct kernel_model {
    /* How it behaves. */
    bool old;              /* before Linux 4.4: mlock2 is not known */
    int refusal;           /* what each mlock2 returns, if not 0 */
    unsigned refuse_in;    /* if not 0: of so many calls from now the last one is refused … */
    int refusal_then;      /* … so */
    unsigned refuse_each;  /* if not 0: each call whose number is a multiple of it is refused */
    uint64_t limit_pages;  /* RLIMIT_MEMLOCK, in pages; 0: none */
    uint64_t mappings_max; /* vm.max_map_count; 0: no bound */
    bool yields;           /* each call lets other threads go first */
    /* What became of it. */
    unsigned mlock2_calls;
    unsigned munlock_calls;
    unsigned asked;
    unsigned refusals; /* mlock2 that failed */
    unsigned stuck;    /* munlock that would have made too many mappings */
    unsigned last_flags;
    al_page last_first;
    al_page last_end;
};

extern struct kernel_model kernel_model;

/* As in a new process: nothing is mapped. */
void kernel_model_begin(void);

/* Memory comes, changes and goes. What is mapped anew is not locked. */
void kernel_model_map(al_page first, al_page end, bool accessible);
void kernel_model_protect(al_page first, al_page end, bool accessible);
void kernel_model_unmap(al_page first, al_page end);

/* mremap: the lock comes along, and what is added has it too. `to` is free, or `from`. */
void kernel_model_move(al_page from, al_page from_end, al_page to, al_page to_end);

/* The program's own calls, which do not pass through the library's door. */
void kernel_model_lock(al_page first, al_page end);
void kernel_model_unlock(al_page first, al_page end);
void kernel_model_lock_all(void);
void kernel_model_unlock_all(void);

bool kernel_model_is_mapped(al_page page);
bool kernel_model_is_locked(al_page page);

/* How many pages of [first, end) are locked. */
uint64_t kernel_model_locked(al_page first, al_page end);

/* How many mappings there are: stretches of pages that are alike. */
uint64_t kernel_model_mappings(void);

#endif
