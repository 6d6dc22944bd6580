#include "pagemap.h"

#include "kernel.h"
#include "large.h"
#include "sys.h"

#include <assert.h>
#include <sys/mman.h>

static_assert(AL_PAGE_KIND_MASK < AL_PAGE_LEAVING && AL_PAGE_PROGRAM < AL_PAGE_OWNER &&
                  AL_PAGE_OWNERS < AL_PAGE_HELD,
              "bits of a page's word do not overlap");
static_assert(!(AL_PAGE_KIND_MASK & AL_SPAN_MARK), "a word has the mark's bit to spare");

struct al_branch *al_pagemap_root[AL_ROOT_BRANCHES] AL_MAPPED_APART __attribute__((aligned(4096)));
static bool root_left_out;

#if !defined(al_page_shift)
unsigned al_page_shift = 12;
#endif

/* No address is in a leaf that begins here. */
#define NO_START (UINTPTR_MAX / 2 + 1)

/* Stands for none. Of a leaf only its beginning is looked at, so only that is there. */
static struct {
    uintptr_t start;
} __attribute__((aligned(_Alignof(struct al_leaf)))) no_leaf = {.start = NO_START};

static_assert(offsetof(struct al_leaf, start) == 0, "no_leaf is how a leaf begins");

struct al_leaf *al_leaf_recent = (struct al_leaf *)(void *)&no_leaf;

static size_t bytes;

/* More than there are when the kernel's list of mappings is read at start. */
enum { TABLES_KNOWN = 64 };

static struct {
    uintptr_t start;
    uintptr_t end;
} tables[TABLES_KNOWN];

static size_t table_count;

/* Not lasting ones of which nothing was known any more. The last few are as they were; the others
 * have given back their memory, and are not locked. */
enum { WARM_LEAVES = 8, WARM_USES = 4 };

static struct al_leaf *free_leaves;
static struct al_leaf *cold_leaves;
static unsigned warm_leaves;

static bool tables_locked;
static uint64_t locked_pages;

bool (*al_pagemap_has_room)(uint64_t pages);

void al_pagemap_init(bool lock_tables)
{
    tables_locked = lock_tables;
#if !defined(al_page_shift)
    al_page_shift = (unsigned)__builtin_ctzl(al_page_size());
#endif
}

size_t al_pagemap_bytes(void)
{
    return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

al_page al_pagemap_locked_pages(void)
{
    return __atomic_load_n(&locked_pages, __ATOMIC_RELAXED);
}

static size_t pages_of(size_t size)
{
    return (size + ((size_t)1 << al_page_shift) - 1) >> al_page_shift;
}

/* On fault, and only what the budget has room for. */
static bool lock_table(const void *table, size_t size)
{
    if (!tables_locked || (al_pagemap_has_room && !al_pagemap_has_room(pages_of(size))) ||
        al_kernel_mlock2(table, size, AL_MLOCK_ONFAULT))
        return false;
    __atomic_fetch_add(&locked_pages, pages_of(size), __ATOMIC_RELAXED);
    return true;
}

/* Written only where it changes: after a fork it is shared with the parent. */
static void lock_leaf(struct al_leaf *leaf)
{
    bool locked = lock_table(leaf, sizeof(*leaf));

    if (leaf->locked != locked)
        leaf->locked = locked;
}

static long protect_root(int protection)
{
    return al_sys3(SYS_mprotect, al_pagemap_root, sizeof(al_pagemap_root), protection);
}

/* What can only be read is brought in as the kernel's one page of zeroes. Where pages are larger,
 * the root is not on pages of its own, and stays as it is. */
void al_pagemap_leave_out(void)
{
    if (!bytes && !(sizeof(al_pagemap_root) % al_page_size()) && !protect_root(PROT_READ))
        root_left_out = true;
}

static bool take_root_in(void)
{
    if (root_left_out && protect_root(PROT_READ | PROT_WRITE))
        return false;
    root_left_out = false;
    return true;
}

/* Zeroed memory for ever. A table that is swapped out would stall malloc. */
static void *more(size_t size)
{
    long mapped =
        al_sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (al_sys_failed(mapped))
        return NULL;
    if (table_count < TABLES_KNOWN) {
        size_t mask = al_page_size() - 1;

        tables[table_count].start = (uintptr_t)mapped;
        tables[table_count].end = (uintptr_t)mapped + ((size + mask) & ~mask);
        table_count++;
    }
    __atomic_fetch_add(&bytes, size, __ATOMIC_RELAXED);
    return (void *)mapped;
}

bool al_pagemap_own(uintptr_t start, uintptr_t end, uintptr_t *ret_start, uintptr_t *ret_end)
{
    bool found = false;

    for (size_t i = 0; i < table_count; i++) {
        if (tables[i].end <= start || tables[i].start >= end)
            continue;
        if (found && tables[i].start > *ret_start)
            continue;
        *ret_start = tables[i].start;
        *ret_end = tables[i].end;
        found = true;
    }
    return found;
}

/* The entry of the page's leaf, its branch made if asked; NULL if there is none. */
static uintptr_t *entry_of(al_page page, bool make)
{
    size_t leaf = (size_t)(page / AL_LEAF_PAGES);
    struct al_branch **slot;
    struct al_branch *branch;

    if (page >= AL_PAGE_END)
        return NULL;
    slot = &al_pagemap_root[leaf / AL_BRANCH_LEAVES];
    branch = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!branch) {
        if (!make || !take_root_in())
            return NULL;
        branch = more(sizeof(*branch));
        if (!branch)
            return NULL;
        (void)lock_table(branch, sizeof(*branch));
        __atomic_store_n(slot, branch, __ATOMIC_RELEASE);
    }
    return &branch->entry[leaf % AL_BRANCH_LEAVES];
}

