#include "ownership.h"

#include "heap_owner.h"
#include "locker.h"
#include "regions.h"

#include <string.h>

enum { PAGE = 4096, BLOCKS_MAX = 4000, REGIONS_MAX = 200 };

struct block {
    struct fake_block fake;
    bool owned;   /* qualifies, and came after the start */
    bool program; /* locked by the program too */
};

struct region {
    al_page first;
    al_page end;
};

static struct ownership_setup setup;
static struct block blocks[BLOCKS_MAX];
static unsigned block_count;
static struct region regions[REGIONS_MAX];
static unsigned region_count;

/* Of each page of the stretch. */
static struct page {
    uint16_t owners;
    uint8_t kind;   /* of its mapping, as far as known */
    bool taken;     /* the mapping qualifies */
    bool closed;    /* … or is a reservation */
    bool program;   /* locked by the program */
    bool right;     /* was owned and locked after the last operation on it */
    bool tolerated; /* owned, but its lock was refused */
} pages[MODEL_PAGES];

static bool everything; /* the program has locked everything */
static const struct fake_block *subject;
static uint64_t complaints;
static unsigned current_heap;

static struct page *page_of(al_page page)
{
    return &pages[page - MODEL_FIRST];
}

/* -- comparing ------------------------------------------------------------------------------ */

static bool is_owned(al_page page)
{
    return page_of(page)->owners || page_of(page)->taken;
}

static uint64_t complaints_now(void)
{
    return kernel_model.refusals + counted(AL_COUNT_skipped_budget);
}

static void complain(al_page page, const char *what)
{
    ck_abort_msg("page %#zx, %u blocks%s, word %#x: %s", (size_t)(page - MODEL_FIRST),
                 page_of(page)->owners, page_of(page)->taken ? " and a mapping" : "",
                 al_pagemap_get(page), what);
}

/* After an operation that touched [first, end): what is owned is locked, or was refused just now.
 */
static void compare(al_page first, al_page end)
{
    bool refused = complaints_now() != complaints;

    for (al_page at = first; at < end; at++) {
        struct page *page = page_of(at);
        bool locked = kernel_model_is_locked(at);

        if (is_owned(at) && !locked && !page->tolerated) {
            if (!refused)
                complain(at, "is not locked");
            if (page->right)
                complain(at, "has lost its lock to another's refusal");
            page->tolerated = true;
        }
        if (page->program && !locked)
            complain(at, "is not locked for the program any more");
        if (locked || !is_owned(at))
            page->tolerated = false;
        page->right = is_owned(at) && locked;
    }
}

static void check_page(al_page at)
{
    const uint32_t region = AL_PAGE_MAPPED | AL_PAGE_CLOSED | AL_PAGE_KIND_MASK;
    const struct page *page = page_of(at);
    uint32_t word = al_pagemap_get(at);
    bool locked = kernel_model_is_locked(at);
    uint32_t expected = 0;

    if (is_owned(at) && !locked && !page->tolerated)
        complain(at, "is not locked");
    if (locked && !(word & AL_PAGE_LOCKED) && !page->program && !everything && !kernel_model.stuck)
        complain(at, "is locked, and nobody knows");
    if (word & AL_PAGE_EARLIER)
        return;
    if ((word & AL_PAGE_OWNERS) / AL_PAGE_OWNER != page->owners)
        complain(at, "is not owned by so many");
    if (page->taken || page->closed)
        expected = page->taken ? AL_PAGE_MAPPED : AL_PAGE_CLOSED;
    expected |= (uint32_t)page->kind << AL_PAGE_KIND_SHIFT;
    if ((word & region) != expected)
        complain(at, "belongs to another mapping");
}

void ownership_check_all(void)
{
    al_heap_look();
    for (al_page page = MODEL_FIRST; page < MODEL_END; page++)
        check_page(page);
    check_books();
}

/* What went has left no more without an owner than may be. */
static void check_slack(void)
{
    if (complaints_now() == complaints && al_books_spare() > (int64_t)al_books_slack())
        ck_abort_msg("%zu pages have no owner, more than %zu", (size_t)al_books_spare(),
                     (size_t)al_books_slack());
}

/* -- blocks --------------------------------------------------------------------------------- */

static al_page first_of(const struct block *block)
{
    return al_page_of(block->fake.address);
}

static al_page end_of(const struct block *block)
{
    return al_page_of(block->fake.address + block->fake.usable - 1) + 1;
}

static bool qualifies(size_t usable)
{
    return usable >= setup.min_size && usable <= setup.max_size;
}

