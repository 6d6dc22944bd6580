#include "fake_heap.h"

#include "unit.h"

#include <string.h>

enum { PAGE = 4096, HEADER = 16, CHUNKS_MAX = 8192, GROWTH = 33 };

/* The largest main heap; it crosses the end of a leaf. */
#define MAIN_PAGES  ((size_t)8192)
#define MAIN_OFFSET (AL_LEAF_PAGES - 2048)

/* Bytes in use, from the heap's start on. */
struct chunk {
    size_t start;
    size_t end;
};

struct heap {
    bool exists;
    size_t end; /* what is accessible */
    unsigned count;
    struct chunk chunk[CHUNKS_MAX]; /* in the order of addresses */
};

static struct heap heaps[1 + FAKE_ARENAS];
static uint64_t random_state;
static const uint8_t *choices; /* if not NULL, in place of it */
static size_t choices_left;

char *fake_end_of_main;
char *const fake_start_of_main = (char *)((MODEL_FIRST + MAIN_OFFSET) * PAGE);

void fake_heap_begin(uint64_t seed)
{
    memset(heaps, 0, sizeof(heaps));
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 8; i++)
        (void)fake_random(2);
    fake_end_of_main = fake_start_of_main;
}

void fake_choices(const uint8_t *bytes, size_t size)
{
    choices = bytes;
    choices_left = size;
}

bool fake_choices_are_over(void)
{
    return !choices_left;
}

static uint64_t choose(uint64_t bound)
{
    uint64_t value = 0;

    for (uint64_t range = 1; range < bound && choices_left; range <<= 8) {
        value = value << 8 | *choices++;
        choices_left--;
    }
    return value % bound;
}

uint64_t fake_random(uint64_t bound)
{
    if (choices)
        return choose(bound);
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % bound;
}

bool fake_chance(unsigned one_in)
{
    return fake_random(one_in) == 0;
}

static char *start_of(unsigned heap)
{
    if (!heap)
        return fake_start_of_main;
    return al_page_address(MODEL_FIRST + (1 + heap) * AL_LEAF_PAGES);
}

static size_t size_max(unsigned heap)
{
    return (heap ? AL_LEAF_PAGES : MAIN_PAGES) * PAGE;
}

/* -- growing and shrinking ------------------------------------------------------------------ */

static void set_end(unsigned heap, size_t end)
{
    al_page old_page = al_page_of(start_of(heap) + heaps[heap].end);
    al_page page = al_page_of(start_of(heap) + end);

    if (heap)
        kernel_model_protect(old_page, page, true);
    else if (page > old_page)
        kernel_model_map(old_page, page, true);
    else
        kernel_model_unmap(page, old_page);
    heaps[heap].end = end;
    if (!heap)
        __atomic_store_n(&fake_end_of_main, start_of(0) + end, __ATOMIC_RELAXED);
}

