/*
 * Threads fork while others allocate:
 *
 *     forks CHILDREN
 *
 * Each child finds its parent's data as it was, has its locks, allocates, and ends by _exit, by
 * exit or after a child of its own. Then the parent's data and books are as they should be.
 */
#include "patterns.h"

#include <pthread.h>
#include <sys/wait.h>

enum { FORKERS = 2, ALLOCATORS = 3, KEPT = 6, TURNS_OF_CHILD = 12, CHILD_STATUS = 7 };

struct forker {
    pthread_t id;
    unsigned number;
    unsigned long children;
    struct piece kept[KEPT];
};

static struct forker forkers[FORKERS];
static volatile bool forked_enough;
static unsigned long turns;

static void *allocate(void *mark)
{
    for (unsigned long turn = 0; !forked_enough; turn++) {
        pieces_turn(turn * 20, 20, (unsigned char)(uintptr_t)mark);
        __atomic_fetch_add(&turns, 20, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void check_kept(const struct forker *forker)
{
    for (size_t i = 0; i < KEPT; i++) {
        const struct piece *piece = &forker->kept[i];

        piece_check(piece);
        if (is_wanted(piece->mapping ? KIND_ANON : KIND_HEAP) &&
            !is_all_locked(piece->start, piece->length))
            end_with_1("%zu bytes at %p are not locked\n", piece->length, (void *)piece->start);
    }
}

static void change_kept(struct forker *forker)
{
    for (size_t i = 0; i < KEPT; i++) {
        piece_end(&forker->kept[i]);
        forker->kept[i] = piece_make(forker->number * 100UL + i * 8, (unsigned char)i);
    }
}

/* Of the program, before it had threads. */
static long long before;

static void wait_for(pid_t child, int wanted)
{
    int status = -1;

    expect(child > 0);
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, wanted << 8);
}

static void __attribute__((noreturn)) live_as_child(struct forker *forker, unsigned long number)
{
    check_kept(forker);
    pieces_turn(number, TURNS_OF_CHILD, 100);
    change_kept(forker);
    check_kept(forker);
    expect_books(before, locked_beyond_books());
    if (number % 3 == 0) {
        pid_t grandchild = fork();

        if (grandchild == 0) {
            check_kept(forker);
            pieces_turn(number, TURNS_OF_CHILD, 50);
            _exit(CHILD_STATUS);
        }
        wait_for(grandchild, CHILD_STATUS);
        check_kept(forker);
    }
    if (number % 3 == 1)
        exit(CHILD_STATUS);
    _exit(CHILD_STATUS);
}

static void *fork_often(void *data)
{
    struct forker *forker = data;

    change_kept(forker);
    for (unsigned long i = 0; i < forker->children; i++) {
        pid_t child = fork();

        if (child == 0)
            live_as_child(forker, i);
        wait_for(child, CHILD_STATUS);
        if (i % 8 == 0)
            change_kept(forker);
        check_kept(forker);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t allocators[ALLOCATORS];

    prove_loaded();
    need_privilege_here();
    expect(count == 2);
    before = locked_beyond_books();
    /* What is made once, for as many threads. */
    for (size_t i = 0; i < ALLOCATORS; i++)
        expect(pthread_create(&allocators[i], NULL, allocate, (void *)(i + 1)) == 0);
    while (__atomic_load_n(&turns, __ATOMIC_RELAXED) < 200)
        (void)sched_yield();
    for (unsigned i = 0; i < FORKERS; i++) {
        forkers[i].number = i;
        forkers[i].children = strtoul(arguments[1], NULL, 10) / FORKERS;
        expect(pthread_create(&forkers[i].id, NULL, fork_often, &forkers[i]) == 0);
    }
    for (size_t i = 0; i < FORKERS; i++)
        expect(pthread_join(forkers[i].id, NULL) == 0);
    forked_enough = true;
    for (size_t i = 0; i < ALLOCATORS; i++)
        expect(pthread_join(allocators[i], NULL) == 0);
    for (size_t i = 0; i < FORKERS; i++) {
        check_kept(&forkers[i]);
        for (size_t j = 0; j < KEPT; j++)
            piece_end(&forkers[i].kept[j]);
    }
    expect_books(before, locked_beyond_books());
    dprintf(STDOUT_FILENO, "COUNT: %lu children forked while others allocate\n",
            forkers[0].children * FORKERS);
    dprintf(STDOUT_FILENO, "COUNT: %lu blocks and mappings of other threads meanwhile\n", turns);
    return 0;
}
