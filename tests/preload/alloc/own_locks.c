/*
 * The program's own mlock, munlock, mlockall and munlockall keep their meaning for it: what it
 * locked stays locked until it says otherwise, and what we own stays locked whatever it says.
 * KINDS=heap,anon MAX_SIZE=1M, so that a larger mapping is the program's own affair.
 */
#include "scenario.h"

enum { PAGES = 32, LENGTH = PAGES * PAGE, FOREIGN = 2 << 20 };

static char *map(size_t length)
{
    char *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

static void munlock_of_what_is_owned(void)
{
    char *start = map(LENGTH);
    char *block = malloc(20000);

    expect(munlock(start, LENGTH) == 0);
    expect_locked(start, LENGTH);
    expect(munlock(start + 5 * PAGE, 7 * PAGE) == 0);
    expect_locked(start, LENGTH);
    expect(munlock(block, 20000) == 0);
    expect_locked(block, 20000);
    expect(mlock(block, 20000) == 0 && munlock(block, 20000) == 0);
    expect_locked(block, 20000);
    free(block);
}

static void mlock_of_what_is_not_ours(void)
{
    char *start = map(FOREIGN);

    expect_unlocked(start, FOREIGN);
    expect(mlock(start, FOREIGN) == 0);
    expect_locked(start, FOREIGN);
    expect(munlock(start, FOREIGN / 2) == 0);
    expect_unlocked(start, FOREIGN / 2);
    expect_locked(start + FOREIGN / 2, FOREIGN / 2);
    expect(mlock2(start, PAGE, 1) == 0);
    expect_marked(start, PAGE);
    expect(munlock(start, FOREIGN) == 0);
    expect_unlocked(start, FOREIGN);
}

static void failures_are_told(void)
{
    char *start = map(LENGTH);

    expect(munmap(start + 2 * PAGE, PAGE) == 0);
    expect(mlock(start, LENGTH) == -1 && errno == ENOMEM);
    expect(munlock(start, LENGTH) == -1 && errno == ENOMEM);
    expect_locked(start, 2 * PAGE);
    expect_locked(start + 3 * PAGE, LENGTH - 3 * PAGE);
    expect(mlock2(start, PAGE, 0x100) == -1 && errno == EINVAL);
    expect(mlockall(0) == -1 && errno == EINVAL);
    expect_locked(start, 2 * PAGE);
}

/* Frees enough around it that pages without an owner go back: not those that the program locked. */
static void neighbours_freed(void)
{
    enum { MANY = 4000, SIZE = 3000 };
    static char *block[MANY];
    char *kept;

    for (size_t i = 0; i < MANY; i++)
        expect((block[i] = malloc(SIZE)));
    kept = block[MANY / 2];
    expect(mlock(kept, SIZE) == 0);
    for (size_t i = 0; i < MANY; i++)
        if (block[i] != kept && i != MANY - 1)
            free(block[i]);
    expect_locked(kept, SIZE);
    free(kept);
    /* The lock is the page's, not the block's. */
    expect_locked(kept, SIZE);
    expect(munlock(kept, SIZE) == 0);
    for (size_t i = 0; i < MANY - 1; i++)
        expect((block[i] = malloc(SIZE)));
    for (size_t i = 0; i < MANY - 1; i++)
        free(block[i]);
    expect(status_kb("VmLck") < SPARE_KB + 1024);
}

static void mlock_of_blocks_that_do_not_qualify(void)
{
    char *block = malloc(FOREIGN);

    expect_unlocked(block, FOREIGN);
    expect(mlock(block, FOREIGN) == 0);
    expect_locked(block, FOREIGN);
    free(malloc(100000));
    expect_locked(block, FOREIGN);
    expect(munlock(block, FOREIGN) == 0);
    expect_unlocked(block + PAGE, FOREIGN - 2 * PAGE);
}

static void everything_and_nothing(void)
{
    char *ours = map(LENGTH);
    char *foreign = map(FOREIGN);
    char *block = malloc(20000);
    char *later;

    expect(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    expect_locked(foreign, FOREIGN);
    expect_locked(later = map(FOREIGN), FOREIGN);
    free(malloc(50000));
    expect(munmap(map(LENGTH), LENGTH) == 0);
    expect_locked(foreign, FOREIGN);
    expect(munlockall() == 0);
    expect_unlocked(foreign, FOREIGN);
    expect_unlocked(later, FOREIGN);
    expect_locked(ours, LENGTH);
    expect_locked(block, 20000);
    expect_locked(map(LENGTH), LENGTH);
    expect_unlocked(map(FOREIGN), FOREIGN);
    expect_locked(used(malloc(30000)), 30000);
}

static void munlockall_alone(void)
{
    enum { MANY = 1000 };
    static char *block[MANY];
    char *ours = map(LENGTH);

    for (size_t i = 0; i < MANY; i++)
        expect((block[i] = malloc(i + 1)));
    expect(munlockall() == 0);
    watch_take();
    for (size_t i = 0; i < MANY; i++)
        expect(watch_all_locked(block[i], i + 1));
    expect_locked(ours, LENGTH);
    for (size_t i = 0; i < MANY; i += 2)
        free(block[i]);
    watch_take();
    for (size_t i = 1; i < MANY; i += 2)
        expect(watch_all_locked(block[i], i + 1));
}

/* MAP_LOCKED is the program's own lock. */
static void map_locked(void)
{
    char *start = mmap(NULL, FOREIGN, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

    expect(start != MAP_FAILED);
    expect_locked(start, FOREIGN);
    for (int i = 0; i < 100; i++) {
        expect(munmap(map(LENGTH), LENGTH) == 0);
        free(malloc(50000));
    }
    expect_locked(start, FOREIGN);
    expect(munlock(start, FOREIGN) == 0);
    expect_unlocked(start, FOREIGN);
}

/* What moves keeps the program's lock, and so does what it gains, whether it was of our sizes
 * before, or is now. */
static void moved(int lock_flags)
{
    static const size_t lengths[][2] = {
        {FOREIGN, 2 * FOREIGN}, {LENGTH, FOREIGN}, {FOREIGN, LENGTH}, {LENGTH, 2 * LENGTH}};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t before = lengths[i][0];
        size_t after = lengths[i][1];
        char *target = map(after);
        char *start = mmap(NULL, before, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | lock_flags, -1, 0);

        expect(start != MAP_FAILED);
        if (!lock_flags)
            expect(mlock(start, before) == 0);
        expect_locked(start, before);
        expect(mremap(start, before, after, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
        expect_locked(target, after);
        expect(mprotect(target, after, PROT_NONE) == 0);
        expect(mprotect(target, after, PROT_READ | PROT_WRITE) == 0);
        expect_locked(target, after);
        expect(munlock(target, after) == 0);
        if (after > 1 << 20)
            expect_unlocked(target, after);
        expect(munmap(target, after) == 0);
    }
}

static void mlock_moves(void)
{
    moved(0);
}

static void map_locked_moves(void)
{
    moved(MAP_LOCKED);
}

SCENARIOS(SCENARIO(munlock_of_what_is_owned), SCENARIO(mlock_of_what_is_not_ours),
          SCENARIO(failures_are_told), SCENARIO(neighbours_freed),
          SCENARIO(mlock_of_blocks_that_do_not_qualify), SCENARIO(everything_and_nothing),
          SCENARIO(munlockall_alone), SCENARIO(map_locked), SCENARIO(mlock_moves),
          SCENARIO(map_locked_moves))
