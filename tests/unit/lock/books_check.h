/* What the tests of who owns which page share: a start, short words, and the books held against the
 * page map. */
#ifndef BOOKS_CHECK_H
#define BOOKS_CHECK_H

#include "books.h"
#include "counters.h"
#include "kernel_model.h"
#include "options.h"
#include "unit.h"

/* Mode alloc for these kinds over an empty simulated kernel, without a limit. */
void books_begin(unsigned kinds);

/* A page of the simulated stretch, and its first byte. */
static inline al_page page_at(size_t index)
{
    return MODEL_FIRST + index;
}

static inline char *address_at(size_t index)
{
    return al_page_address(page_at(index));
}

/* The same in leaf `leaf` of the stretch. */
static inline size_t in_leaf(size_t leaf, size_t index)
{
    return leaf * AL_LEAF_PAGES + index;
}

/* Maps accessible pages. */
void map_pages(size_t index, size_t count);

/* The sum of a counter over all threads. */
uint64_t counted(enum al_counter counter);

/*
 * Every figure of the books is what the words add up to, and no page is being unlocked. What is
 * locked for certain, as far as the words say, is locked in the kernel's eyes.
 */
void check_books(void);

/* The same where runs were counted while threads ran: approximate. */
void check_books_but_runs(void);

/* Exactly the pages [index, index + count) of the whole stretch are locked. */
void check_only_locked(size_t index, size_t count);

/* Word bits of a page that are set, without the owners. */
static inline uint32_t bits_of(size_t index)
{
    return al_pagemap_get(page_at(index)) & ~(uint32_t)AL_PAGE_OWNERS;
}

static inline unsigned owners_of(size_t index)
{
    return (al_pagemap_get(page_at(index)) & AL_PAGE_OWNERS) / AL_PAGE_OWNER;
}

#endif
