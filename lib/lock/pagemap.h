/*
 * What is known of each page of the address space: one word a page, in a tree of three levels.
 *
 *   address  47          37 36        26 25          12 11      0
 *            [   root    ] [  branch   ] [    page    ] [ byte  ]
 *
 * A leaf covers 64 MiB (the size and alignment of a glibc thread arena), made when a page in it
 * first differs from the rest; a span that is all alike needs none, so that a mapping of a terabyte
 * costs 16,384 entries.
 *
 * Leaves with heap blocks are lasting: a pointer to a word of theirs stays good until its memory is
 * unmapped (al_pagemap_retire), and anybody reads and changes it atomically (owners are counted
 * so). All others belong to who holds the books' gate (books.h); when the last of their pages is
 * forgotten they are used again for other addresses, as some programs have each of their mappings
 * elsewhere. The tree grows, and spans are set, with the gate.
 */
#ifndef AL_PAGEMAP_H
#define AL_PAGEMAP_H

#include "hidden.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page's number: its address in pages. */
typedef uint64_t al_page;

#define AL_LEAF_PAGES    ((size_t)1 << 14)
#define AL_BRANCH_LEAVES ((size_t)1 << 11)
#define AL_ROOT_BRANCHES ((size_t)1 << 11)

/* Pages above are not mapped by the kernel unless a program asks for them by address. */
#define AL_PAGE_END      ((al_page)AL_ROOT_BRANCHES * AL_BRANCH_LEAVES * AL_LEAF_PAGES)

/*
 * The bits of a page's word. What malloc asks of it (al_word_settled) is one comparison because of
 * their order. The lowest bit is free (AL_SPAN_MARK).
 */
enum {
    AL_PAGE_KIND_SHIFT = 1,    /* enum al_kinds of its mapping, where MAPPED or CLOSED */
    AL_PAGE_LEAVING = 1 << 7,  /* being unlocked at this moment */
    AL_PAGE_CLOSED = 1 << 8,   /* of a mapping that is judged when it becomes accessible */
    AL_PAGE_EARLIER = 1 << 9,  /* was there before us, and so may be blocks on it */
    AL_PAGE_PROGRAM = 1 << 10, /* locked by the program itself too: never unlocked by us */
    AL_PAGE_SEGMENT = 1 << 11, /* EARLIER, and of the program or a library */
    AL_PAGE_OWNER = 1 << 14,   /* one owner */
    AL_PAGE_OWNERS = 0x3fff * AL_PAGE_OWNER, /* live qualifying heap blocks with a byte on it */
    AL_PAGE_HELD = 1 << 28,                  /* kept for blocks that are likely to come again */
    AL_PAGE_MAPPED = 1 << 29,                /* owned by a qualifying mapping */
    AL_PAGE_LOCKED = 1 << 30                 /* locked by us */
};

/* The lock may be gone with the memory: ask again when it is owned. */
#define AL_PAGE_UNSURE    (1U << 31)

#define AL_PAGE_KIND_MASK (0x3fU << AL_PAGE_KIND_SHIFT)

struct al_leaf {
    uintptr_t start; /* its first address; of one that is not lasting none */
    size_t index;    /* which 64 MiB of the address space */
    struct al_leaf *next_free;
    uint32_t known; /* if it is not lasting: words that are not 0 */
    bool lasting;   /* it has, or had since it was last retired, heap blocks */
    bool locked;
    uint8_t uses;     /* since its memory came from the kernel */
    bool anchored;    /* holds a block of ours: glibc cannot unmap it */
    uint8_t refusals; /* how often planting such a block failed */
    /* Pages that are locked and have no owner. It changes, as no other figure here, so that it is
     * on another line of the cache than they are; not behind the words, where it would take a page
     * for itself. */
    char apart[64 - 3 * sizeof(uintptr_t) - sizeof(uint32_t) - 5];
    uint32_t unowned;
    /* The last one is of no page and stays 0: who looks at a page and the next finds it. */
    uint32_t word[AL_LEAF_PAGES + 1];
};

/* A branch's entry is NULL, a leaf, marked in its second lowest bit if it is not lasting, or the
 * word that all its pages have, marked in its lowest bit. */
#define AL_SPAN_MARK  ((uintptr_t)1)
#define AL_BRIEF_MARK ((uintptr_t)2)

struct al_branch {
    uintptr_t entry[AL_BRANCH_LEAVES];
};

extern struct al_branch *al_pagemap_root[AL_ROOT_BRANCHES] AL_HIDDEN;

/* log2 of the page size: fixed where the processor has only one, else known after the init. */
#if defined(__x86_64__) || defined(__i386__)
#    define al_page_shift 12U
#else
extern unsigned al_page_shift;
#endif

/* `lock_tables`: keep the tree itself in RAM, locked on fault. */
void al_pagemap_init(bool lock_tables);

/*
 * Where all that is there is about to be brought in: what every process has of the tree is not to
 * be, if nothing is known yet. It can be read as ever, and is memory when it is first written to.
 */
void al_pagemap_leave_out(void);

/* Whether the budget has room for so many pages of the tree itself; NULL: it has. */
extern bool (*al_pagemap_has_room)(uint64_t pages) AL_HIDDEN;

/* What of the tree is locked, in pages. */
al_page al_pagemap_locked_pages(void);

static inline al_page al_page_of(const void *address)
{
    return (uintptr_t)address >> al_page_shift;
}

/* The page after the last one that [start, start + length) has a byte on. */
static inline al_page al_page_end_of(const void *start, size_t length)
{
    return al_page_of((const char *)start + length + ((size_t)1 << al_page_shift) - 1);
}

static inline void *al_page_address(al_page page)
{
    return (void *)(uintptr_t)(page << al_page_shift);
}