static bool is_leaf(uintptr_t entry)
{
    return entry && !(entry & AL_SPAN_MARK);
}

static struct al_leaf *leaf_of(uintptr_t entry)
{
    return is_leaf(entry) ? (struct al_leaf *)(entry & ~AL_BRIEF_MARK) : NULL;
}

static struct al_leaf *take_from(struct al_leaf **list)
{
    struct al_leaf *leaf = *list;

    if (leaf)
        __atomic_store_n(list, leaf->next_free, __ATOMIC_RELEASE);
    return leaf;
}

/* In this order, as a child of fork may go on with any of it. */
static void put_into(struct al_leaf **list, struct al_leaf *leaf)
{
    __atomic_store_n(&leaf->next_free, *list, __ATOMIC_RELEASE);
    __atomic_store_n(list, leaf, __ATOMIC_RELEASE);
}

/* All words are 0. */
static struct al_leaf *take_leaf(void)
{
    struct al_leaf *leaf = take_from(&free_leaves);

    if (leaf) {
        warm_leaves--;
        return leaf;
    }
    leaf = take_from(&cold_leaves);
    if (!leaf)
        leaf = more(sizeof(*leaf));
    if (leaf)
        lock_leaf(leaf);
    return leaf;
}

/* Its memory goes back to the kernel, to be zeroes when it is read again: whoever still looks at a
 * word of its sees one. */
static void cool(struct al_leaf *leaf)
{
    const size_t pages = pages_of(sizeof(*leaf));

    if (leaf->locked && al_kernel_munlock(leaf, sizeof(*leaf)) == 0)
        __atomic_fetch_sub(&locked_pages, pages, __ATOMIC_RELAXED);
    (void)al_sys3(SYS_madvise, leaf, pages << al_page_shift, MADV_DONTNEED);
    __atomic_store_n(&leaf->start, NO_START, __ATOMIC_RELAXED);
    leaf->locked = false;
}

static void free_leaf(struct al_leaf *leaf)
{
    /* Each time other pages of it are used. */
    if (warm_leaves < WARM_LEAVES && leaf->uses < WARM_USES) {
        leaf->uses++;
        warm_leaves++;
        put_into(&free_leaves, leaf);
        return;
    }
    cool(leaf);
    put_into(&cold_leaves, leaf);
}

static struct al_leaf *make_leaf(uintptr_t *entry, al_page page)
{
    struct al_leaf *leaf = take_leaf();

    if (!leaf)
        return NULL;
    leaf->index = (size_t)(page / AL_LEAF_PAGES);
    __atomic_store_n(&leaf->start, NO_START, __ATOMIC_RELAXED);
    if (*entry) {
        uint32_t value = (uint32_t)(*entry & ~AL_SPAN_MARK);

        leaf->unowned = al_word_unowned(value) ? AL_LEAF_PAGES : 0;
        leaf->known = AL_LEAF_PAGES;
        for (size_t i = 0; i < AL_LEAF_PAGES; i++)
            __atomic_store_n(&leaf->word[i], value, __ATOMIC_RELAXED);
    }
    __atomic_store_n(entry, (uintptr_t)leaf | AL_BRIEF_MARK, __ATOMIC_RELEASE);
    return leaf;
}

struct al_leaf *al_pagemap_any_leaf(al_page page)
{
    const uintptr_t *entry = entry_of(page, false);

    return entry ? leaf_of(__atomic_load_n(entry, __ATOMIC_ACQUIRE)) : NULL;
}

struct al_leaf *al_pagemap_make_any_leaf(al_page page)
{
    uintptr_t *entry = entry_of(page, true);

    if (!entry)
        return NULL;
    return is_leaf(*entry) ? leaf_of(*entry) : make_leaf(entry, page);
}

struct al_leaf *al_pagemap_make_leaf(al_page page)
{
    struct al_leaf *leaf = al_pagemap_make_any_leaf(page);

    if (leaf && !leaf->lasting) {
        leaf->lasting = true;
        __atomic_store_n(&leaf->start,
                         (uintptr_t)al_page_address(page / AL_LEAF_PAGES * AL_LEAF_PAGES),
                         __ATOMIC_RELEASE);
        __atomic_store_n(entry_of(page, false), (uintptr_t)leaf, __ATOMIC_RELEASE);
    }
    return leaf;
}

