#include "existing.h"

#include "counters.h"
#include "kernel.h"
#include "large.h"
#include "locker.h"
#include "maps.h"
#include "regions.h"
#include "sys.h"

#include <errno.h>
#include <link.h>
#include <string.h>

/* More than most programs have; what is beyond is locked after all these. */
enum { FOUND_MAX = 256 };

static struct {
    al_page first;
    al_page end;
    unsigned turn; /* enum al_kinds */
} found[FOUND_MAX] AL_LARGE;

static size_t found_count;
static int first_error;

struct segment_query {
    uintptr_t address;
    uintptr_t end; /* of the segment that holds it; 0: none */
};

static int in_segment(struct dl_phdr_info *info, size_t size, void *data)
{
    struct segment_query *query = data;
    size_t mask = al_page_size() - 1;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD)
            continue;
        if (query->address >= (start & ~mask) &&
            query->address < ((start + segment->p_memsz + mask) & ~mask)) {
            query->end = (start + segment->p_memsz + mask) & ~mask;
            return 1;
        }
    }
    return 0;
}

uintptr_t al_existing_image_end(uintptr_t address)
{
    struct segment_query query = {.address = address};

    (void)dl_iterate_phdr(in_segment, &query);
    return query.end;
}

/* Late, the loader cannot be asked. Returns where the image ends, 0 if it is none. */
static uintptr_t image_end(const struct al_mapping *mapping, bool late)
{
    unsigned kind = al_mapping_kind(mapping);

    if (late || kind == AL_KIND_HEAP || kind == AL_KIND_STACK)
        return 0;
    return al_existing_image_end(mapping->start);
}

/* In whose turn it is locked: where the loader cannot be asked, private files may be images. */
static unsigned turn_of(const struct al_mapping *mapping, unsigned kind, bool late)
{
    return late && kind == AL_KIND_FILE && !mapping->shared ? AL_KIND_IMAGE : kind;
}

/* The program's memory was locked until now, and is in the cgroup's count. */
static bool was_locked;

static void lock_one(al_page first, al_page end)
{
    int error = al_locker_lock(first, end);

    if (error == -ENOMEM && was_locked)
        al_locker_lock_there(first, end);
    if (error && !first_error)
        first_error = error;
}

static void lock_turn(unsigned turn)
{
    for (size_t i = 0; i < found_count; i++)
        if (found[i].turn == turn)
            lock_one(found[i].first, found[i].end);
}

static void lock_found(void)
{
    static const unsigned order[] = {AL_KIND_IMAGE, AL_KIND_STACK,  AL_KIND_HEAP,
                                     AL_KIND_ANON,  AL_KIND_SHARED, AL_KIND_FILE};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        lock_turn(order[i]);
    found_count = 0;
}

static void lock_later(al_page first, al_page end, unsigned turn)
{
    if (found_count == FOUND_MAX)
        lock_found();
    found[found_count].first = first;
    found[found_count].end = end;
    found[found_count].turn = turn;
    found_count++;
}

/* Counts of blocks that are there already are kept. */
static bool know(al_page first, al_page end, uint32_t word, bool late)
{
    if (!word || !al_locker_enter())
        return false;
    if (late)
        (void)al_books_change(first, end,
                              ~(uint32_t)(AL_PAGE_OWNERS | AL_PAGE_LOCKED | AL_PAGE_PROGRAM), word,
                              AL_SHARED);
    else
        (void)al_books_change(first, end, ~0U, word, AL_EXCLUSIVE);
    al_locker_leave();
    return true;
}

/*
 * The kernel lets a locked stack grow only within the limit, else it is a SIGSEGV. Locked in part
 * it is two mappings, and whoever asks for its size by the list of them (pthread_getattr_np does)
 * is told that it is hardly larger than what is in use.
 */
static bool must_grow(const struct al_mapping *mapping)
{
    return !al_books.unlimited && strcmp(mapping->name, "[stack]") == 0;
}

static void judge_one(const struct al_mapping *mapping, unsigned kind, struct al_existing *existing)
{
    al_page first = al_page_of((void *)mapping->start);
    al_page end = al_page_of((void *)mapping->end);
    bool accessible = mapping->readable || mapping->writable || mapping->executable;
    enum al_verdict verdict;
    uint32_t word = 0;

    if (kind == AL_KIND_HEAP && !existing->main_start)
        existing->main_start = mapping->start;
    verdict = al_policy_judge(&al_books.policy, kind, mapping->end - mapping->start, accessible);
    if (verdict == AL_TAKE && must_grow(mapping)) {
        al_count(AL_COUNT_skipped_kind);
        verdict = AL_SKIP_KIND;
    }
    /* Blocks from before us may lie on these pages; images are judged once. */
    if (kind == AL_KIND_HEAP || kind == AL_KIND_ANON || kind == AL_KIND_IMAGE)
        word = AL_PAGE_EARLIER | (kind == AL_KIND_IMAGE ? AL_PAGE_SEGMENT : 0U);
    if (verdict == AL_SKIP_INACCESSIBLE)
        word = kind << AL_PAGE_KIND_SHIFT | AL_PAGE_CLOSED;
    if (verdict == AL_TAKE && existing->take)
        word |= kind << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED;
    if (know(first, end, word, existing->late) && word & AL_PAGE_MAPPED)
        lock_later(first, end, turn_of(mapping, kind, existing->late));
}

