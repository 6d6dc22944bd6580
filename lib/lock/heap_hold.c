#include "heap_hold.h"

#include "heap_owner.h"
#include "large.h"
#include "locker.h"
#include "main_heap.h"

#include <assert.h>

/* A small part of the least slack, which they are held against. */
enum { PLACES = 32, PLACES_LOG2 = 5 };

static_assert(PLACES == 1 << PLACES_LOG2, "as many places as numbers of them");

static al_page held[PLACES] AL_LARGE;

/* Thread arenas lie 64 MiB apart, blocks in one near each other: all bits of the number count. */
static al_page *place_of(al_page page)
{
    return &held[page * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PLACES_LOG2)];
}

/* Whether a page is believed that has no owner. With several threads the anchor may move. */
static bool is_safe(const struct al_leaf *leaf, al_page page)
{
    if (al_main_heap_has(page))
        return !al_books.several_threads || al_main_heap_is_below(page);
    return __atomic_load_n(&leaf->anchored, __ATOMIC_ACQUIRE);
}

/* Its last owner, locked for certain, and owned by no mapping. */
static bool may_be_held(uint32_t word)
{
    const uint32_t state = AL_PAGE_OWNERS | AL_PAGE_HELD | AL_PAGE_MAPPED | AL_PAGE_LOCKED |
                           AL_PAGE_UNSURE | AL_PAGE_LEAVING | AL_PAGE_EARLIER;

    return (word & state) == (AL_PAGE_LOCKED | AL_PAGE_OWNER);
}

void al_heap_let_go(struct al_leaf *leaf, al_page page)
{
    uint32_t *word = al_leaf_word(leaf, page);
    uint32_t before = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    if (!(before & AL_PAGE_HELD))
        return;
    before = __atomic_fetch_and(word, ~(uint32_t)AL_PAGE_HELD, __ATOMIC_SEQ_CST);
    if (before & AL_PAGE_HELD && al_word_unowned(before & ~(uint32_t)AL_PAGE_HELD))
        al_books_unowned(leaf, 1);
}

static void let_go(al_page page)
{
    struct al_leaf *leaf = al_pagemap_leaf(page);

    if (leaf)
        al_heap_let_go(leaf, page);
}

/* The owner is there after all. */
static void take_back(struct al_leaf *leaf, al_page page)
{
    uint32_t before = __atomic_fetch_add(al_leaf_word(leaf, page), AL_PAGE_OWNER, __ATOMIC_SEQ_CST);

    if (al_word_unowned(before))
        al_books_unowned(leaf, -1);
    al_heap_let_go(leaf, page);
}

bool al_heap_hold(struct al_leaf *leaf, al_page page, uint32_t before)
{
    uint32_t after = (before - AL_PAGE_OWNER) | AL_PAGE_HELD;
    al_page other;

    if (!al_heap_owner.allocator.holds || !may_be_held(before) || !is_safe(leaf, page))
        return false;
    if (!__atomic_compare_exchange_n(al_leaf_word(leaf, page), &before, after, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    /* Whoever lowers the anchor to this page meanwhile has seen that it is held, or is seen. */
    if (!is_safe(leaf, page)) {
        take_back(leaf, page);
        return false;
    }
    other = __atomic_exchange_n(place_of(page), page, __ATOMIC_ACQ_REL);
    if (!other)
        __atomic_fetch_add(&al_books.held_pages, 1, __ATOMIC_RELAXED);
    else if (other != page)
        let_go(other);
    if (other != page)
        al_locker_trim();
    return true;
}

void al_heap_let_go_all(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        al_page page = __atomic_load_n(&held[i], __ATOMIC_RELAXED);

        if (page && (page = __atomic_exchange_n(&held[i], 0, __ATOMIC_ACQ_REL))) {
            let_go(page);
            __atomic_fetch_sub(&al_books.held_pages, 1, __ATOMIC_RELAXED);
        }
    }
}
