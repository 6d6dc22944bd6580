#include "ownership_parts.h"

#include "heap_owner.h"
#include "locker.h"

#include <string.h>

enum { PAGE = 4096, BLOCKS_MAX = 4000 };

struct block {
    struct fake_block fake;
    bool owned;   /* qualifies, and came after the start */
    bool program; /* locked by the program too */
};

static struct block blocks[BLOCKS_MAX];
unsigned block_count;
const struct fake_block *subject;
unsigned current_heap;

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

void add_block(void)
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

void remove_block(unsigned index)
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

void resize_block(void)
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

void blocks_unlocked(void)
{
    for (unsigned i = 0; i < block_count; i++)
        blocks[i].program = false;
}

void forget_blocks(void)
{
    memset(blocks, 0, sizeof(blocks));
}

void add_existing(void)
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
