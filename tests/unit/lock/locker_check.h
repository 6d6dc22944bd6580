/* What the tests of the locker share: all pages of the stretch are mapped and have no owner. */
#ifndef LOCKER_CHECK_H
#define LOCKER_CHECK_H

#include "books_check.h"
#include "downgrades.h"
#include "locker.h"

static inline void locker_begin(void)
{
    al_downgrades_begin(0);
    books_begin(AL_KIND_HEAP);
    map_pages(0, MODEL_PAGES);
}

/* Gives pages an owner, or takes it away. */
static inline void own(size_t index, size_t count)
{
    ck_assert(
        al_books_change(page_at(index), page_at(index + count), 0, AL_PAGE_OWNER, AL_EXCLUSIVE));
}

static inline void disown(size_t index, size_t count)
{
    ck_assert(
        al_books_change(page_at(index), page_at(index + count), AL_PAGE_OWNERS, 0, AL_EXCLUSIVE));
}

static inline int lock(size_t index, size_t count)
{
    return al_locker_lock(page_at(index), page_at(index + count));
}

static inline void own_and_lock(size_t index, size_t count)
{
    own(index, count);
    ck_assert_int_eq(lock(index, count), 0);
}

static inline void set(size_t index, size_t count, uint32_t bits)
{
    ck_assert(al_books_change(page_at(index), page_at(index + count), 0, bits, AL_SHARED));
}

static inline bool is_locked(size_t index)
{
    return kernel_model_is_locked(page_at(index));
}

#endif
