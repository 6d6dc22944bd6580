/*
 * Memory that exists before the library starts, made by another preloaded one (early.c).
 */
#include "scenario.h"

enum { LENGTH = 64 * PAGE };

static char *early(const char *name)
{
    char **variable = dlsym(RTLD_DEFAULT, name);

    if (!variable)
        end_with_1("the library that comes early is not loaded\n");
    expect(*variable && *variable != MAP_FAILED);
    return *variable;
}

/* KINDS=heap,anon */
static void heap_and_anon(void)
{
    expect_locked(early("early_small"), 3000);
    expect_locked(early("early_large"), 1 << 20);
    expect_locked(early("early_anon"), LENGTH);
    expect_unlocked(early("early_reserved"), LENGTH);
    expect_unlocked(early("early_shared"), LENGTH);
    expect_unlocked(early("early_file"), LENGTH);
}

/* KINDS=shared,file */
static void shared_and_file(void)
{
    expect_locked(early("early_shared"), LENGTH);
    expect_locked(early("early_file"), LENGTH);
    expect_unlocked(early("early_anon"), LENGTH);
    expect_unlocked(early("early_small"), 3000);
}

/* FLAGS=future */
static void future_only(void)
{
    expect_unlocked(early("early_anon"), LENGTH);
    expect_unlocked(early("early_large"), 1 << 20);
    expect_unlocked(early("early_shared"), LENGTH);
    expect_locked(used(malloc(100000)), 100000);
}

/* FLAGS=current,future,onfault */
static void on_fault(void)
{
    char *anon = early("early_anon");

    expect_marked(anon, LENGTH);
    expect(resident_pages(anon, LENGTH) == 0);
    anon[5 * PAGE] = 1;
    expect(resident_pages(anon, LENGTH) == 1);
}

/* What was there is freed, unmapped and opened later as if it had come later. */
static void goes_on(void)
{
    char *anon = early("early_anon");
    char *reserved = early("early_reserved");
    char *large;
    char *small = realloc(early("early_small"), 5000);

    expect(small);
    expect_locked(small, 5000);
    free(small);
    expect((large = realloc(early("early_large"), 3 << 20)));
    expect_locked(large, 3 << 20);
    free(large);
    expect(mprotect(reserved + 4 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE) == 0);
    expect_locked(reserved + 4 * PAGE, 8 * PAGE);
    expect_unlocked(reserved + 12 * PAGE, 8 * PAGE);
    expect(munmap(anon + 10 * PAGE, 10 * PAGE) == 0);
    expect_locked(anon, 10 * PAGE);
    expect_locked(anon + 20 * PAGE, LENGTH - 20 * PAGE);
    expect(munmap(anon, LENGTH) == 0);
    for (int i = 0; i < 1000; i++)
        expect_locked(used(malloc(3000)), 3000);
}

SCENARIOS(SCENARIO(heap_and_anon), SCENARIO(shared_and_file), SCENARIO(future_only),
          SCENARIO(on_fault), SCENARIO(goes_on))