static size_t up_to_page(size_t bytes)
{
    return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static bool grow(unsigned heap, size_t end)
{
    if (end <= heaps[heap].end)
        return true;
    if (!heap && fake_chance(2))
        end += 128 << 10; /* M_TOP_PAD */
    end = up_to_page(end);
    if (end > size_max(heap))
        return false;
    set_end(heap, end);
    return true;
}

/* The end of what is in use. */
static size_t top_of(const struct heap *heap)
{
    return heap->count ? heap->chunk[heap->count - 1].end : 0;
}

static void give_back(unsigned index)
{
    struct heap *heap = &heaps[index];
    size_t top = up_to_page(top_of(heap) + HEADER);

    if (index && !heap->count) {
        kernel_model_unmap(al_page_of(start_of(index)),
                           al_page_of(start_of(index)) + AL_LEAF_PAGES);
        heap->exists = false;
        heap->end = 0;
    } else if (!index && heap->end > top + (64 << 10) && fake_chance(2)) {
        set_end(0, top + PAGE * fake_random(17));
    }
}

static bool ensure(unsigned index)
{
    struct heap *heap = &heaps[index];

    if (heap->exists)
        return true;
    heap->exists = true;
    if (index)
        kernel_model_map(al_page_of(start_of(index)), al_page_of(start_of(index)) + AL_LEAF_PAGES,
                         false);
    return grow(index, GROWTH * PAGE);
}

/* -- chunks --------------------------------------------------------------------------------- */

static struct fake_block block_of(unsigned heap, struct chunk chunk)
{
    /* A block ends in the next chunk's first word. */
    return (struct fake_block){.address = start_of(heap) + chunk.start + HEADER,
                               .usable = chunk.end - chunk.start - HEADER / 2,
                               .heap = heap};
}

static void insert(struct heap *heap, unsigned at, struct chunk chunk)
{
    memmove(&heap->chunk[at + 1], &heap->chunk[at], (heap->count - at) * sizeof(chunk));
    heap->chunk[at] = chunk;
    heap->count++;
}

/* Where the free bytes before chunk `at` begin. */
static size_t gap_before(const struct heap *heap, unsigned at)
{
    return at ? heap->chunk[at - 1].end : 0;
}

static size_t chunk_size(size_t size)
{
    return (size + HEADER / 2 + 15) / 16 * 16 < 32 ? 32 : (size + HEADER / 2 + 15) / 16 * 16;
}

bool fake_malloc(struct fake_block *ret_block, size_t size, unsigned index)
{
    struct heap *heap = &heaps[index];
    size_t need = chunk_size(size);
    struct chunk chunk;
    unsigned at = 0;
    unsigned tries;

    if (heap->count == CHUNKS_MAX || !ensure(index))
        return false;
    if (heap->count)
        at = (unsigned)fake_random(heap->count);
    for (tries = 0; tries < 64 && at < heap->count; tries++, at++)
        if (heap->chunk[at].start - gap_before(heap, at) >= need)
            break;
    if (tries == 64)
        at = heap->count;
    chunk.start = gap_before(heap, at);
    chunk.end = chunk.start + need;
    if (at == heap->count && !grow(index, chunk.end + HEADER)) {
        give_back(index);
        return false;
    }
    insert(heap, at, chunk);
    *ret_block = block_of(index, chunk);
    return true;
}

al_page fake_free_pages(size_t count)
{
    size_t pages = FAKE_MAPPINGS_END - FAKE_MAPPINGS_FIRST;
    size_t start = fake_random(pages);
    size_t free_pages = 0;

    for (size_t i = 0; i < pages; i++) {
        size_t at = (start + i) % pages;

        if (at == 0)
            free_pages = 0;
        free_pages = kernel_model_is_mapped(FAKE_MAPPINGS_FIRST + at) ? 0 : free_pages + 1;
        if (free_pages == count)
            return FAKE_MAPPINGS_FIRST + at + 1 - count;
    }
    return 0;
}

static struct fake_block block_in(al_page first, size_t pages)
{
    return (struct fake_block){.address = (char *)al_page_address(first) + HEADER,
                               .usable = pages * PAGE - HEADER,
                               .mapping = true};
}

bool fake_mapping(struct fake_block *ret_block, size_t size)
{
    size_t pages = up_to_page(size + HEADER) / PAGE;
    al_page first = fake_free_pages(pages);

    if (!first)
        return false;
    kernel_model_map(first, first + pages, true);
    *ret_block = block_in(first, pages);
    return true;
}

static unsigned find(const struct heap *heap, size_t start)
{
    unsigned low = 0;
    unsigned high = heap->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (heap->chunk[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == heap->count || heap->chunk[low].start != start)
        ck_abort_msg("no block at %zu", start);
    return low;
}

static unsigned find_block(const struct fake_block *block)
{
    return find(&heaps[block->heap], (size_t)(block->address - HEADER - start_of(block->heap)));
}

static al_page pages_of(const struct fake_block *block, al_page *ret_end)
{
    *ret_end = al_page_of(block->address + block->usable);
    return al_page_of(block->address);
}

void fake_free(const struct fake_block *block)
{
    struct heap *heap = &heaps[block->heap];
    al_page first, end;
    unsigned at;

    if (block->mapping) {
        first = pages_of(block, &end);
        kernel_model_unmap(first, end);
        return;
    }
    at = find_block(block);
    memmove(&heap->chunk[at], &heap->chunk[at + 1],
            (heap->count - at - 1) * sizeof(heap->chunk[0]));
    heap->count--;
    give_back(block->heap);
}

static bool move_mapping(struct fake_block *block, size_t size)
{
    size_t pages = up_to_page(size + HEADER) / PAGE;
    al_page end;
    al_page first = pages_of(block, &end);
    al_page target = pages <= end - first ? first : fake_free_pages(pages);

    if (!target)
        return false;
    kernel_model_move(first, end, target, target + pages);
    *block = block_in(target, pages);
    return true;
}

static bool resize_in_place(struct fake_block *block, size_t size)
{
    struct heap *heap = &heaps[block->heap];
    unsigned at = find_block(block);
    struct chunk *chunk = &heap->chunk[at];
    size_t end = chunk->start + chunk_size(size);

    if (at + 1 < heap->count ? end > heap->chunk[at + 1].start : !grow(block->heap, end + HEADER))
        return false;
    chunk->end = end;
    *block = block_of(block->heap, *chunk);
    give_back(block->heap);
    return true;
}

bool fake_realloc(struct fake_block *block, size_t size)
{
    struct fake_block moved;

    if (block->mapping && size >= PAGE && !fake_chance(4))
        return move_mapping(block, size);
    if (!block->mapping && !fake_chance(4) && resize_in_place(block, size))
        return true;
    if (!(fake_chance(6) ? fake_mapping(&moved, size) : fake_malloc(&moved, size, block->heap)))
        return false;
    fake_free(block);
    *block = moved;
    return true;
}
