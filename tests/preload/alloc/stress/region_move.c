#include "region.h"

/* What can be given to mremap: all of one part, with one protection, and so one mapping. */
static bool is_one_mapping(const struct region *region)
{
    const struct page *first = &region->page[0];

    for (size_t i = 0; i < region->pages; i++) {
        const struct page *page = &region->page[i];

        if (!page->mapped || page->part != first->part || page->protection != first->protection ||
            page->low != first->low || page->high != first->high)
            return false;
    }
    return true;
}

static uint16_t least(size_t a, size_t b)
{
    return (uint16_t)(a < b ? a : b);
}

static uint16_t most(size_t a, size_t b)
{
    return (uint16_t)(a > b ? a : b);
}

/* After mremap made it of another length. */
static void set_length(struct region *region, char *start, size_t pages)
{
    struct page page = region->page[0];

    region->start = start;
    page.low = least(page.low, least(pages, region->pages));
    page.high = most(page.high, pages);
    region->pages = pages;
    region_set(region, 0, pages, page);
}

static void grow(struct region *region, struct random *random)
{
    size_t pages = region->pages + 1 + random_below(random, region->pages + 8);
    char *start;

    if (region->fixed_size || pages > REGION_PAGES)
        return;
    journal_add("mremap to grow, from", region->start, region->pages * PAGE);
    start = mremap(region->start, region->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED);
    journal_add("mremap to grow, to", start, pages * PAGE);
    /* The pages that are new may be judged by their own number too. */
    region->page[0].low = least(region->page[0].low, pages - region->pages);
    set_length(region, start, pages);
}

static void shrink(struct region *region, struct random *random)
{
    size_t pages = 1 + random_below(random, region->pages);

    journal_add("mremap to shrink", region->start, region->pages * PAGE);
    expect(mremap(region->start, region->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE) ==
           region->start);
    region->pages = pages;
    for (size_t i = 0; i < pages; i++)
        region->page[i].low = least(region->page[i].low, pages);
}

/* To an address of our choice, over a reservation or another mapping that is given up for it. */
static void move(struct region *region, struct random *random)
{
    const struct recipe *recipe = recipe_pick(random);
    char *target = recipe_map(recipe, random, NULL, region->pages);
    char *start;

    journal_add("mremap to move, from", region->start, region->pages * PAGE);
    start = mremap(region->start, region->pages * PAGE, region->pages * PAGE,
                   MREMAP_MAYMOVE | MREMAP_FIXED, target);
    expect(start == target);
    journal_add("mremap to move, to", start, region->pages * PAGE);
    region->start = start;
}

/* The old addresses stay, empty; the contents are in the spare region. */
static void leave(struct region *region, struct region *spare)
{
    char *start = mremap(region->start, region->pages * PAGE, region->pages * PAGE,
                         MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

    if (start == MAP_FAILED) {
        /* Before Linux 5.7, or for a kind of mapping that this kernel does not do it with. */
        expect_equal(errno, EINVAL);
        return;
    }
    journal_add("mremap DONTUNMAP, left", region->start, region->pages * PAGE);
    journal_add("mremap DONTUNMAP, to", start, region->pages * PAGE);
    *spare = *region;
    spare->start = start;
    spare->origin = "mremap DONTUNMAP";
}

/* The same shared pages a second time: an old length of 0 asks for that. */
static void duplicate(struct region *region, struct region *spare)
{
    char *start = mremap(region->start, 0, region->pages * PAGE, MREMAP_MAYMOVE);

    expect(start != MAP_FAILED);
    journal_add("mremap duplicate", start, region->pages * PAGE);
    *spare = *region;
    spare->start = start;
    spare->origin = "mremap duplicate";
    spare->segment = false;
}

void region_remap(struct region *region, struct region *spare, struct random *random)
{
    enum kind kind = region->page[0].kind;

    if (!is_one_mapping(region))
        return;
    switch (random_below(random, 4)) {
    case 0:
        grow(region, random);
        break;
    case 1:
        if (!region->segment)
            shrink(region, random);
        break;
    case 2:
        if (!region->segment)
            move(region, random);
        break;
    default:
        if (!spare || region->segment)
            break;
        if (kind == KIND_SHARED)
            duplicate(region, spare);
        else if (kind != KIND_FILE && !options.no_leaving)
            leave(region, spare);
        break;
    }
}
