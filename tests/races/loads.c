/*
 * Libraries are loaded and unloaded while other threads map and unmap, and allocate:
 *
 *     loads ROUNDS DIRECTORY
 *
 * What is unmapped by one is soon mapped by another. After each round all stand still: what is
 * loaded then is locked, where images are to be, and what others have mapped, where theirs is.
 */
#include "patterns.h"

#include <pthread.h>

enum { LOADERS = 2, MAPPERS = 2, MODULES = 4, STEPS = 12, MAPPED = 8, PIECE = 27 * PAGE };

struct loaded {
    void *handle;
    char *data;
    size_t length;
};

static unsigned long rounds;
static const char *directory;
static pthread_barrier_t begins;
static pthread_barrier_t ends;
static struct loaded loaded[MODULES];
static char *mapped[MAPPERS][MAPPED];
static unsigned long loads;
static unsigned long maps;

static void turn_module(size_t number)
{
    struct loaded *module = &loaded[number];
    char *(*data)(unsigned long *);
    char path[4096];

    if (module->handle) {
        expect(module->data[0] == 1 && module->data[module->length - 1] == 0);
        expect(dlclose(module->handle) == 0);
        module->handle = NULL;
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/module%zu.so", directory, number + 1);
    module->handle = dlopen(path, RTLD_NOW);
    if (!module->handle)
        end_with_1("%s\n", dlerror());
    *(void **)&data = dlsym(module->handle, "module_data");
    expect(data);
    module->data = data(&module->length);
    __atomic_fetch_add(&loads, 1, __ATOMIC_RELAXED);
}

static void *load(void *data)
{
    size_t number = (uintptr_t)data;

    for (unsigned long round = 0; round < rounds; round++) {
        pthread_barrier_wait(&begins);
        for (unsigned long i = 0; i < STEPS + round % 3; i++)
            turn_module((number + i * LOADERS) % MODULES);
        pthread_barrier_wait(&ends);
    }
    return NULL;
}

static void turn_piece(char **piece, unsigned char mark)
{
    if (*piece) {
        expect((*piece)[0] == (char)mark && (*piece)[PIECE - 1] == (char)mark);
        expect(munmap(*piece, PIECE) == 0);
        *piece = NULL;
        return;
    }
    *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(*piece != MAP_FAILED);
    (*piece)[0] = (*piece)[PIECE - 1] = (char)mark;
    __atomic_fetch_add(&maps, 1, __ATOMIC_RELAXED);
}

static void *map(void *data)
{
    size_t number = (uintptr_t)data;

    for (unsigned long round = 0; round < rounds; round++) {
        pthread_barrier_wait(&begins);
        for (unsigned long i = 0; i < STEPS * 20UL; i++) {
            size_t which = (i * 5 + round) % MAPPED;

            turn_piece(&mapped[number][which], (unsigned char)(which + 1));
        }
        pieces_turn(round, 20, 3);
        pthread_barrier_wait(&ends);
    }
    return NULL;
}

static void expect_state(const void *start, size_t length, bool wanted, const char *what)
{
    bool any = false;

    if (is_all_locked(start, length) == wanted && wanted)
        return;
    for (size_t i = 0; !wanted && i < length; i += PAGE)
        any |= is_all_locked((const char *)start + i, 1);
    if (wanted || any)
        end_with_1("%s of %zu bytes at %p: %s\n", what, length, start,
                   wanted ? "not all of it is locked" : "some of it is locked");
}

/* All stand still. Outside of the modes that lock nothing is. */
static void check(void)
{
    for (size_t i = 0; i < MODULES; i++)
        if (loaded[i].handle)
            expect_state(loaded[i].data, loaded[i].length, is_wanted(KIND_IMAGE), "a library");
    for (size_t i = 0; i < MAPPERS; i++)
        for (size_t j = 0; j < MAPPED; j++)
            if (mapped[i][j])
                expect_state(mapped[i][j], PIECE, is_wanted(KIND_ANON), "a mapping");
}

int main(int count, char **arguments)
{
    pthread_t threads[LOADERS + MAPPERS];
    long long before = -1;
    long long after = -1;

    prove_loaded();
    need_privilege_here();
    expect(count == 3);
    rounds = strtoul(arguments[1], NULL, 10);
    directory = arguments[2];
    expect(pthread_barrier_init(&begins, NULL, LOADERS + MAPPERS + 1) == 0);
    expect(pthread_barrier_init(&ends, NULL, LOADERS + MAPPERS + 1) == 0);
    for (size_t i = 0; i < LOADERS + MAPPERS; i++)
        expect(pthread_create(&threads[i], NULL, i < LOADERS ? load : map,
                              (void *)(i < LOADERS ? i : i - LOADERS)) == 0);
    for (unsigned long round = 0; round < rounds; round++) {
        pthread_barrier_wait(&begins);
        pthread_barrier_wait(&ends);
        check();
        if (round == 5)
            before = locked_beyond_books();
        /* Before the last: then the threads end, and libc keeps their stacks, which nobody owns. */
        if (round + 2 == rounds)
            after = locked_beyond_books();
    }
    for (size_t i = 0; i < LOADERS + MAPPERS; i++)
        expect(pthread_join(threads[i], NULL) == 0);
    expect_books(before, after);
    dprintf(STDOUT_FILENO, "COUNT: %lu libraries loaded while others map\n", loads);
    dprintf(STDOUT_FILENO, "COUNT: %lu mappings made while libraries are loaded\n", maps);
    return 0;
}
