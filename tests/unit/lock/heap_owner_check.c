#include "heap_owner_check.h"

static char *heap_end;

void *planted;
unsigned plantings;
unsigned takings_back;
const char *own_mapping;

static void *plant(size_t size)
{
    ck_assert_uint_le(size, 16);
    plantings++;
    return planted;
}

static void take_back(void *block)
{
    ck_assert_ptr_eq(block, planted);
    takings_back++;
}

static bool is_mapping(const void *block)
{
    return block == own_mapping;
}

struct al_allocator allocator = {
    .malloc = plant, .free = take_back, .is_mapping = is_mapping, .keeps_used_heaps = true};

void grow_heap(size_t pages)
{
    al_page old_end = al_page_of(heap_end);

    heap_end += pages * PAGE;
    kernel_model_map(old_end, al_page_of(heap_end), true);
}

void shrink_heap(size_t pages)
{
    kernel_model_unmap(al_page_of(heap_end) - pages, al_page_of(heap_end));
    heap_end -= pages * PAGE;
}

void start_for(uint64_t min_size, uint64_t max_size)
{
    al_books.policy.min_size = min_size;
    al_books.policy.max_size = max_size;
    /* Not at the real one's place. */
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)address_at(heap);
    al_heap_owner.end_of_main = (char *volatile *)&heap_end;
    al_heap_owner.main_end = al_books.several_threads ? NULL : heap_end;
}

void heap_owner_begin(void)
{
    books_begin(AL_KIND_HEAP);
    map_pages(arena, AL_LEAF_PAGES);
    map_pages(elsewhere, 3 * AL_LEAF_PAGES);
    heap_end = address_at(heap);
    grow_heap(500);
    start_for(0, UINT64_MAX);
}
