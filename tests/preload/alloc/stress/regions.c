#include "region.h"

#include <sys/shm.h>

enum { REGIONS = 256 };

static struct region *regions;

void regions_begin(void)
{
    regions = raw_memory(REGIONS * sizeof(*regions));
    recipes_begin();
}

static bool take(struct region *region)
{
    return !__atomic_exchange_n(&region->taken, true, __ATOMIC_ACQUIRE);
}

static void put_back(struct region *region)
{
    __atomic_store_n(&region->taken, false, __ATOMIC_RELEASE);
}

/* A random run of pages that are all mapped; false if the first one is not. */
static bool pick_run(const struct region *region, struct random *random, size_t *ret_from,
                     size_t *ret_count)
{
    size_t from = random_below(random, region->pages);
    size_t wanted = 1 + random_below(random, region->pages - from);
    size_t count = 0;

    while (count < wanted && region->page[from + count].mapped)
        count++;
    *ret_from = from;
    *ret_count = count;
    return count > 0;
}

static void unmap_run(struct region *region, size_t from, size_t count)
{
    journal_add("munmap", region->start + from * PAGE, count * PAGE);
    expect_equal(munmap(region->start + from * PAGE, count * PAGE), 0);
    for (size_t i = from; i < from + count; i++)
        region->page[i].mapped = false;
}

/* Every stretch that is left, by itself: the holes may belong to others by now. */
static void empty(struct region *region)
{
    for (size_t i = 0; i < region->pages;) {
        size_t count = 0;

        while (i + count < region->pages && region->page[i + count].mapped)
            count++;
        if (count && region->segment) {
            journal_add("shmdt", region->start, region->pages * PAGE);
            expect_equal(shmdt(region->start), 0);
            break;
        }
        if (count)
            unmap_run(region, i, count);
        i += count + 1;
    }
    region->start = NULL;
}

static void set_protection(struct page *page, int protection, size_t low, size_t high)
{
    if (page->protection == PROT_NONE && protection != PROT_NONE) {
        page->low = (uint16_t)(low < page->low ? low : page->low);
        page->high = (uint16_t)(high > page->high ? high : page->high);
    }
    page->protection = (uint8_t)protection;
}

/* A reservation may be judged by its own length or by that of the part that is opened. */
static void protect(struct region *region, struct random *random)
{
    static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                      PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
    int protection = protections[random_below(random, 5)];
    size_t from;
    size_t count;

    if (region->segment || !pick_run(region, random, &from, &count))
        return;
    if (options.no_closing && protection == PROT_NONE)
        return;
    if (random_percent(random, 20)) {
        journal_add("pkey_mprotect", region->start + from * PAGE, count * PAGE);
        expect_equal(pkey_mprotect(region->start + from * PAGE, count * PAGE, protection, -1), 0);
    } else {
        journal_add("mprotect", region->start + from * PAGE, count * PAGE);
        expect_equal(mprotect(region->start + from * PAGE, count * PAGE, protection), 0);
    }
    journal_add(protection ? "… now accessible" : "… now inaccessible", region->start + from * PAGE,
                count * PAGE);
    for (size_t i = from; i < from + count; i++) {
        set_protection(&region->page[i], protection, 1, count);
        if (count < region->pages)
            region->page[i].part = region->parts;
    }
    region->parts++;
}

/* A new mapping of any sort over a part of this one. */
static void replace(struct region *region, struct random *random)
{
    const struct recipe *recipe = recipe_pick(random);
    size_t from;
    size_t count;

    if (region->segment || !pick_run(region, random, &from, &count))
        return;
    recipe_map(recipe, random, region->start + from * PAGE, count);
    /* Grown it may reach past the end of what is shared. */
    region->fixed_size |= recipe->kind == KIND_SHARED;
    region_set(region, from, count,
               (struct page){.kind = (uint8_t)recipe->kind,
                             .protection = (uint8_t)recipe->protection,
                             .low = (uint16_t)count,
                             .high = (uint16_t)count});
}

static void change(struct region *region, struct random *random)
{
    struct region *spare = &regions[random_below(random, REGIONS)];
    size_t from;
    size_t count;

    switch (random_below(random, 10)) {
    case 0:
    case 1:
        if (!region->segment && pick_run(region, random, &from, &count))
            unmap_run(region, from, count);
        break;
    case 2:
    case 3:
    case 4:
        protect(region, random);
        break;
    case 5:
        replace(region, random);
        break;
    default:
        if (spare == region || !take(spare)) {
            region_remap(region, NULL, random);
            break;
        }
        region_remap(region, spare->start ? NULL : spare, random);
        /* A copy of the region is taken, as the region is. */
        put_back(spare);
    }
}

void region_operation(struct random *random)
{
    struct region *region = &regions[random_below(random, REGIONS)];

    if (!take(region))
        return;
    if (!region->start)
        region_fill(region, random);
    else if (random_percent(random, 25))
        empty(region);
    else
        change(region, random);
    put_back(region);
}

static bool same(const struct page *a, const struct page *b)
{
    return a->mapped == b->mapped && a->kind == b->kind && a->low == b->low && a->high == b->high &&
           (a->protection != PROT_NONE) == (b->protection != PROT_NONE);
}

static enum verdict verdict_on(const struct page *page)
{
    if (!options.regions_claimed)
        return VERDICT_EITHER;
    if (page->protection == PROT_NONE)
        return VERDICT_NO;
    return policy_judge(&policy, page->kind, (size_t)page->low * PAGE, (size_t)page->high * PAGE);
}

static void claim(const struct region *region)
{
    size_t count;

    for (size_t i = 0; i < region->pages; i += count) {
        const struct page *page = &region->page[i];

        for (count = 1; i + count < region->pages && same(page, &region->page[i + count]);)
            count++;
        if (page->mapped)
            claims_add(region->start + i * PAGE, count * PAGE, verdict_on(page), page->kind,
                       region->origin);
    }
}

void regions_claim(void)
{
    for (size_t i = 0; i < REGIONS; i++) {
        expect(!regions[i].taken);
        if (regions[i].start)
            claim(&regions[i]);
    }
}
