/*
 * Holds memory of known sizes until it ends, for the figures of its report (figures_test.py).
 *
 *   holdings sizes     blocks of 1 MB, small ones, and half of the large ones freed
 *   holdings kinds     mappings of every kind
 *   holdings mixed     blocks and mappings of all sizes; prints what it owns and what is locked
 */
#include "claims.h"
#include "scenario.h"
#include "stress/random.h"

#include <malloc.h>

enum { LARGE = 1 << 20, LARGE_BLOCKS = 50, SMALL_BLOCKS = 1000, MAP_LENGTH = 64 * PAGE };

static void sizes(void)
{
    static void *large[LARGE_BLOCKS];

    expect(mallopt(M_MMAP_THRESHOLD, LARGE / 2) == 1);
    for (size_t i = 0; i < LARGE_BLOCKS; i++)
        expect((large[i] = malloc(LARGE)));
    for (size_t i = 0; i < SMALL_BLOCKS; i++)
        expect(used(malloc(100)));
    for (size_t i = 0; i < LARGE_BLOCKS / 2; i++)
        free(large[i]);
    expect_equal(malloc_usable_size(large[LARGE_BLOCKS - 1]), LARGE + PAGE - 16);
}

static void map(int count, int protection, int flags, int fd)
{
    for (int i = 0; i < count; i++) {
        char *start = mmap(NULL, MAP_LENGTH, protection, flags, fd, 0);

        expect(start != MAP_FAILED);
    }
}

static void kinds(void)
{
    int fd = (int)syscall(SYS_memfd_create, "holdings", 0);

    expect(fd >= 0 && ftruncate(fd, MAP_LENGTH) == 0);
    map(20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(5, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    map(7, PROT_READ, MAP_SHARED, fd);
    map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
}

static void mixed(void)
{
    enum { BLOCKS = 20000, MAPS = 200 };
    static char *block[BLOCKS];
    static char *map_start[MAPS];
    static size_t map_length[MAPS];
    struct random random = random_from(1, 1);
    struct policy policy = policy_read();
    struct claims_result result;

    claims_begin(&policy);
    for (int turn = 0; turn < 100000; turn++) {
        size_t i = random_below(&random, BLOCKS);

        free(block[i]);
        block[i] = NULL;
        if (random_percent(&random, 60))
            expect((block[i] = malloc(1 + random_below(&random, 5000))));
    }
    for (size_t i = 0; i < MAPS; i++) {
        map_length[i] = PAGE * (1 + random_below(&random, 200));
        map_start[i] =
            mmap(NULL, map_length[i], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(map_start[i] != MAP_FAILED);
        claims_add(map_start[i], map_length[i], VERDICT_YES, KIND_ANON, "mmap");
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (block[i])
            claims_add(block[i], malloc_usable_size(block[i]), VERDICT_YES, KIND_HEAP, "malloc");
    claims_watch((char *)sbrk(0) - (256 << 20), 256 << 20, "[heap]");
    result = claims_check(policy.onfault, NULL);
    expect_equal(result.wrong, 0);
    expect(result.ownerless_bytes <= result.slack_bytes);
    printf("%zu %zu\n", result.claimed_bytes, result.locked_bytes);
    fflush(stdout);
}

SCENARIOS(SCENARIO(sizes), SCENARIO(kinds), SCENARIO(mixed))
