/*
 * Who owns which page: operations on blocks and mappings are chosen by the input, done on a
 * simulated allocator and a kernel that refuses as the input wants, told to the library as its
 * hooks tell it, and compared with a plain model after each step.
 *
 * What stays from one input to the next are empty tables of the page map.
 */
#include "fuzz.h"
#include "heap_hold.h"
#include "heap_owner.h"
#include "ownership.h"

#include <string.h>

enum { STEPS_MAX = 2000, SETUP = 10 };

/* In place of libcheck's: there is no test to fail. */
void _ck_assert_failed(const char *file, int line, const char *expression, const char *message,
                       ...);

void _ck_assert_failed(const char *file, int line, const char *expression, const char *message, ...)
{
    va_list arguments;

    (void)fprintf(stderr, "%s:%d: %s: ", file, line, expression);
    if (message) {
        va_start(arguments, message);
        (void)vfprintf(stderr, message, arguments);
        va_end(arguments);
    }
    (void)fputc('\n', stderr);
    abort();
}

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

static uint64_t one_of(const uint64_t *values, uint8_t which)
{
    return values[which % 4];
}

static struct ownership_setup read_setup(const uint8_t *bytes)
{
    static const uint64_t sizes[] = {0, 0, 30000, 200000};
    static const uint64_t pages[] = {0, 0, 3000, 300};
    static const uint64_t runs[] = {0, 0, 20, 150};
    const unsigned kinds = AL_KIND_HEAP | AL_KIND_ANON | AL_KIND_FILE | AL_KIND_SHARED;
    struct ownership_setup setup = {
        .kinds = bytes[0] & kinds ? bytes[0] & kinds : kinds,
        .min_size = one_of(sizes, bytes[1]),
        .max_size = bytes[1] & 16 ? 100000 : UINT64_MAX,
        .threads = bytes[2] & 1,
        .existing = bytes[2] & 2,
        .current = bytes[2] & 4,
        .limited = bytes[2] & 8,
        .by_parts = bytes[2] & 16,
        .refuse_in = bytes[3] & 1 ? 1 + bytes[3] : 0,
        .limit_pages = one_of(pages, bytes[4]),
        .budget_pages = one_of(pages, bytes[5]),
        .runs_max = one_of(runs, bytes[6]),
        .unkept_arenas = bytes[7] % 4,
    };

    /* Blocks that were there before are of a heap that is looked at, and the books have room. */
    if (!(setup.kinds & AL_KIND_HEAP))
        setup.existing = false;
    if (setup.existing)
        setup.limit_pages = setup.budget_pages = setup.runs_max = 0;
    return setup;
}

static struct al_heap_owner heap_owner_at_start;

int LLVMFuzzerInitialize(int *count, char ***arguments);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    heap_owner_at_start = al_heap_owner;
    return 0;
}

static void forget(void)
{
    al_heap_let_go_all();
    fuzz_expect(al_books_change(MODEL_FIRST, MODEL_END, ~0U, 0, AL_EXCLUSIVE));
    for (al_page page = MODEL_FIRST; page < MODEL_END; page += AL_LEAF_PAGES) {
        struct al_leaf *leaf = al_pagemap_any_leaf(page);

        if (leaf) {
            leaf->anchored = false;
            leaf->refusals = 0;
        }
    }
    memset(&al_books, 0, sizeof(al_books));
    al_heap_owner = heap_owner_at_start;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ownership_setup setup;
    unsigned step = 0;

    if (size < SETUP)
        return 0;
    setup = read_setup(bytes);
    /* Threads come after step 300. */
    if (bytes[8])
        step = 300 - bytes[8];
    fake_choices(bytes + SETUP, size - SETUP);
    ownership_begin(&setup);
    for (unsigned end = step + STEPS_MAX; step < end && !fake_choices_are_over(); step++)
        ownership_step(step);
    ownership_check_all();
    ownership_end();
    forget();
    return 0;
}
