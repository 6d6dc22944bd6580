/*
 * Threads are born and die by the thousand:
 *
 *     threads COUNT
 *
 * Several make them at a time; each finds its stack locked where stacks are to be, allocates, and
 * once more as it ends. When they are gone the books are where they were, and the library has taken
 * no more memory for the second half of them than for the first.
 */
#include "patterns.h"

#include "autolock/autolock.h"

#include <malloc.h>
#include <pthread.h>

enum { MAKERS = 3, AT_A_TIME = 4, STACK = 128 << 10, DEEP = 20000 };

static unsigned long each;
static pthread_key_t at_end;

static void allocate_at_end(void *block)
{
    free(block);
    pieces_turn(3, 4, 9);
}

/* Some pages of the stack below, which are locked as a whole. */
static void go_deep(unsigned char mark)
{
    volatile unsigned char deep[DEEP];

    for (size_t i = 0; i < DEEP; i += 512)
        deep[i] = mark;
    if (is_wanted(KIND_STACK) && !is_all_locked((const void *)deep, DEEP))
        end_with_1("of a stack %d bytes at %p are not locked\n", DEEP, (const void *)deep);
    for (size_t i = 0; i < DEEP; i += 512)
        expect(deep[i] == mark);
}

static void *live(void *mark)
{
    go_deep((unsigned char)(uintptr_t)mark);
    expect(pthread_setspecific(at_end, malloc(100)) == 0);
    pieces_turn((uintptr_t)mark, 4, (unsigned char)(uintptr_t)mark);
    if ((uintptr_t)mark % 3 == 0)
        pthread_exit(NULL);
    return NULL;
}

static void *make(void *unused)
{
    pthread_attr_t attributes;

    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setstacksize(&attributes, STACK) == 0);
    for (unsigned long i = 0; i < each; i += AT_A_TIME) {
        pthread_t id[AT_A_TIME];

        for (size_t j = 0; j < AT_A_TIME; j++)
            expect_equal(pthread_create(&id[j], &attributes, live, (void *)(i + j)), 0);
        for (size_t j = 0; j < AT_A_TIME; j++)
            expect(pthread_join(id[j], NULL) == 0);
    }
    expect(pthread_attr_destroy(&attributes) == 0);
    return unused;
}

static void make_all(void)
{
    pthread_t makers[MAKERS];

    for (size_t i = 0; i < MAKERS; i++)
        expect(pthread_create(&makers[i], NULL, make, NULL) == 0);
    for (size_t i = 0; i < MAKERS; i++)
        expect(pthread_join(makers[i], NULL) == 0);
}

struct standing {
    long long beyond_books;
    long long tracked;
    long address_space_kb;
};

static struct standing stand(void)
{
    struct standing standing = {.beyond_books = locked_beyond_books(),
                                .address_space_kb = status_kb("VmSize")};
    struct autolock_stats stats;

    if (autolock_snapshot && autolock_snapshot(&stats, sizeof(stats)) == 0)
        standing.tracked = (long long)stats.locked_tracked_bytes;
    return standing;
}

int main(int count, char **arguments)
{
    struct standing before;
    struct standing after;
    const bool by_hooks = strcmp(getenv("AUTOLOCK_MODE"), "alloc") == 0;

    prove_loaded();
    need_privilege_here();
    expect(count == 2);
    expect(mallopt(M_ARENA_MAX, 2) == 1);
    expect(pthread_key_create(&at_end, allocate_at_end) == 0);
    each = strtoul(arguments[1], NULL, 10) / 2 / MAKERS;
    make_all();
    before = stand();
    make_all();
    after = stand();
    expect_books(before.beyond_books, after.beyond_books);
    /* A few heaps and stacks that libc keeps may be others. */
    if (by_hooks && llabs(after.tracked - before.tracked) > 8 << 20)
        end_with_1("tracked: %lld bytes, %lld before\n", after.tracked, before.tracked);
    /* Under valgrind it is valgrind's as well. */
    if (!getenv("RACES_UNDER_VALGRIND") &&
        after.address_space_kb > before.address_space_kb + (4 << 10))
        end_with_1("address space: %ld kB, %ld before\n", after.address_space_kb,
                   before.address_space_kb);
    dprintf(STDOUT_FILENO, "COUNT: %lu threads born and died\n", each * 2 * MAKERS);
    return 0;
}
