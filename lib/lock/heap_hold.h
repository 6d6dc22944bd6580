/*
 * Pages that are held for blocks to come.
 *
 * A program that allocates and frees a block again and again, and nothing else on that page, would
 * have the page lose its last owner and get its first one each time: figures that all threads
 * share would change twice, and with several threads the main heap's end would be looked for. So a
 * page that its last owner leaves is held (AL_PAGE_HELD), as if one more block was on it, until
 * another page takes its place. Both ways the word alone changes then.
 *
 * What is held counts as owned where pages are given back, and as unowned where the highest owned
 * page of the main heap is looked for: only pages below that one are held there. It is believed for
 * the same reasons as a page without an owner (heap_owner.h); where none holds nothing is held.
 *
 * The bit says all; who takes it away need not know who set it. A place in the list says no more
 * than that somebody should.
 *
 * Any thread; errno is untouched.
 */
#ifndef AL_HEAP_HOLD_H
#define AL_HEAP_HOLD_H

#include "pagemap.h"

/*
 * The page is about to lose an owner; `before` is its word. True if that was the last one and the
 * owner is gone and the page held. Without the gate.
 */
bool al_heap_hold(struct al_leaf *leaf, al_page page, uint32_t before);

/* The page is not held any more. */
void al_heap_let_go(struct al_leaf *leaf, al_page page);

/* The same of all pages. */
void al_heap_let_go_all(void);

#endif
