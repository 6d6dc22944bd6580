/*
 * Memory that the allocator gave back and got again, unseen by us, is locked again. KINDS=heap.
 */
#include "scenario.h"

#include <malloc.h>
#include <pthread.h>

enum { MAPPED_FROM = 1 << 20 };

struct batch {
    char **block;
    size_t count;
    size_t size;
};

static struct batch batch_of(size_t bytes, size_t size)
{
    struct batch batch = {.count = bytes / size, .size = size};

    /* The list is no block of the heap: it would be in the way of trimming. */
    batch.block = mmap(NULL, batch.count * sizeof(*batch.block), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(batch.block != MAP_FAILED);
    return batch;
}

static void allocate(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        expect((batch->block[i] = malloc(batch->size)));
}

static void check(const struct batch *batch)
{
    watch_take();
    for (size_t i = 0; i < batch->count; i++) {
        if (!watch_all_locked(batch->block[i], batch->size))
            end_with_1("block %zu of %zu, %p + %zu, is not locked\n", i, batch->count,
                       (void *)batch->block[i], batch->size);
    }
}

/* In this order the allocator gives memory back: what is last is at the end of the heap. */
static void release(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        free(batch->block[i]);
}

/* After each turn the heap's end must be where it was. */
static void turns(const struct batch *batch, size_t released)
{
    char *end = sbrk(0);

    for (int turn = 0; turn < 4; turn++) {
        char *full;

        allocate(batch);
        full = sbrk(0);
        check(batch);
        release(batch);
        expect(full - (char *)sbrk(0) > (ptrdiff_t)released);
        expect((char *)sbrk(0) - end < 1 << 20);
    }
}

static void main_heap(void)
{
    const struct batch small = batch_of(64 << 20, 200);
    const struct batch large = batch_of(64 << 20, 20000);
    char *low = malloc(5000);

    turns(&small, 60 << 20);
    turns(&large, 60 << 20);
    expect_locked(low, 5000);
}

/* The program trims by itself. */
static void main_heap_trimmed_by_hand(void)
{
    const struct batch batch = batch_of(32 << 20, 3000);

    expect(mallopt(M_TRIM_THRESHOLD, 1 << 30) == 1);
    for (int turn = 0; turn < 4; turn++) {
        allocate(&batch);
        check(&batch);
        release(&batch);
        malloc_trim(0);
    }
}

/* Between giving back and getting again, something else was there. */
static void main_heap_borrowed(void)
{
    const struct batch batch = batch_of(16 << 20, 3000);

    for (int turn = 0; turn < 4; turn++) {
        char *end;

        allocate(&batch);
        check(&batch);
        release(&batch);
        end = sbrk(0);
        expect(sbrk(8 << 20) == end);
        memset(end, 1, 8 << 20);
        expect(sbrk(-(8 << 20)) == end + (8 << 20));
    }
    allocate(&batch);
    check(&batch);
}

static void *with_another_thread(void *unused)
{
    main_heap_borrowed();
    return unused;
}

static void *idle(void *unused)
{
    pause();
    return unused;
}

static void start_idle_thread(void)
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, idle, NULL) == 0);
}

static void main_heap_with_threads(void)
{
    const struct batch batch = batch_of(64 << 20, 3000);

    start_idle_thread();
    turns(&batch, 60 << 20);
}

/* More than one heap of 64 MB: without us the allocator unmaps the last ones each time. */
static void *fill_arena(void *unused)
{
    const struct batch batch = batch_of(160 << 20, 100000);

    expect(mallopt(M_MMAP_THRESHOLD, MAPPED_FROM) == 1);
    for (int turn = 0; turn < 4; turn++) {
        allocate(&batch);
        expect((batch.block[0] < (char *)sbrk(0)) == false);
        check(&batch);
        release(&batch);
    }
    return unused;
}

static void in_a_thread(void *(*function)(void *))
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, function, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

static void arena(void)
{
    in_a_thread(fill_arena);
    in_a_thread(fill_arena);
}

/* The end of a thread's heap is given back by mprotect or madvise, unseen too. */
static void *shrink_arena(void *unused)
{
    const struct batch batch = batch_of(40 << 20, 3000);

    for (int turn = 0; turn < 4; turn++) {
        allocate(&batch);
        check(&batch);
        release(&batch);
    }
    return unused;
}

static void arena_shrinks(void)
{
    in_a_thread(shrink_arena);
    in_a_thread(with_another_thread);
}

/* Trimmed to less than it was as the library started, which is not counted block by block. */
static void shrink_below_start(void)
{
    char *start_end = sbrk(0);

    for (int turn = 0; turn < 3; turn++) {
        char *block;

        expect(malloc_trim(0) == 1 && (char *)sbrk(0) < start_end);
        expect((block = malloc(100000)));
        expect_locked(block, 100000);
        free(block);
        for (int i = 0; i < 1000; i++)
            expect(used(malloc(100)));
        expect((block = malloc(3000)));
        expect_locked(block, 3000);
        start_end = sbrk(0);
        free(block);
    }
}

static void main_heap_below_start(void)
{
    shrink_below_start();
}

static void main_heap_below_start_with_threads(void)
{
    start_idle_thread();
    shrink_below_start();
}

static bool is_mapped(const char *address)
{
    watch_take();
    return watch_find((uintptr_t)address) != NULL;
}

/* A chunk that was a mapping of its own, and what comes to its address afterwards. */
static void mapped_chunk(void)
{
    enum { SIZE = 8 << 20 };
    char *block;
    char *again;

    expect(mallopt(M_MMAP_THRESHOLD, MAPPED_FROM) == 1);
    expect((block = malloc(SIZE)));
    expect_locked(block, SIZE);
    free(block);
    expect(!is_mapped(block));
    for (int turn = 0; turn < 3; turn++) {
        expect((again = malloc(SIZE)) == block);
        expect_locked(again, SIZE);
        free(again);
    }

    /* A mapping of the program's, which is not of the kinds to lock. */
    again = mmap(block - 16, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(again == block - 16);
    expect_unlocked(again, SIZE);
    expect(munmap(again, SIZE) == 0);
    expect((again = malloc(SIZE)) == block);
    expect_locked(again, SIZE);
    free(again);
}

/* The same where both are locked: KINDS=heap,anon. */
static void mapped_chunk_and_mapping(void)
{
    enum { SIZE = 8 << 20 };
    char *block;
    char *map;

    expect(mallopt(M_MMAP_THRESHOLD, MAPPED_FROM) == 1);
    for (int turn = 0; turn < 3; turn++) {
        expect((block = malloc(SIZE)));
        expect_locked(block, SIZE);
        free(block);
        map = mmap(block - 16, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(map == block - 16);
        expect_locked(map, SIZE);
        expect(munmap(map, SIZE) == 0);
    }
    expect(status_kb("VmLck") <= SPARE_KB);
}

SCENARIOS(SCENARIO(main_heap), SCENARIO(main_heap_trimmed_by_hand), SCENARIO(main_heap_borrowed),
          SCENARIO(main_heap_with_threads), SCENARIO(main_heap_below_start),
          SCENARIO(main_heap_below_start_with_threads), SCENARIO(arena), SCENARIO(arena_shrinks),
          SCENARIO(mapped_chunk), SCENARIO(mapped_chunk_and_mapping))
