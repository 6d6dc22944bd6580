#include "regions.h"

#include "counters.h"
#include "headroom.h"
#include "hold.h"
#include "locker.h"
#include "maps.h"
#include "stall.h"

#include <string.h>
#include <sys/mman.h>

static uint32_t word_of(unsigned kind, uint32_t state)
{
    return kind << AL_PAGE_KIND_SHIFT | state;
}

static void count_verdict(enum al_verdict verdict)
{
    static const enum al_counter counters[] = {[AL_SKIP_KIND] = AL_COUNT_skipped_kind,
                                               [AL_SKIP_SIZE] = AL_COUNT_skipped_size,
                                               [AL_SKIP_INACCESSIBLE] =
                                                   AL_COUNT_skipped_inaccessible};

    if (verdict != AL_TAKE)
        al_count(counters[verdict]);
}

/* Sets what is known of [first, end), with the books following. */
static bool know(al_page first, al_page end, uint32_t word)
{
    bool done;

    if (!al_locker_enter_mapping())
        return false;
    done = al_books_change(first, end, ~0U, word, AL_EXCLUSIVE);
    al_locker_leave();
    return done;
}

static void know_and_lock(al_page first, al_page end, uint32_t word,
                          int (*lock)(al_page first, al_page end))
{
    uint64_t began = al_stall_begin();

    al_hold_begin();
    if (know(first, end, word))
        (void)lock(first, end);
    al_hold_end();
    al_stall_end(began);
}

/* `also` is what its pages' words have besides. */
static void take(const void *start, size_t length, unsigned kind, bool accessible, uint32_t also,
                 int (*lock)(al_page first, al_page end))
{
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);
    enum al_verdict verdict;
    uint32_t word = 0;

    if (!al_books.tracking || end > AL_PAGE_END)
        return;
    verdict = al_policy_judge(&al_books.policy, kind, (end - first) << al_page_shift, accessible);
    count_verdict(verdict);
    if (verdict == AL_TAKE) {
        know_and_lock(first, end, word_of(kind, AL_PAGE_MAPPED | also), lock);
        return;
    }
    if (verdict == AL_SKIP_INACCESSIBLE)
        word = word_of(kind, AL_PAGE_CLOSED);
    else if (verdict == AL_SKIP_SIZE)
        word = word_of(kind, 0); /* mremap may change the size, not the kind */
    (void)know(first, end, word | also);
}

void al_region_mapped(const void *start, size_t length, unsigned kind, bool accessible)
{
    take(start, length, kind, accessible, 0, al_locker_lock_mapping);
}

void al_region_mapped_sparse(const void *start, size_t length, unsigned kind, bool accessible)
{
    take(start, length, kind, accessible && al_books.unlimited, 0, al_locker_lock_sparse);
}

void al_region_joined(const void *start, size_t length, unsigned kind)
{
    al_page page = al_page_of(start);
    uint64_t began;

    if (!al_books.tracking || page >= AL_PAGE_END ||
        al_policy_judge(&al_books.policy, kind, length, true) != AL_TAKE ||
        !al_locker_enter_mapping())
        return;
    (void)al_books_change(page, page + 1, AL_PAGE_KIND_MASK, word_of(kind, AL_PAGE_MAPPED),
                          AL_SHARED);
    al_locker_leave();
    began = al_stall_begin();
    (void)al_locker_lock_mapping(page, page + 1);
    al_stall_end(began);
}

unsigned al_region_kind(int flags)
{
    if (flags & (MAP_STACK | MAP_GROWSDOWN))
        return AL_KIND_STACK;
    if (!(flags & MAP_ANONYMOUS))
        return AL_KIND_FILE;
    return (flags & MAP_TYPE) == MAP_PRIVATE ? AL_KIND_ANON : AL_KIND_SHARED;
}

void al_region_backing(const void *start, size_t length)
{
    if (!al_books.tracking && !al_books.program_ranges)
        return;
    (void)know(al_page_of(start), al_page_end_of(start, length), 0);
    al_locker_trim(); /* with less locked, fewer may be without an owner */
}

/* Whether the kernel can unmap this at all. */
static bool is_range(const void *start, size_t length)
{
    size_t mask = ((size_t)1 << al_page_shift) - 1;
    al_page end = al_page_end_of(start, length);

    return !((size_t)start & mask) && length && end <= AL_PAGE_END && end >= al_page_of(start);
}

void al_region_unmapping(const void *start, size_t length)
{
    /* What is smaller has hardly a leaf for itself. */
    const size_t much = AL_LEAF_PAGES / 16;
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);

    if (!is_range(start, length))
        return;
    al_region_backing(start, length);
    if (end - first < much || !al_books.tracking || !al_locker_enter_mapping())
        return;
    al_pagemap_retire(first, end);
    al_locker_leave();
}

struct range {
    uintptr_t start;
    uintptr_t end;
};

unsigned al_mapping_kind(const struct al_mapping *mapping)
{
    if (strcmp(mapping->name, "[heap]") == 0)
        return AL_KIND_HEAP;
    if (strncmp(mapping->name, "[stack", 6) == 0)
        return AL_KIND_STACK;
    /* Shared memory without a file has the name of one that is gone. */
    if (mapping->shared &&
        (strncmp(mapping->name, "/dev/zero", 9) == 0 || strncmp(mapping->name, "/SYSV", 5) == 0))
        return AL_KIND_SHARED;
    if (mapping->name[0] == '/')
        return AL_KIND_FILE;
    return mapping->shared ? AL_KIND_SHARED : AL_KIND_ANON;
}

