/*
 * Allocates, resizes and frees from many threads and checks every byte: for other allocators before
 * and behind the library.
 *
 *     allocator_load SYMBOL       skipped unless this symbol of the other allocator is there
 */
#include "every_hook.h"

enum { THREADS = 8, ROUNDS = 20000, SLOTS = 128 };

struct slot {
    unsigned char *block;
    size_t size;
    unsigned char value;
};

/* Blocks change hands: what one thread allocates another frees. */
static struct slot shared[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void check(const struct slot *slot)
{
    for (size_t i = 0; i < slot->size; i++)
        if (slot->block[i] != slot->value)
            end_with_1("a block of %zu bytes is damaged at %zu\n", slot->size, i);
}

static void allocate(struct slot *slot, unsigned *random)
{
    void *aligned = NULL;
    size_t alignment;

    slot->size = next_random(random) % (next_random(random) % 50 ? 500 : 300000) + 1;
    slot->value = (unsigned char)next_random(random);
    switch (next_random(random) % 4) {
    case 0:
        slot->block = malloc(slot->size);
        break;
    case 1:
        slot->block = calloc(1, slot->size);
        expect(slot->block && slot->block[0] == 0 && slot->block[slot->size - 1] == 0);
        break;
    case 2:
        /* mimalloc 2.0 misaligns larger ones, with the library and without. */
        alignment = (size_t)16 << next_random(random) % 3;
        expect(posix_memalign(&aligned, alignment, slot->size) == 0);
        expect((uintptr_t)aligned % alignment == 0);
        slot->block = aligned;
        break;
    default:
        slot->block = memalign(64, slot->size);
    }
    expect(slot->block && malloc_usable_size(slot->block) >= slot->size);
    memset(slot->block, slot->value, slot->size);
}

static void resize(struct slot *slot, unsigned *random)
{
    size_t size = next_random(random) % 2000 + 1;

    check(slot);
    slot->block = realloc(slot->block, size);
    expect(slot->block);
    if (size < slot->size)
        slot->size = size;
    check(slot);
    slot->size = size;
    memset(slot->block, slot->value, slot->size);
}

static void *work(void *seed)
{
    unsigned random = (unsigned)(uintptr_t)seed;

    for (int i = 0; i < ROUNDS; i++) {
        struct slot *place = &shared[next_random(&random) % SLOTS];
        struct slot slot = {0};

        pthread_mutex_lock(&lock);
        slot = *place;
        *place = (struct slot){0};
        pthread_mutex_unlock(&lock);

        if (!slot.block) {
            allocate(&slot, &random);
        } else if (next_random(&random) % 3 == 0) {
            resize(&slot, &random);
        } else {
            check(&slot);
            free(slot.block);
            continue;
        }
        pthread_mutex_lock(&lock);
        struct slot other = *place;
        *place = slot;
        pthread_mutex_unlock(&lock);
        free(other.block);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread[THREADS];

    prove_loaded();
    if (argc > 1 && !dlsym(RTLD_DEFAULT, argv[1]))
        skip("this allocator is not installed");
    every_hook();
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_create(&thread[i], NULL, work, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(thread[i], NULL) == 0);
    for (size_t i = 0; i < SLOTS; i++) {
        check(&shared[i]);
        free(shared[i].block);
    }
    every_hook();
    return 0;
}
