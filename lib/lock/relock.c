#include "relock.h"

#include "books.h"
#include "counters.h"
#include "downgrades.h"
#include "headroom.h"
#include "kernel.h"
#include "locker.h"

#include <errno.h>

/*
 * A refusal may come from one page of a run that is not there in the child (MADV_DONTFORK), so the
 * halves are tried then; or from a limit, when every part would be refused. After so many it is.
 */
enum { REFUSALS_MAX = 256 };

struct relock {
    unsigned flags;
    bool spare_stacks;
    bool no_room;  /* to bring in more: the rest is locked on fault */
    al_page first; /* the run that is being found: [first, end) */
    al_page end;
    al_page locked_to; /* where the last one ends that was had */
    uint64_t pages;    /* that are locked */
    int64_t runs;
    unsigned refusals;
    int error;
};

static void lose(al_page first, al_page end)
{
    (void)al_books_change(first, end, AL_PAGE_LOCKED, 0, AL_SHARED);
}

static unsigned flags_of(const struct relock *relock)
{
    return relock->no_room ? AL_MLOCK_ONFAULT : relock->flags;
}

static int ask_kernel(const struct relock *relock, al_page first, al_page end)
{
    const unsigned flags = flags_of(relock);
    const void *start = al_page_address(first);
    size_t length = (size_t)(end - first) << al_page_shift;
    int result;

    if (al_books.observe)
        return 0;
    result = al_kernel_mlock2(start, length, flags);
    /* As at first: of a file mapping that is longer than its file, what there is. */
    if ((result == -ENOMEM || result == -EAGAIN) && !flags && al_books.unlimited)
        result = al_kernel_mlock2(start, length, AL_MLOCK_ONFAULT);
    return result;
}

static void lock_run(struct relock *relock, al_page first, al_page end)
{
    al_page middle = first + (end - first) / 2;
    int result;

    if (relock->runs >= (int64_t)al_books.runs_max ||
        relock->pages + (end - first) > al_books_budget()) {
        al_count(AL_COUNT_skipped_budget);
        lose(first, end);
        return;
    }
    result = ask_kernel(relock, first, end);
    if (!result) {
        relock->pages += end - first;
        relock->runs += relock->locked_to != first;
        relock->locked_to = end;
        return;
    }
    if (!relock->error)
        relock->error = result;
    /* It may have locked what lies before the place where it stopped. */
    al_locker_unlock(first, end);
    if (middle == first || result != -ENOMEM || ++relock->refusals > REFUSALS_MAX) {
        lose(first, end);
        return;
    }
    lock_run(relock, first, middle);
    lock_run(relock, middle, end);
}

/* What is written to in neither process is theirs together until it is locked here: then it is
 * copied, and the cgroup is to have room for that. */
static size_t take_room(struct relock *relock, al_page first, al_page end)
{
    const size_t length = (size_t)(end - first) << al_page_shift;
    const size_t share = al_headroom_share(length);

    if (al_books.observe || flags_of(relock))
        return 0;
    if (al_headroom_take(share))
        return share;
    relock->no_room = true;
    relock->locked_to = 0; /* another mapping to the kernel */
    al_downgrade_add("forked: locked on fault in part, as there is no room for all of it");
    return 0;
}

static void end_run(struct relock *relock)
{
    while (relock->first < relock->end) {
        const size_t taken = take_room(relock, relock->first, relock->end);
        const al_page part = (al_page)(taken >> al_page_shift);
        const al_page end = part ? relock->first + part : relock->end;

        lock_run(relock, relock->first, end);
        al_headroom_taken(taken);
        relock->first = end;
    }
}

/* What becomes of a page's word before anything is locked. */
static uint32_t inherited(const struct relock *relock, uint32_t word)
{
    const uint32_t stack = AL_KIND_STACK << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED;
    const uint32_t kind = AL_PAGE_KIND_MASK | AL_PAGE_MAPPED;

    word &= ~(uint32_t)AL_PAGE_HELD;
    /* Another thread may have been about to unlock it. */
    if (al_word_unowned(word) || (relock->spare_stacks && (word & kind) == stack))
        word &= ~(uint32_t)AL_PAGE_LOCKED;
    return word & ~(uint32_t)(AL_PAGE_UNSURE | AL_PAGE_LEAVING | AL_PAGE_PROGRAM);
}

static void add_to_run(struct relock *relock, al_page first, al_page end, uint32_t word)
{
    if (!(word & AL_PAGE_LOCKED))
        return;
    if (first != relock->end) {
        end_run(relock);
        relock->first = first;
    }
    relock->end = end;
}

/* Words are written only where they change: the map is still shared with the parent. */
static void look_at_leaf(struct relock *relock, struct al_leaf *leaf)
{
    al_page first = (al_page)leaf->index * AL_LEAF_PAGES;
    uint32_t known = 0;

    if (leaf->unowned)
        leaf->unowned = 0;
    for (al_page page = first; page < first + AL_LEAF_PAGES; page++) {
        uint32_t *word = al_leaf_word(leaf, page);
        uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
        uint32_t after = inherited(relock, before);

        /* A signal handler may be counting owners. */
        if (after != before)
            __atomic_fetch_and(word, ~(before & ~after), __ATOMIC_RELAXED);
        known += after != 0;
        add_to_run(relock, page, page + 1, after);
    }
    if (leaf->known != known)
        leaf->known = known;
}

static void look_at_span(struct relock *relock, al_page first)
{
    uint32_t word = al_pagemap_get(first);
    uint32_t after = inherited(relock, word);

    if (after != word)
        (void)al_pagemap_set(first, first + AL_LEAF_PAGES, after);
    add_to_run(relock, first, first + AL_LEAF_PAGES, after);
}

int al_relock(unsigned flags, bool spare_stacks)
{
    struct relock relock = {.flags = flags, .spare_stacks = spare_stacks};
    al_page page = 0;

    al_books.everything = false;
    al_books.moving = 0;
    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_leaf *leaf = al_pagemap_any_leaf(page);

        page = page / AL_LEAF_PAGES * AL_LEAF_PAGES;
        if (leaf)
            look_at_leaf(&relock, leaf);
        else
            look_at_span(&relock, page);
        page += AL_LEAF_PAGES;
    }
    end_run(&relock);
    al_books.locked_pages = relock.pages;
    al_books.peak_pages = relock.pages;
    al_books.total_pages = relock.pages;
    al_books.unowned_pages = 0;
    al_books.runs = relock.runs;
    al_books_show();
    return relock.error;
}
