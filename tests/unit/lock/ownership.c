#include "ownership_parts.h"

#include "heap_owner.h"
#include "locker.h"
#include "regions.h"

#include <string.h>

struct ownership_setup setup;

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
    blocks_unlocked();
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

void ownership_begin(const struct ownership_setup *wanted)
{
    setup = *wanted;
    memset(pages, 0, sizeof(pages));
    forget_blocks();
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
