/*
 * Several threads own and disown blocks on the same pages while another one gives back what has no
 * owner. What a thread owns it finds locked, from the moment it is told so until it gives it up.
 * OWNERSHIP_STEPS in the environment makes the runs longer.
 */
#include "heap_owner.h"
#include "locker.h"
#include "owning_threads.h"
#include "regions.h"

#include <pthread.h>
#include <sched.h>

enum { PAGE = 4096, BLOCKS = 400, HELD_MAX = 100 };

/* -- blocks side by side -------------------------------------------------------------------- */

static struct held blocks[BLOCKS];
static bool held[BLOCKS];

static bool is_mapping(const void *block)
{
    (void)block;
    return false;
}

static void *no_block(size_t size)
{
    (void)size;
    return NULL;
}

static void never(void *block)
{
    ck_abort_msg("%p was never given out", block);
}

static char *end_of_main;

/* One behind the other from page `index` on, so that neighbours share pages; every fourth is of the
 * same thread. */
static void lay_out(size_t index, bool holds)
{
    const struct al_allocator allocator = {.malloc = no_block,
                                           .free = never,
                                           .is_mapping = is_mapping,
                                           .keeps_used_heaps = true,
                                           .holds = holds};
    uint64_t random = 1 + (uint64_t)index;
    char *at = address_at(index) + 16;

    for (size_t i = 0; i < BLOCKS; i++) {
        size_t usable = next(&random) % (next(&random) % 4 ? 1000 : 20000) + 8;

        blocks[i].block = (struct fake_block){.address = at, .usable = usable};
        at += (usable + 23) / 16 * 16;
    }
    map_pages(0, MODEL_PAGES);
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)address_at(0);
    end_of_main = address_at(AL_LEAF_PAGES);
    al_heap_owner.end_of_main = (char *volatile *)&end_of_main;
    al_heap_owner.main_end = end_of_main;
    al_heap_owner_threads();
}

static void *own_and_disown(void *data)
{
    size_t me = (size_t)data;
    uint64_t random = 77 + me;

    for (unsigned round = 0; round < rounds; round++) {
        size_t i = next(&random) % (BLOCKS / THREADS) * THREADS + me;

        if (held[i])
            disown(&blocks[i]);
        else
            own(&blocks[i]);
        held[i] = !held[i];
        al_locker_trim();
    }
    return NULL;
}

/* As realloc: the bytes on their way stay locked. */
static void *move_about(void *data)
{
    size_t me = (size_t)data;
    uint64_t random = 99 + me;
    size_t now = me;

    own(&blocks[now]);
    for (unsigned round = 0; round < rounds; round++) {
        size_t i = next(&random) % (BLOCKS / THREADS) * THREADS + me;

        al_heap_moving();
        disown(&blocks[now]);
        if (i != now)
            own(&blocks[i]);
        if (blocks[now].locked && !some_unlocked)
            expect_locked(&blocks[now].block, "on its way");
        if (i == now)
            own(&blocks[now]);
        al_heap_moved();
        now = i;
    }
    held[now] = true;
    return NULL;
}

static void expect_owners(void)
{
    static uint16_t owners[MODEL_PAGES];

    for (size_t i = 0; i < BLOCKS; i++)
        for (al_page page = first_of(&blocks[i].block); held[i] && page < end_of(&blocks[i].block);
             page++)
            owners[page - MODEL_FIRST]++;
    for (al_page page = MODEL_FIRST; page < MODEL_END; page++) {
        unsigned expected = owners[page - MODEL_FIRST];

        if ((al_pagemap_get(page) & AL_PAGE_OWNERS) / AL_PAGE_OWNER != expected)
            ck_abort_msg("page %#zx should have %u owners: %#x", (size_t)(page - MODEL_FIRST),
                         expected, al_pagemap_get(page));
        if (expected && !some_refused && !kernel_model_is_locked(page))
            ck_abort_msg("page %#zx of %u owners is not locked: %#x", (size_t)(page - MODEL_FIRST),
                         expected, al_pagemap_get(page));
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (held[i])
            al_heap_disown(blocks[i].block.address, blocks[i].block.usable);
    al_locker_trim_all();
    check_books_but_runs();
    check_only_locked(0, 0);
    ck_assert_uint_eq(al_books.locked_pages, 0);
}

/* In the main heap, in another one, and across the end of a leaf. */
static const size_t places[] = {100, 3 * AL_LEAF_PAGES, 5 * AL_LEAF_PAGES - 100};

START_TEST(on_the_same_pages)
{
    lay_out(places[_i / 2], _i % 2);
    run(own_and_disown, NULL);
    expect_owners();
}
END_TEST

START_TEST(on_their_way)
{
    lay_out(places[_i / 2], _i % 2);
    run(move_about, NULL);
    expect_owners();
}
END_TEST

START_TEST(refused)
{
    lay_out(places[_i / 2], _i % 2);
    some_refused = true;
    al_books.unlimited = false;
    kernel_model.refuse_each = 3;
    run(own_and_disown, NULL);
    expect_owners();
}
END_TEST

static void *program_unlocks(void *unused)
{
    uint64_t random = 5;

    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        const struct fake_block *block = &blocks[next(&random) % BLOCKS].block;
        al_page first = first_of(block) - next(&random) % 5;
        al_page end = end_of(block) + next(&random) % 5;

        kernel_model_unlock(first, end);
        al_region_program_unlocked(al_page_address(first), (end - first) << al_page_shift);
        sched_yield();
    }
    return unused;
}

/* Of all blocks: each page that gets an owner meanwhile has others behind it. */
static void *program_unlocks_all(void *unused)
{
    al_page first = first_of(&blocks[0].block);
    al_page end = end_of(&blocks[BLOCKS - 1].block);

    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        kernel_model_unlock(first, end);
        al_region_program_unlocked(al_page_address(first), (end - first) << al_page_shift);
    }
    return unused;
}

