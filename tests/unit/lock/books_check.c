#include "books_check.h"

void books_begin(unsigned kinds)
{
    kernel_model_begin();
    al_books.policy = (struct al_policy){
        .kinds = kinds, .flags = AL_FLAG_CURRENT | AL_FLAG_FUTURE, .max_size = UINT64_MAX};
    al_books.tracking = true;
    al_books.unlimited = true;
    al_books.budget_pages = UINT64_MAX / 2;
    al_books.runs_max = 1 << 20;
}

void map_pages(size_t index, size_t count)
{
    kernel_model_map(page_at(index), page_at(index + count), true);
}

uint64_t counted(enum al_counter counter)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    return sum[counter];
}

struct sum {
    uint64_t locked;
    uint64_t unowned;
    int64_t runs;
};

static void check_word(al_page page, uint32_t word)
{
    const uint32_t certain = AL_PAGE_LOCKED | AL_PAGE_UNSURE;

    /* An assertion that holds is a system call of libcheck's. */
    if (word & AL_PAGE_LEAVING)
        ck_abort_msg("page %#zx is still leaving: %#x", (size_t)(page - MODEL_FIRST), word);
    if ((word & certain) == AL_PAGE_LOCKED && !al_books.observe && !kernel_model_is_locked(page))
        ck_abort_msg("page %#zx is not locked, but booked so: %#x", (size_t)(page - MODEL_FIRST),
                     word);
}

static struct sum add_up(void)
{
    struct sum sum = {0};
    bool before = false;

    for (al_page first = MODEL_FIRST; first < MODEL_END; first += AL_LEAF_PAGES) {
        struct al_leaf *leaf = al_pagemap_any_leaf(first);
        uint32_t unowned = 0;
        uint32_t known = 0;

        for (al_page page = first; page < first + AL_LEAF_PAGES; page++) {
            uint32_t word = leaf ? *al_leaf_word(leaf, page) : al_pagemap_get(first);
            bool locked = word & AL_PAGE_LOCKED;

            /* A span is looked at once. */
            if (leaf || page == first)
                check_word(page, word);
            sum.locked += locked;
            sum.runs += locked && !before;
            before = locked;
            unowned += al_word_unowned(word);
            known += word != 0;
        }
        sum.unowned += unowned;
        if (leaf && !leaf->lasting && leaf->known != known)
            ck_abort_msg("leaf %zu has %u pages known, and says %u",
                         (size_t)((first - MODEL_FIRST) / AL_LEAF_PAGES), known, leaf->known);
        if (leaf && leaf->unowned != unowned)
            ck_abort_msg("leaf %zu has %u pages unowned, and says %d",
                         (size_t)((first - MODEL_FIRST) / AL_LEAF_PAGES), unowned,
                         (int)leaf->unowned);
    }
    return sum;
}

void check_books_but_runs(void)
{
    struct sum sum = add_up();

    ck_assert_int_eq((int64_t)al_books.locked_pages, (int64_t)sum.locked);
    ck_assert_int_eq((int64_t)al_books.unowned_pages, (int64_t)sum.unowned);
    ck_assert_uint_ge(al_books.peak_pages, sum.locked);
    ck_assert_uint_eq(al_books.moving, 0);
}

void check_books(void)
{
    check_books_but_runs();
    ck_assert_int_eq(al_books.runs, add_up().runs);
}

void check_only_locked(size_t index, size_t count)
{
    ck_assert_uint_eq(kernel_model_locked(page_at(index), page_at(index + count)), count);
    ck_assert_uint_eq(kernel_model_locked(MODEL_FIRST, MODEL_END), count);
}