/* The page's lasting leaf, or NULL where there is none (yet) or the address is out of range. */
static inline struct al_leaf *al_pagemap_leaf(al_page page)
{
    size_t leaf = (size_t)(page / AL_LEAF_PAGES);
    struct al_branch *branch;
    uintptr_t entry;

    if (leaf >= AL_ROOT_BRANCHES * AL_BRANCH_LEAVES)
        return NULL;
    branch = __atomic_load_n(&al_pagemap_root[leaf / AL_BRANCH_LEAVES], __ATOMIC_ACQUIRE);
    if (!branch)
        return NULL;
    entry = __atomic_load_n(&branch->entry[leaf % AL_BRANCH_LEAVES], __ATOMIC_ACQUIRE);
    return entry & (AL_SPAN_MARK | AL_BRIEF_MARK) ? NULL : (struct al_leaf *)entry;
}

/* The leaf found last: most calls are for the same one. Never NULL. */
extern struct al_leaf *al_leaf_recent AL_HIDDEN;

/* Whether the leaf covers the address, and how far it is into it: more than a leaf's size if not.
 */
static inline uintptr_t al_leaf_offset(const struct al_leaf *leaf, const void *address)
{
    return (uintptr_t)address - leaf->start;
}

static inline bool al_leaf_covers(uintptr_t offset)
{
    return offset < AL_LEAF_PAGES << al_page_shift;
}

/* The page's leaf, or NULL; from now on the one that was found last. The first leaf of all never
 * is: so NULL is in none that was. */
static inline struct al_leaf *al_pagemap_leaf_found(al_page page)
{
    struct al_leaf *leaf = al_pagemap_leaf(page);

    if (leaf && leaf->start)
        __atomic_store_n(&al_leaf_recent, leaf, __ATOMIC_RELEASE);
    return leaf;
}

/* The same as al_pagemap_leaf, quicker where it is the one that was asked for last. */
static inline struct al_leaf *al_pagemap_leaf_quick(al_page page)
{
    struct al_leaf *leaf = __atomic_load_n(&al_leaf_recent, __ATOMIC_ACQUIRE);

    if (__builtin_expect(al_leaf_covers(al_leaf_offset(leaf, al_page_address(page))), 1))
        return leaf;
    return al_pagemap_leaf_found(page);
}

static inline uint32_t *al_leaf_word(struct al_leaf *leaf, al_page page)
{
    return &leaf->word[page % AL_LEAF_PAGES];
}

static inline unsigned al_word_kind(uint32_t word)
{
    return (word & AL_PAGE_KIND_MASK) >> AL_PAGE_KIND_SHIFT;
}

/* Whether a page with this word is locked and has no owner. */
static inline bool al_word_unowned(uint32_t word)
{
    const uint32_t owned = AL_PAGE_OWNERS | AL_PAGE_HELD | AL_PAGE_MAPPED;

    return (word & (AL_PAGE_LOCKED | owned)) == AL_PAGE_LOCKED;
}

/* The page's word; 0 where nothing is known. */
uint32_t al_pagemap_get(al_page page);

/* The page's leaf, lasting or not, or NULL. With the gate, or for a look only. */
struct al_leaf *al_pagemap_any_leaf(al_page page);

/* The page's leaf, made if need be; the first makes it lasting. NULL without memory or out of
 * range. With the gate. */
struct al_leaf *al_pagemap_make_leaf(al_page page);
struct al_leaf *al_pagemap_make_any_leaf(al_page page);

/* Where a word was changed: how many are not 0. With the gate. */
static inline void al_leaf_note(struct al_leaf *leaf, uint32_t before, uint32_t after)
{
    if (!leaf->lasting)
        leaf->known += (uint32_t)(after != 0) - (uint32_t)(before != 0);
}

/* Takes the leaf, of any page in it, from the tree if nothing is known there. With the gate. */
void al_pagemap_drop_empty(al_page page);

/*
 * The same of lasting leaves with pages in [first, end), which is being unmapped. It takes a look
 * at each of their words. Who has found such a leaf just before, for a block in another part of it
 * that is the first one there, counts its owner in vain: then its page is locked, and may be given
 * back early. With the gate.
 */
void al_pagemap_retire(al_page first, al_page end);

/*
 * A stretch of pages whose words are alike; `value` is the word of its first page.
 */
struct al_stretch {
    al_page first;
    al_page end;
    uint32_t value;
};

/*
 * The longest stretch from `first` on, up to `end`, in which (word & mask) stays the same; it may
 * end early at a leaf's end. `first` is below `end`. With the gate, or for a look only.
 */
struct al_stretch al_pagemap_next(al_page first, al_page end, uint32_t mask);

/* Whether (word & mask) is `value` on all of [first, end). */
bool al_pagemap_all(al_page first, al_page end, uint32_t mask, uint32_t value);

/*
 * Sets all pages to `value`. Whole leaves are set as spans where they have no leaf. Returns false
 * without memory; then some pages keep their words. With the gate.
 */
bool al_pagemap_set(al_page first, al_page end, uint32_t value);

/* The first page from `first` on, below `end`, that may have a non-zero word; `end` if none. Skips
 * what has neither leaf nor span quickly. */
al_page al_pagemap_skip(al_page first, al_page end);

/* After all locks were lost, by a fork or a step down: keeps the tree in RAM again, if it was. */
void al_pagemap_lock_tables(void);

/*
 * The first of the tree's own tables with a byte in [start, end): true, and where it is. Only the
 * earliest ones are known. With the gate, or where nobody makes more.
 */
bool al_pagemap_own(uintptr_t start, uintptr_t end, uintptr_t *ret_start, uintptr_t *ret_end);

/* Bytes that the tree itself takes, as it asked the kernel for them. */
size_t al_pagemap_bytes(void);

#endif
