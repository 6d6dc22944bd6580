#include "owning_threads.h"

#include "heap_owner.h"
#include "locker.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

unsigned rounds;
bool done;
bool some_refused;
bool some_unlocked;

void owning_threads_begin(void)
{
    const char *longer = getenv("OWNERSHIP_STEPS");

    books_begin(AL_KIND_HEAP | AL_KIND_ANON);
    kernel_model.yields = true;
    rounds = longer ? (unsigned)strtoul(longer, NULL, 10) : UNIT_SANITIZED ? 500 : 6000;
    done = false;
    some_refused = false;
    some_unlocked = false;
}

static bool is_booked(const struct fake_block *block)
{
    for (al_page page = first_of(block); page < end_of(block); page++)
        if ((al_pagemap_get(page) & (AL_PAGE_LOCKED | AL_PAGE_UNSURE)) != AL_PAGE_LOCKED)
            return false;
    return true;
}

void expect_locked(const struct fake_block *block, const char *when)
{
    for (al_page page = first_of(block); page < end_of(block); page++)
        if (!kernel_model_is_locked(page))
            ck_abort_msg("%s: page %#zx of a block of %zu bytes at %#zx is not locked: %#x", when,
                         (size_t)(page - MODEL_FIRST), block->usable,
                         (size_t)(block->address - address_at(0)), al_pagemap_get(page));
}

void own(struct held *held)
{
    al_heap_own(held->block.address, held->block.usable);
    if (some_unlocked)
        return;
    if (!some_refused)
        expect_locked(&held->block, "just owned");
    held->locked = is_booked(&held->block);
}

void disown(const struct held *held)
{
    if (held->locked && !some_unlocked)
        expect_locked(&held->block, "still owned");
    al_heap_disown(held->block.address, held->block.usable);
}

static void *trim(void *unused)
{
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        al_locker_trim_all();
        sched_yield();
    }
    return unused;
}

void run(void *(*routine)(void *), void *(*other)(void *))
{
    pthread_t thread[THREADS], others[2];

    ck_assert_int_eq(pthread_create(&others[0], NULL, trim, NULL), 0);
    if (other)
        ck_assert_int_eq(pthread_create(&others[1], NULL, other, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, routine, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    __atomic_store_n(&done, true, __ATOMIC_RELAXED);
    pthread_join(others[0], NULL);
    if (other)
        pthread_join(others[1], NULL);
    check_books_but_runs();
}
