#include "ownership_parts.h"

#include "regions.h"

enum { REGIONS_MAX = 200 };

struct region {
    al_page first;
    al_page end;
};

static struct region regions[REGIONS_MAX];
unsigned region_count;

static void know(al_page first, al_page end, unsigned kind, bool accessible)
{
    uint64_t bytes = (end - first) << al_page_shift;
    bool wanted = setup.kinds & kind;
    bool right_size = bytes >= setup.min_size && bytes <= setup.max_size;

    for (al_page at = first; at < end; at++) {
        struct page *page = page_of(at);

        page->kind = (uint8_t)(wanted ? kind : 0);
        page->taken = wanted && accessible && right_size;
        page->closed = wanted && !accessible;
        page->right = false;
    }
}

static void forget(al_page first, al_page end)
{
    know(first, end, 0, false);
    for (al_page page = first; page < end; page++)
        page_of(page)->program = false;
}

void add_region(void)
{
    static const unsigned kinds[] = {AL_KIND_ANON, AL_KIND_FILE, AL_KIND_SHARED};
    unsigned kind = kinds[fake_random(3)];
    size_t count = fake_chance(100) ? AL_LEAF_PAGES + fake_random(20000)
                   : fake_chance(5) ? 1 + fake_random(1000)
                                    : 1 + fake_random(20);
    bool accessible = !fake_chance(4);
    al_page first = fake_free_pages(count);

    if (!first || region_count == REGIONS_MAX)
        return;
    kernel_model_map(first, first + count, accessible);
    know(first, first + count, kind, accessible);
    al_region_mapped(al_page_address(first), count << al_page_shift, kind, accessible);
    compare(first, first + count);
    regions[region_count++] = (struct region){first, first + count};
}

static struct region part_of(const struct region *region)
{
    struct region part = *region;

    if (fake_chance(2)) {
        part.first += fake_random(region->end - region->first);
        part.end = part.first + 1 + fake_random(region->end - part.first);
    }
    return part;
}

/* A part of a region goes, and what is left of it are up to two. */
static void cut(struct region *region, struct region part)
{
    struct region after = {part.end, region->end};

    region->end = part.first;
    if (region->first == region->end)
        *region = regions[--region_count];
    if (after.first < after.end)
        regions[region_count++] = after;
}

void remove_region(void)
{
    struct region *region = &regions[fake_random(region_count)];
    struct region part = part_of(region);

    if (region_count == REGIONS_MAX)
        part = *region;
    al_region_unmapping(al_page_address(part.first), (part.end - part.first) << al_page_shift);
    kernel_model_unmap(part.first, part.end);
    forget(part.first, part.end);
    compare(part.first, part.end);
    cut(region, part);
    check_slack();
}

/* Reservations are judged piece by piece, each stretch of one kind. */
void protect_region(void)
{
    struct region part = part_of(&regions[fake_random(region_count)]);
    bool accessible = !fake_chance(3);

    /* What is locked by the program was accessible; it stays out of this. */
    for (al_page page = part.first; page < part.end; page++)
        if (page_of(page)->program)
            return;
    kernel_model_protect(part.first, part.end, accessible);
    for (al_page page = part.first; !accessible && page < part.end; page++) {
        page_of(page)->closed |= page_of(page)->taken;
        page_of(page)->taken = false;
    }
    for (al_page page = part.first, next; accessible && page < part.end; page = next) {
        const struct page *begin = page_of(page);

        for (next = page + 1; next < part.end; next++)
            if (page_of(next)->closed != begin->closed || page_of(next)->kind != begin->kind)
                break;
        if (begin->closed)
            know(page, next, begin->kind, true);
    }
    al_region_protected(al_page_address(part.first), (part.end - part.first) << al_page_shift,
                        accessible, false);
    compare(part.first, part.end);
}

/* Of one kind, accessible throughout. */
static bool is_plain(struct region part)
{
    for (al_page at = part.first; at < part.end; at++) {
        const struct page *page = page_of(at);

        if (page->closed || page->program || page->kind != page_of(part.first)->kind)
            return false;
    }
    return true;
}

void move_region(void)
{
    struct region *region = &regions[fake_random(region_count)];
    struct region part = part_of(region);
    size_t count = 1 + fake_random(2 * (part.end - part.first));
    struct al_region_state state;
    al_page to;

    if (region_count > REGIONS_MAX - 2 || !is_plain(part))
        return;
    to = fake_free_pages(count);
    if (!to)
        return;
    state = al_region_state_at(al_page_address(part.first), 0);
    al_region_unmapping(al_page_address(part.first), (part.end - part.first) << al_page_shift);
    kernel_model_move(part.first, part.end, to, to + count);
    forget(part.first, part.end);
    know(to, to + count, state.kind, true);
    al_region_moved(al_page_address(to), count << al_page_shift, state);
    compare(part.first, part.end);
    compare(to, to + count);
    cut(region, part);
    regions[region_count++] = (struct region){to, to + count};
    check_slack();
}

void lock_region(void)
{
    struct region part = part_of(&regions[fake_random(region_count)]);

    if (fake_chance(2))
        program_unlocks(part.first, part.end);
    else if (is_plain(part))
        program_locks(part.first, part.end);
}