static void note_owner(const struct block *block, int change)
{
    for (al_page at = first_of(block); at < end_of(block); at++) {
        struct page *page = page_of(at);

        page->owners = (uint16_t)(page->owners + change);
        if (!page->owners)
            page->right = false;
    }
}

static void own(struct block *block)
{
    if (!al_heap_owner.on)
        return;
    subject = &block->fake;
    al_heap_own(block->fake.address, block->fake.usable);
    block->owned = qualifies(block->fake.usable);
    if (block->owned)
        note_owner(block, 1);
}

static void disown(struct block *block)
{
    if (!al_heap_owner.on)
        return;
    subject = &block->fake;
    al_heap_disown(block->fake.address, block->fake.usable);
    if (block->owned)
        note_owner(block, -1);
    block->owned = false;
}

static void program_unlocks(al_page first, al_page end)
{
    kernel_model_unlock(first, end);
    for (al_page page = first; page < end; page++) {
        page_of(page)->program = false;
        page_of(page)->right = false;
    }
    al_region_program_unlocked(al_page_address(first), (end - first) << al_page_shift);
    compare(first, end);
}

static void program_locks(al_page first, al_page end)
{
    kernel_model_lock(first, end);
    for (al_page page = first; page < end; page++)
        page_of(page)->program = true;
    al_region_program_locked(al_page_address(first), (end - first) << al_page_shift);
    compare(first, end);
}

static size_t random_size(void)
{
    static const struct {
        size_t from;
        size_t range;
    } sizes[] = {{1, 100},        {1, 1000},      {1000, 10000},     {4000, 200}, {8100, 200},
                 {10000, 100000}, {1, 4096 * 20}, {100000, 1000000}, {1, 16}};
    size_t i = fake_random(sizeof(sizes) / sizeof(sizes[0]));

    return sizes[i].from + fake_random(sizes[i].range);
}

static void add_block(void)
{
    struct block *block = &blocks[block_count];
    size_t size = random_size();
    bool hopeless, done;

    if (block_count == BLOCKS_MAX)
        return;
    if (fake_chance(500))
        size += (AL_LEAF_PAGES + fake_random(20000)) * PAGE;
    /* As the hooks do: what cannot qualify is not told. */
    hopeless = size < al_heap_owner.hopeless;
    current_heap = al_books.several_threads ? (unsigned)fake_random(1 + FAKE_ARENAS) : 0;
    al_heap_look();
    if (size > 1 << 20 || (size > 50000 && fake_chance(2)))
        done = fake_mapping(&block->fake, size);
    else
        done = fake_malloc(&block->fake, size, current_heap);
    if (!done)
        return;
    block->program = false;
    block->owned = false;
    if (!hopeless)
        own(block);
    block_count++;
    compare(first_of(block), end_of(block));
    if (fake_chance(50)) {
        program_locks(first_of(block), end_of(block));
        block->program = true;
    }
}

static void remove_block(unsigned index)
{
    struct block *block = &blocks[index];
    al_page first = first_of(block);
    al_page end = end_of(block);

    if (block->program)
        program_unlocks(first, end);
    disown(block);
    compare(first, end);
    fake_free(&block->fake);
    *block = blocks[--block_count];
    check_slack();
}

static void resize_block(void)
{
    struct block *block = &blocks[fake_random(block_count)];
    al_page first = first_of(block);
    al_page end = end_of(block);
    size_t size = fake_chance(3) ? block->fake.usable + fake_random(5000) : random_size();

    if (block->program)
        program_unlocks(first, end);
    block->program = false;
    current_heap = block->fake.heap;
    al_heap_look();
    al_heap_moving();
    disown(block);
    for (al_page page = first; page < end && !block->fake.mapping; page++)
        if (page_of(page)->tolerated && !kernel_model_is_locked(page))
            page_of(page)->right = false;
    (void)fake_realloc(&block->fake, size); /* where it fails, the old block is owned again */
    own(block);
    al_heap_moved();
    if (block->fake.address && kernel_model_is_mapped(first))
        compare(first, end);
    compare(first_of(block), end_of(block));
    check_slack();
}

/* -- mappings ------------------------------------------------------------------------------- */

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

static void add_region(void)
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

static void remove_region(void)
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
static void protect_region(void)
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

static void move_region(void)
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

static void lock_region(void)
{
    struct region part = part_of(&regions[fake_random(region_count)]);

    if (fake_chance(2))
        program_unlocks(part.first, part.end);
    else if (is_plain(part))
        program_locks(part.first, part.end);
}

/* -- everything ----------------------------------------------------------------------------- */

static void lock_everything(void)
{
    kernel_model_lock_all();
    everything = true;
    al_region_program_locked_all();
}