void al_pagemap_drop_empty(al_page page)
{
    uintptr_t *entry = entry_of(page, false);
    struct al_leaf *leaf = entry ? leaf_of(*entry) : NULL;

    if (!leaf || leaf->lasting || leaf->known)
        return;
    __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
    free_leaf(leaf);
}

static bool is_empty(const struct al_leaf *leaf)
{
    uint32_t any = leaf->anchored;

    for (size_t i = 0; i < AL_LEAF_PAGES && !any; i++)
        any = __atomic_load_n(&leaf->word[i], __ATOMIC_RELAXED);
    return !any;
}

void al_pagemap_retire(al_page first, al_page end)
{
    for (; first < end; first = (first / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES) {
        struct al_leaf *leaf = al_pagemap_leaf(first);

        if (!leaf || !is_empty(leaf))
            continue;
        __atomic_store_n(&leaf->start, NO_START, __ATOMIC_RELEASE);
        leaf->lasting = false;
        leaf->known = 0;
        leaf->unowned = 0;
        leaf->refusals = 0;
        al_pagemap_drop_empty(first);
    }
}

uint32_t al_pagemap_get(al_page page)
{
    const uintptr_t *entry = entry_of(page, false);
    uintptr_t seen = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;

    while (is_leaf(seen)) {
        uint32_t word = __atomic_load_n(al_leaf_word(leaf_of(seen), page), __ATOMIC_ACQUIRE);
        uintptr_t before = seen;

        if (!(seen & AL_BRIEF_MARK))
            return word;
        /* It may have become that of other pages meanwhile. */
        seen = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
        if (seen == before)
            return word;
    }
    return (uint32_t)(seen & ~AL_SPAN_MARK);
}

static al_page leaf_end(al_page page, al_page end)
{
    al_page next = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;

    return next < end ? next : end;
}

struct al_stretch al_pagemap_next(al_page first, al_page end, uint32_t mask)
{
    struct al_stretch stretch = {.first = first, .end = leaf_end(first, end)};
    struct al_leaf *leaf = al_pagemap_any_leaf(first);

    stretch.value = al_pagemap_get(first);
    if (!leaf)
        return stretch;
    for (al_page page = first + 1; page < stretch.end; page++) {
        uint32_t word = __atomic_load_n(al_leaf_word(leaf, page), __ATOMIC_RELAXED);

        if ((word ^ stretch.value) & mask) {
            stretch.end = page;
            break;
        }
    }
    return stretch;
}

bool al_pagemap_all(al_page first, al_page end, uint32_t mask, uint32_t value)
{
    while (first < end) {
        struct al_stretch stretch = al_pagemap_next(first, end, mask);

        if ((stretch.value & mask) != value)
            return false;
        first = stretch.end;
    }
    return true;
}

bool al_pagemap_set(al_page first, al_page end, uint32_t value)
{
    bool done = true;

    while (first < end) {
        al_page stop = leaf_end(first, end);
        uintptr_t *entry = entry_of(first, value != 0);

        if (!entry) {
            done = done && value == 0;
        } else if (stop - first == AL_LEAF_PAGES && (!*entry || *entry & AL_SPAN_MARK)) {
            uintptr_t span = value ? value | AL_SPAN_MARK : 0;

            __atomic_store_n(entry, span, __ATOMIC_RELEASE);
        } else if (*entry != (value | (value ? AL_SPAN_MARK : 0))) {
            struct al_leaf *leaf = al_pagemap_make_any_leaf(first);

            done = done && leaf;
            for (al_page page = first; leaf && page < stop; page++) {
                uint32_t *word = al_leaf_word(leaf, page);

                al_leaf_note(leaf, *word, value);
                __atomic_store_n(word, value, __ATOMIC_RELAXED);
            }
            al_pagemap_drop_empty(first);
        }
        first = stop;
    }
    return done;
}

al_page al_pagemap_skip(al_page first, al_page end)
{
    const al_page branch_pages = AL_BRANCH_LEAVES * AL_LEAF_PAGES;

    while (first < end && first < AL_PAGE_END) {
        const uintptr_t *entry = entry_of(first, false);

        if (!entry) {
            first = (first / branch_pages + 1) * branch_pages;
            continue;
        }
        if (__atomic_load_n(entry, __ATOMIC_RELAXED))
            return first;
        first = (first / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;
    }
    return end;
}

void al_pagemap_lock_tables(void)
{
    al_page page = 0;

    locked_pages = 0;

    for (size_t i = 0; tables_locked && i < AL_ROOT_BRANCHES; i++)
        if (al_pagemap_root[i])
            (void)lock_table(al_pagemap_root[i], sizeof(struct al_branch));
    while (tables_locked && (page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_leaf *leaf = al_pagemap_any_leaf(page);

        if (leaf)
            lock_leaf(leaf);
        page = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;
    }
    for (struct al_leaf *leaf = free_leaves; tables_locked && leaf; leaf = leaf->next_free)
        lock_leaf(leaf);
}
