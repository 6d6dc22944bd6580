/*
 * What heap_owner.c believes of the main heap, which gives memory back from its end alone: with one
 * thread by looking at the end, with several by the anchor, its highest owned page.
 *
 * Any thread; errno is untouched.
 */
#ifndef AL_MAIN_HEAP_H
#define AL_MAIN_HEAP_H

#include "pagemap.h"

/*
 * Where the heap begins, for when the kernel's list does not have it or cannot be read: from `end`
 * (0: libc has not asked for one) as far down as there is memory without a hole.
 */
uintptr_t al_main_heap_find(uintptr_t end);

/* Whether the page is one of the main heap. */
bool al_main_heap_has(al_page page);

/* Several threads: whether the page is below the highest owned one. */
bool al_main_heap_is_below(al_page page);

/* [first, end) has become owned. */
void al_main_heap_reaches(al_page first, al_page end);

/*
 * Whether [first, end), which has become owned, is one page, and locked still, as a cheap question
 * to the kernel shows: then it is believed again, and al_main_heap_reaches() has been told.
 */
bool al_main_heap_keeps(al_page first, al_page end);

/* A page of [first, end) has lost its last owner. */
void al_main_heap_leaves(al_page first, al_page end);

/*
 * How far to lock where [.., end) is to be: ahead, so that not each new page is a system call. Not
 * with several threads, where pages above the anchor are not believed anyway.
 */
al_page al_main_heap_growth(al_page end);

#endif