static void unlock_everything(void)
{
    kernel_model_unlock_all();
    everything = false;
    for (al_page page = MODEL_FIRST; page < MODEL_END; page++) {
        page_of(page)->program = false;
        page_of(page)->right = false;
    }
    for (unsigned i = 0; i < block_count; i++)
        blocks[i].program = false;
    al_region_program_unlocked_all();
    compare(MODEL_FIRST, MODEL_END);
}

void ownership_step(unsigned step)
{
    unsigned what = (unsigned)fake_random(100);

    complaints = complaints_now();
    if (setup.refuse_in && !kernel_model.refuse_in) {
        kernel_model.refuse_in = 1 + (unsigned)fake_random(setup.refuse_in);
        kernel_model.refusal_then = fake_chance(2) ? -12 : -11;
    }
    if (setup.threads && step == 300)
        al_heap_owner_threads();
    /* The number of blocks goes up and down. */
    if (what < 70) {
        if (block_count && fake_chance(2) == (step / 1000 % 2 == 0 || fake_chance(2)))
            remove_block((unsigned)fake_random(block_count));
        else
            add_block();
    } else if (what < 80) {
        if (block_count)
            resize_block();
    } else if (what < 85 || !region_count) {
        add_region();
    } else if (what < 89) {
        remove_region();
    } else if (what < 93) {
        protect_region();
    } else if (what < 96) {
        move_region();
    } else if (what < 99) {
        lock_region();
    } else if (fake_chance(10)) {
        al_locker_trim_all();
    } else if (fake_chance(20)) {
        everything ? unlock_everything() : lock_everything();
    } else if (fake_chance(40)) {
        unlock_everything();
    }
}

/* -- start and end -------------------------------------------------------------------------- */

static bool arena_is_kept(void)
{
    return !setup.unkept_arenas || current_heap % setup.unkept_arenas;
}

static struct fake_block own_block;

static void *plant(size_t size)
{
    bool kept = arena_is_kept();

    if (fake_chance(10))
        return NULL;
    return fake_malloc(&own_block, size, kept ? current_heap : 0) ? own_block.address : NULL;
}

static void take_back(void *block)
{
    ck_assert_ptr_eq(block, own_block.address);
    fake_free(&own_block);
}

static bool is_mapping(const void *block)
{
    return subject->address == block && subject->mapping;
}

static struct al_allocator allocator = {
    .malloc = plant, .free = take_back, .is_mapping = is_mapping, .keeps_used_heaps = true};

/* Blocks that nobody told us of. */
static void add_existing(void)
{
    const unsigned kind = AL_KIND_HEAP;
    uint32_t word = AL_PAGE_EARLIER;
    al_page first = al_page_of(fake_start_of_main);
    al_page end;

    for (block_count = 0; block_count < 100; block_count++)
        ck_assert(fake_malloc(&blocks[block_count].fake, random_size(), 0));
    end = al_page_of(fake_end_of_main);
    if (setup.current)
        word |= AL_PAGE_MAPPED | kind << AL_PAGE_KIND_SHIFT;
    ck_assert(al_books_change(first, end, ~0U, word, AL_EXCLUSIVE));
    if (setup.current)
        (void)al_locker_lock(first, end);
}

void ownership_begin(const struct ownership_setup *wanted)
{
    setup = *wanted;
    memset(pages, 0, sizeof(pages));
    memset(blocks, 0, sizeof(blocks));
    everything = false;
    books_begin(setup.kinds);
    al_books.policy.min_size = setup.min_size;
    al_books.policy.max_size = setup.max_size;
    al_books.unlimited = !setup.limited;
    al_books.by_parts = setup.by_parts;
    if (setup.budget_pages)
        al_books.budget_pages = setup.budget_pages;
    if (setup.runs_max)
        al_books.runs_max = setup.runs_max;
    kernel_model.limit_pages = setup.limit_pages;
    kernel_model.mappings_max = setup.mappings_max;
    fake_heap_begin(setup.seed);
    if (setup.existing)
        add_existing();
    if (!(setup.kinds & AL_KIND_HEAP))
        return;
    allocator.holds = setup.holds;
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)fake_start_of_main;
    al_heap_owner.end_of_main = (char *volatile *)&fake_end_of_main;
    al_heap_owner.main_end = al_books.several_threads ? NULL : fake_end_of_main;
}

void ownership_end(void)
{
    setup.refuse_in = 0;
    while (block_count)
        remove_block(block_count - 1);
    while (region_count)
        remove_region();
    if (everything)
        unlock_everything();
    al_locker_trim_all();
    ownership_check_all();
    /* Pages from before us stay owned. */
    if (!setup.existing)
        ck_assert_uint_eq(al_books.locked_pages, 0);
}