/* Our own tables, which came while the list was read, are no memory of the program. */
static void judge_but_tables(struct al_mapping piece, unsigned kind, struct al_existing *existing)
{
    const uintptr_t end = piece.end;
    uintptr_t table;
    uintptr_t table_end;

    while (al_pagemap_own(piece.start, end, &table, &table_end)) {
        piece.end = table;
        if (piece.start < piece.end)
            judge_one(&piece, kind, existing);
        piece.start = table_end;
    }
    piece.end = end;
    if (piece.start < piece.end)
        judge_one(&piece, kind, existing);
}

/*
 * What lies behind a library's last variables and is no part of it (the loader's own memory, say)
 * may be one mapping with them to the kernel: it is judged by itself.
 */
static bool judge(const struct al_mapping *mapping, void *data)
{
    struct al_existing *existing = data;
    struct al_mapping piece = *mapping;

    if (al_mapping_is_kernels(mapping) || al_page_of((void *)mapping->end) > AL_PAGE_END)
        return true;
    for (; piece.start < mapping->end; piece.start = piece.end) {
        uintptr_t end = image_end(&piece, existing->late);

        piece.end = end && end < mapping->end ? end : mapping->end;
        judge_but_tables(piece, end ? AL_KIND_IMAGE : al_mapping_kind(&piece), existing);
    }
    return true;
}

/* What the program has locked by itself goes before all that we do. */
static void lock_programs(void)
{
    al_page page = 0;

    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_stretch stretch = al_pagemap_next(page, AL_PAGE_END, AL_PAGE_PROGRAM);

        if (stretch.value & AL_PAGE_PROGRAM)
            lock_one(page, stretch.end);
        page = stretch.end;
    }
}

static bool unlock_unbooked(const struct al_mapping *mapping, void *data)
{
    al_page first = al_page_of((void *)mapping->start);
    al_page end = al_page_of((void *)mapping->end);

    (void)data;
    if (al_mapping_is_kernels(mapping) || end > AL_PAGE_END)
        return true;
    if (!al_locker_enter())
        return false;
    al_locker_unlock_unbooked(first, end);
    al_locker_leave();
    return true;
}

/* What cannot be unlocked piece by piece is unlocked as a whole, and nothing is booked then. */
static void unlock_all(void)
{
    al_page page = 0;

    if (!al_locker_enter())
        return;
    (void)al_kernel_munlockall();
    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        al_page end = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;

        al_locker_forget(page, end);
        page = end;
    }
    __atomic_fetch_add(&al_books.refusals, 1, __ATOMIC_RELEASE);
    al_locker_leave();
}

/* Our own tables are in no book of the program's. */
static void unlock_rest(int error)
{
    if (error || al_maps_each(unlock_unbooked, NULL))
        unlock_all();
    if (!al_locker_enter())
        return;
    al_pagemap_lock_tables();
    al_locker_leave();
}

int al_existing_lock(struct al_existing *existing)
{
    int error;

    found_count = 0;
    first_error = 0;
    was_locked = existing->late;
    if (existing->late && al_books.program_ranges)
        lock_programs();
    error = al_maps_each(judge, existing);
    lock_found();
    if (existing->kept)
        unlock_rest(error);
    return error ? error : first_error;
}

static bool find_main_heap(const struct al_mapping *mapping, void *data)
{
    if (strcmp(mapping->name, "[heap]") != 0)
        return true;
    *(uintptr_t *)data = mapping->start;
    return false;
}

uintptr_t al_existing_main_heap(void)
{
    uintptr_t start = 0;

    (void)al_maps_each(find_main_heap, &start);
    return start;
}

static bool let_stack_grow(const struct al_mapping *mapping, void *data)
{
    al_page first = al_page_of((void *)mapping->start);
    al_page end = al_page_of((void *)mapping->end);

    (void)data;
    if (strcmp(mapping->name, "[stack]") != 0)
        return true;
    if (!al_locker_enter())
        return false;
    al_locker_unlock(first, end);
    (void)al_books_change(first, end, ~0U, 0, AL_SHARED);
    al_locker_leave();
    return false;
}

void al_existing_let_stack_grow(void)
{
    (void)al_maps_each(let_stack_grow, NULL);
}

static bool follow_stack(const struct al_mapping *mapping, void *data)
{
    const uint32_t word = AL_KIND_STACK << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED | AL_PAGE_LOCKED;
    al_page first = al_page_of((void *)mapping->start);
    al_page end = al_page_of((void *)mapping->end);

    (void)data;
    if (strcmp(mapping->name, "[stack]") != 0)
        return true;
    if ((al_pagemap_get(end - 1) & word) == word)
        (void)al_books_change(first, end, 0, word, AL_SHARED);
    return false;
}

void al_existing_follow_stack(void)
{
    (void)al_maps_each(follow_stack, NULL);
}
