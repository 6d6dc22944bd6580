/* What the tests of mappings as owners of pages share. */
#ifndef REGIONS_CHECK_H
#define REGIONS_CHECK_H

#include "books_check.h"
#include "regions.h"

static const unsigned anon = AL_KIND_ANON;

/* As the hooks do: the real call, and the word about it, in the right order. */
static inline void map(size_t index, size_t count, unsigned kind, bool accessible)
{
    kernel_model_map(page_at(index), page_at(index + count), accessible);
    al_region_mapped(address_at(index), count << al_page_shift, kind, accessible);
}

static inline void unmap(size_t index, size_t count)
{
    al_region_unmapping(address_at(index), count << al_page_shift);
    kernel_model_unmap(page_at(index), page_at(index + count));
}

static inline void protect(size_t index, size_t count, bool accessible)
{
    kernel_model_protect(page_at(index), page_at(index + count), accessible);
    al_region_protected(address_at(index), count << al_page_shift, accessible, false);
}

static inline void move(size_t from, size_t count, size_t to, size_t new_count)
{
    struct al_region_state state = al_region_state_at(address_at(from), 0);

    al_region_unmapping(address_at(from), count << al_page_shift);
    kernel_model_move(page_at(from), page_at(from + count), page_at(to), page_at(to + new_count));
    al_region_moved(address_at(to), new_count << al_page_shift, state);
}

static inline void program_locks(size_t index, size_t count)
{
    kernel_model_lock(page_at(index), page_at(index + count));
    al_region_program_locked(address_at(index), count << al_page_shift);
}

static inline void program_unlocks(size_t index, size_t count)
{
    kernel_model_unlock(page_at(index), page_at(index + count));
    al_region_program_unlocked(address_at(index), count << al_page_shift);
}

static inline void expect_locked(size_t index, size_t count)
{
    ck_assert_uint_eq(kernel_model_locked(page_at(index), page_at(index + count)), count);
}

/* The tests of regions_own_locks.c. */
void regions_add_own_locks(TCase *tests);

#endif