static bool judge_anew(const struct al_mapping *mapping, void *data)
{
    const struct range *range = data;
    uintptr_t start = mapping->start > range->start ? mapping->start : range->start;
    uintptr_t end = mapping->end < range->end ? mapping->end : range->end;

    if (mapping->start >= range->end)
        return false;
    if (start < end) {
        al_region_mapped((void *)start, end - start, al_mapping_kind(mapping),
                         mapping->readable || mapping->writable || mapping->executable);
    }
    return true;
}

void al_region_still_mapped(const void *start, size_t length)
{
    struct range range = {(uintptr_t)start, (uintptr_t)start + length};

    if (al_books.tracking && is_range(start, length))
        (void)al_maps_each(judge_anew, &range);
}

static void close_pages(al_page first, al_page end)
{
    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, AL_PAGE_MAPPED);

        if (stretch.value & AL_PAGE_MAPPED && al_locker_enter_mapping()) {
            (void)al_books_change(stretch.first, stretch.end, AL_PAGE_MAPPED, AL_PAGE_CLOSED,
                                  AL_SHARED);
            al_locker_leave();
        }
        first = stretch.end;
    }
    al_locker_trim();
}

/*
 * Judges a piece of a reservation that became accessible. It may have been so before, and locked;
 * where it does not qualify now, the lock goes.
 */
static void open_pages(al_page first, al_page end, unsigned kind, bool backing)
{
    bool locked = !al_pagemap_all(first, end, AL_PAGE_LOCKED, 0);
    void *start = al_page_address(first);
    size_t length = (size_t)(end - first) << al_page_shift;
    bool program = al_region_program_has(start, length);

    if (backing)
        al_region_backing(start, length);
    else
        take(start, length, kind, true, program ? AL_PAGE_PROGRAM : 0, al_locker_lock_mapping);
    if (backing && program)
        al_region_program_locked(start, length);
    if (locked)
        al_locker_unlock_rest(first, end);
}

/* Finds the reservations in [first, end), each stretch of one kind. */
void al_region_protected(const void *start, size_t length, bool accessible, bool backing)
{
    const uint32_t mask = AL_PAGE_CLOSED | AL_PAGE_KIND_MASK;
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);

    if (!al_books.tracking || end > AL_PAGE_END)
        return;
    if (!accessible) {
        close_pages(first, end);
        return;
    }
    while (first < end) {
        al_page next = first;
        unsigned kind = al_word_kind(al_pagemap_get(first));
        bool closed = al_pagemap_get(first) & AL_PAGE_CLOSED;

        while (next < end) {
            struct al_stretch stretch = al_pagemap_next(next, end, mask);

            if (!!(stretch.value & AL_PAGE_CLOSED) != closed || al_word_kind(stretch.value) != kind)
                break;
            next = stretch.end;
        }
        if (closed)
            open_pages(first, next, kind, backing);
        first = next;
    }
}

/* Whether the cgroup has room for what the kernel brings in as locked memory grows. */
static bool may_grow(size_t more, size_t *ret_held)
{
    if (al_books.observe || al_books.lock_flags)
        return true;
    if (more <= al_headroom_share(SIZE_MAX))
        return al_headroom_has(more);
    if (!al_headroom_spares(more, AL_HEADROOM_REGION))
        return false;
    *ret_held = al_headroom_take(more) ? more : 0;
    return *ret_held;
}

size_t al_region_growing(const void *start, size_t length, size_t new_length)
{
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);
    size_t held = 0;

    if (!al_books.tracking || new_length <= length || first >= end ||
        al_pagemap_get(first) & AL_PAGE_PROGRAM ||
        ((new_length - length) >> al_page_shift <= al_books_left() &&
         may_grow(new_length - length, &held)) ||
        !al_locker_enter_mapping())
        return held;
    al_locker_unlock(first, end);
    al_locker_forget(first, end);
    al_locker_leave();
    return 0;
}

struct al_region_state al_region_state_at(const void *start, size_t length)
{
    uint32_t word = al_pagemap_get(al_page_of(start));

    return (struct al_region_state){.kind = al_word_kind(word),
                                    .closed = word & AL_PAGE_CLOSED,
                                    .program = al_region_program_has(start, length)};
}

void al_region_moved(const void *start, size_t length, struct al_region_state state)
{
    if (!al_books.tracking || !state.kind) {
        al_region_backing(start, length);
        if (state.program)
            al_region_program_locked(start, length);
        return;
    }
    take(start, length, state.kind, !state.closed, state.program ? AL_PAGE_PROGRAM : 0,
         al_locker_lock_mapping);
    /* The lock came along; where it does not qualify any more, or cannot be had, it goes. */
    al_locker_unlock_rest(al_page_of(start), al_page_end_of(start, length));
}

static bool find_length(const struct al_mapping *mapping, void *data)
{
    struct range *range = data;

    if (mapping->start != range->start)
        return mapping->start < range->start;
    range->end = mapping->end;
    return false;
}

size_t al_region_length_at(const void *start)
{
    struct range range = {(uintptr_t)start, (uintptr_t)start};

    (void)al_maps_each(find_length, &range);
    return range.end - range.start;
}

void al_region_emptying(const void *start, size_t length)
{
    if (al_books.tracking)
        al_locker_unlock(al_page_of(start), al_page_end_of(start, length));
}

void al_region_emptied(const void *start, size_t length)
{
    al_page first = al_page_of(start);
    al_page end = al_page_end_of(start, length);

    if (!al_books.tracking || !length || end > AL_PAGE_END)
        return;
    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, AL_PAGE_LOCKED);

        if (stretch.value & AL_PAGE_LOCKED)
            al_locker_note(stretch.first, stretch.end, 0, AL_PAGE_UNSURE);
        first = stretch.end;
    }
}
