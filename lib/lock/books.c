#include "books.h"

#include "live.h"

struct al_books al_books;

static uint64_t look(const uint64_t *pages)
{
    return __atomic_load_n(pages, __ATOMIC_SEQ_CST);
}

/* Of two threads that show what they know the later one may know less, so it looks again. */
static void show(enum al_field field, const uint64_t *pages)
{
    uint64_t shown;

    if (al_books.observe)
        return;
    do {
        shown = look(pages);
        al_live_set(field, shown << al_page_shift);
    } while (look(pages) != shown);
}

void al_books_show(void)
{
    int64_t runs = __atomic_load_n(&al_books.runs, __ATOMIC_RELAXED);

    show(AL_FIELD_locked_tracked_bytes, &al_books.locked_pages);
    show(AL_FIELD_locked_peak_tracked_bytes, &al_books.peak_pages);
    show(AL_FIELD_locked_total_bytes, &al_books.total_pages);
    if (!al_books.observe)
        al_live_set(AL_FIELD_locked_regions, runs > 0 ? (uint64_t)runs : 0);
}

uint64_t al_books_slack_of(uint64_t pages)
{
    uint64_t share = pages / AL_SLACK_SHARE;
    uint64_t least = AL_SLACK_MIN_BYTES >> al_page_shift;
    uint64_t most = AL_SLACK_MAX_BYTES >> al_page_shift;

    if (share < least)
        return least;
    return share < most ? share : most;
}

uint64_t al_books_slack(void)
{
    return al_books_slack_of(__atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED));
}

bool al_books_take(uint64_t pages)
{
    uint64_t locked = __atomic_load_n(&al_books.locked_pages, __ATOMIC_RELAXED);
    uint64_t budget = al_books_budget();
    uint64_t peak = __atomic_load_n(&al_books.peak_pages, __ATOMIC_RELAXED);

    do {
        if (pages && (pages > budget || locked > budget - pages))
            return false;
    } while (!__atomic_compare_exchange_n(&al_books.locked_pages, &locked, locked + pages, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    while (locked + pages > peak &&
           !__atomic_compare_exchange_n(&al_books.peak_pages, &peak, locked + pages, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return true;
}

void al_books_give_back(uint64_t pages)
{
    __atomic_fetch_sub(&al_books.locked_pages, pages, __ATOMIC_RELAXED);
}

void al_books_lower_budget(uint64_t pages)
{
    uint64_t budget = __atomic_load_n(&al_books.budget_pages, __ATOMIC_RELAXED);

    while (budget > pages && !__atomic_compare_exchange_n(&al_books.budget_pages, &budget, pages,
                                                          true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void al_books_unowned(struct al_leaf *leaf, int64_t pages)
{
    if (leaf)
        __atomic_fetch_add(&leaf->unowned, (uint32_t)pages, __ATOMIC_RELAXED);
    __atomic_fetch_add(&al_books.unowned_pages, (uint64_t)pages, __ATOMIC_RELAXED);
}

/* What a change of words came to. */
struct change {
    int64_t locked;
    int64_t unowned;
};

static void count_change(struct change *change, uint32_t before, uint32_t after, int64_t pages)
{
    change->locked += ((after & AL_PAGE_LOCKED) != 0) * pages;
    change->locked -= ((before & AL_PAGE_LOCKED) != 0) * pages;
    change->unowned += ((int64_t)al_word_unowned(after) - al_word_unowned(before)) * pages;
}

static uint32_t changed(uint32_t word, uint32_t clear, uint32_t set, enum al_access access)
{
    word = (word & ~clear) | set;
    return access == AL_DOUBTING && al_word_unowned(word) ? word | AL_PAGE_UNSURE : word;
}

static void change_leaf(struct al_leaf *leaf, al_page first, al_page end, uint32_t clear,
                        uint32_t set, enum al_access access, struct change *total)
{
    struct change change = {0};

    for (al_page page = first; page < end; page++) {
        uint32_t *word = al_leaf_word(leaf, page);
        uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
        uint32_t after;

        /* What is held may be let go by anybody. */
        if (access == AL_EXCLUSIVE && !(before & AL_PAGE_HELD)) {
            after = changed(before, clear, set, access);
            __atomic_store_n(word, after, __ATOMIC_RELAXED);
            count_change(&change, before, after, 1);
            al_leaf_note(leaf, before, after);
            continue;
        }
        do {
            after = changed(before, clear, set, access);
        } while (after != before &&
                 !__atomic_compare_exchange_n(word, &before, after, true, __ATOMIC_ACQ_REL,
                                              __ATOMIC_RELAXED));
        count_change(&change, before, after, 1);
        al_leaf_note(leaf, before, after);
    }
    __atomic_fetch_add(&leaf->unowned, (uint32_t)change.unowned, __ATOMIC_RELAXED);
    total->locked += change.locked;
    total->unowned += change.unowned;
}

static bool locked_at(al_page page)
{
    return al_pagemap_get(page) & AL_PAGE_LOCKED;
}

/* How many runs of locked pages begin in [first, end]: one more page, as its run may have moved. */
static int64_t runs_in(al_page first, al_page end)
{
    bool before = first && locked_at(first - 1);
    int64_t runs = 0;

    while (first <= end) {
        al_page known = al_pagemap_skip(first, end + 1);
        struct al_stretch stretch;
        bool locked;

        if (known > first) {
            before = false; /* nothing is known of what lies between */
            first = known;
            continue;
        }
        stretch = al_pagemap_next(first, end + 1, AL_PAGE_LOCKED);
        locked = stretch.value & AL_PAGE_LOCKED;

        runs += locked && !before;
        before = locked;
        first = stretch.end;
    }
    return runs;
}

bool al_books_change(al_page first, al_page end, uint32_t clear, uint32_t set,
                     enum al_access access)
{
    struct change change = {0};
    bool relock = (clear | set) & AL_PAGE_LOCKED;
    int64_t runs = relock ? runs_in(first, end) : 0;
    al_page begin = first;
    bool done = true;

    /* Where nothing is known and nothing is set, there is no need to look. */
    while ((first = set ? first : al_pagemap_skip(first, end)) < end) {
        al_page stop = (first / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;
        uint32_t before = al_pagemap_get(first);
        struct al_leaf *leaf = al_pagemap_any_leaf(first);

        if (stop > end)
            stop = end;
        if (!leaf && stop - first == AL_LEAF_PAGES) {
            uint32_t after = changed(before, clear, set, access);

            if (after == before || al_pagemap_set(first, stop, after))
                count_change(&change, before, after, AL_LEAF_PAGES);
            else
                done = false;
        } else if (leaf || changed(before, clear, set, access) != before) {
            leaf = set & AL_PAGE_OWNERS ? al_pagemap_make_leaf(first)
                                        : al_pagemap_make_any_leaf(first);
            if (leaf)
                change_leaf(leaf, first, stop, clear, set, access, &change);
            else
                done = false;
            al_pagemap_drop_empty(first);
        }
        first = stop;
    }
    __atomic_fetch_add(&al_books.locked_pages, (uint64_t)change.locked, __ATOMIC_RELAXED);
    __atomic_fetch_add(&al_books.unowned_pages, (uint64_t)change.unowned, __ATOMIC_RELAXED);
    if (relock)
        __atomic_fetch_add(&al_books.runs, runs_in(begin, end) - runs, __ATOMIC_RELAXED);
    /* What is locked more is shown by who has taken it from the budget, when he is through. */
    if (change.locked < 0)
        al_books_show();
    return done;
}