START_TEST(unlocked_by_the_program)
{
    lay_out(places[_i / 2], _i % 2);
    some_unlocked = true;
    run(own_and_disown, program_unlocks);
    expect_owners();
}
END_TEST

START_TEST(all_unlocked_by_the_program)
{
    lay_out(places[_i / 2], _i % 2);
    some_unlocked = true;
    run(own_and_disown, program_unlocks_all);
    expect_owners();
}
END_TEST

/* -- heaps that come and go ----------------------------------------------------------------- */

/* As an allocator's own lock does, it orders what is done to the heaps, and nothing of ours. */
static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread unsigned heap_in_use;
static __thread struct fake_block subject;
static __thread struct fake_block own_block;
static bool plants;

static void *plant(size_t size)
{
    bool there;

    if (!plants)
        return NULL;
    pthread_mutex_lock(&heap_lock);
    there = fake_malloc(&own_block, size, heap_in_use);
    pthread_mutex_unlock(&heap_lock);
    return there ? own_block.address : NULL;
}

static void take_back(void *block)
{
    ck_assert_ptr_eq(block, own_block.address);
    pthread_mutex_lock(&heap_lock);
    fake_free(&own_block);
    pthread_mutex_unlock(&heap_lock);
}

static bool subject_is_mapping(const void *block)
{
    return subject.address == block && subject.mapping;
}

static bool allocate(struct fake_block *block, uint64_t *random)
{
    size_t size = next(random) % (next(random) % 4 ? 2000 : 100000) + 1;
    bool there;

    heap_in_use = (unsigned)(next(random) % (1 + FAKE_ARENAS));
    pthread_mutex_lock(&heap_lock);
    there = next(random) % 20 ? fake_malloc(block, size, heap_in_use) : fake_mapping(block, size);
    pthread_mutex_unlock(&heap_lock);
    subject = *block;
    return there;
}

static void release(const struct held *one)
{
    subject = one->block;
    disown(one);
    pthread_mutex_lock(&heap_lock);
    fake_free(&one->block);
    pthread_mutex_unlock(&heap_lock);
}

static void *allocate_and_free(void *data)
{
    struct held mine[HELD_MAX];
    uint64_t random = 123 + (size_t)data;
    unsigned count = 0;

    for (unsigned round = 0; round < rounds; round++) {
        /* Now and then all of it goes, so that heaps do. */
        bool fewer = round / 256 % 2 || count == HELD_MAX;

        if (count && next(&random) % 4 < (fewer ? 3 : 1)) {
            unsigned i = (unsigned)(next(&random) % count);

            release(&mine[i]);
            mine[i] = mine[--count];
        } else if (count < HELD_MAX && allocate(&mine[count].block, &random)) {
            own(&mine[count++]);
        }
    }
    while (count)
        release(&mine[--count]);
    return NULL;
}

START_TEST(heaps_come_and_go)
{
    const struct al_allocator allocator = {.malloc = plant,
                                           .free = take_back,
                                           .is_mapping = subject_is_mapping,
                                           .keeps_used_heaps = true,
                                           .holds = _i >= 4};

    fake_heap_begin((uint64_t)_i);
    plants = _i % 2;
    al_heap_owner_start(&allocator, 0, false);
    al_heap_owner.main_start = (uintptr_t)fake_start_of_main;
    al_heap_owner.end_of_main = (char *volatile *)&fake_end_of_main;
    al_heap_owner.main_end = fake_end_of_main;
    al_heap_owner_threads();
    run(allocate_and_free, NULL);
    al_locker_trim_all();
    check_books_but_runs();
    ck_assert_uint_eq(al_books.locked_pages, 0);
    check_only_locked(0, 0);
}
END_TEST

/* -- mappings ------------------------------------------------------------------------------- */

static void *map_and_unmap(void *data)
{
    uint64_t random = 31 + (size_t)data;

    /* Each thread has eight pages of each 32, so that runs meet. */
    for (unsigned round = 0; round < rounds / 2; round++) {
        size_t index = next(&random) % 100 * 8 * THREADS + 8 * (size_t)data;
        size_t count = 1 + next(&random) % 8;
        struct fake_block pages = {.address = address_at(index), .usable = count * PAGE};

        map_pages(index, count);
        al_region_mapped(address_at(index), count * PAGE, AL_KIND_ANON, true);
        expect_locked(&pages, "just mapped");
        sched_yield();
        expect_locked(&pages, "still mapped");
        al_region_unmapping(address_at(index), count * PAGE);
        kernel_model_unmap(page_at(index), page_at(index + count));
    }
    return NULL;
}

START_TEST(mappings_come_and_go)
{
    al_books.several_threads = true;
    run(map_and_unmap, NULL);
    ck_assert_uint_eq(al_books.locked_pages, 0);
    check_only_locked(0, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("ownership_threads");
    const int count = 2 * sizeof(places) / sizeof(places[0]); /* held, and not */

    tcase_add_checked_fixture(tests, owning_threads_begin, NULL);
    tcase_add_loop_test(tests, on_the_same_pages, 0, count);
    tcase_add_loop_test(tests, on_their_way, 0, count);
    tcase_add_loop_test(tests, refused, 0, count);
    tcase_add_loop_test(tests, unlocked_by_the_program, 0, count);
    tcase_add_loop_test(tests, all_unlocked_by_the_program, 0, count);
    tcase_add_loop_test(tests, heaps_come_and_go, 0, 8);
    tcase_add_test(tests, mappings_come_and_go);
    return unit_run(tests);
}
