/*
 * What the tests of blocks as owners of pages share: a main heap whose end moves, a thread's heap,
 * and the allocator that the library believes to be behind it.
 */
#ifndef HEAP_OWNER_CHECK_H
#define HEAP_OWNER_CHECK_H

#include "books_check.h"
#include "heap_owner.h"
#include "locker.h"

enum { PAGE = 4096 };

/* The main heap lies across the end of a leaf; its end is where __curbrk would point. */
static const size_t heap = AL_LEAF_PAGES - 1000;
static const size_t arena = 3 * AL_LEAF_PAGES;
static const size_t elsewhere = 6 * AL_LEAF_PAGES;

/* What the allocator behind the hooks does: what it gives out, how often, and which block is none
 * of a heap's. */
extern void *planted;
extern unsigned plantings;
extern unsigned takings_back;
extern const char *own_mapping;
extern struct al_allocator allocator;

/* Unseen by the library. */
void grow_heap(size_t pages);
void shrink_heap(size_t pages);

/* The library's start, for blocks of these sizes. */
void start_for(uint64_t min_size, uint64_t max_size);

/* Mapped memory, a main heap of 500 pages, and the start for blocks of every size. */
void heap_owner_begin(void);

/* The tests of heap_owner_heaps.c. */
void heap_owner_add_heaps(TCase *tests);

/* A block from byte `offset` of page `index` on. */
static inline void own(size_t index, size_t offset, size_t usable)
{
    al_heap_look();
    al_heap_own(address_at(index) + offset, usable);
}

static inline void disown(size_t index, size_t offset, size_t usable)
{
    al_heap_disown(address_at(index) + offset, usable);
}

static inline bool is_locked(size_t index)
{
    return kernel_model_is_locked(page_at(index));
}

static inline void expect_locked(size_t index, size_t count)
{
    ck_assert_uint_eq(kernel_model_locked(page_at(index), page_at(index + count)), count);
}

#endif
