/*
 * More scattered pages than the kernel has mappings for: the program's own calls go on working, and
 * what was locked stays it. KINDS=heap MAX_SIZE=1K: the gaps between the blocks do not qualify.
 */
#include "watch.h"

#include "../expect.h"

enum { BLOCKS = 40000, SIZE = 64, GAP = 12000, OWN_CALLS = 5000 };

static char *block[BLOCKS];
static char *gap[BLOCKS];

static long most_mappings(void)
{
    static struct lines lines;
    char line[64];

    lines_open(&lines, "/proc/sys/vm/max_map_count");
    expect(lines_next(&lines, line, sizeof(line)));
    while (lines_next(&lines, line + 32, 32))
        ;
    return strtol(line, NULL, 10);
}

static size_t count_locked(void)
{
    size_t locked = 0;

    watch_take();
    for (size_t i = 0; i < BLOCKS; i++)
        locked += block[i] && watch_all_locked(block[i], SIZE);
    return locked;
}

/* Mappings that the kernel cannot merge, and each of them split. */
static void use_own_mappings(void)
{
    static char *map[OWN_CALLS];

    for (size_t i = 0; i < OWN_CALLS; i++) {
        map[i] = mmap(NULL, 3 * PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(map[i] != MAP_FAILED);
        expect(mprotect(map[i] + PAGE, PAGE, PROT_NONE) == 0);
    }
    for (size_t i = 0; i < OWN_CALLS; i++)
        expect(munmap(map[i], 3 * PAGE) == 0);
}

int main(void)
{
    long most = most_mappings();
    size_t locked;
    void *large;

    prove_loaded();
    need_privilege();
    if (most > 70000)
        skip("vm.max_map_count is larger than this test");
    for (size_t i = 0; i < BLOCKS; i++) {
        expect((block[i] = malloc(SIZE)));
        expect((gap[i] = malloc(GAP)));
    }
    locked = count_locked();
    printf("%zu of %d blocks are locked, with %zu mappings and %zu kB\n", locked, BLOCKS,
           watch_count(), watch_locked_bytes() / 1024);
    fflush(stdout);
    expect((long)watch_count() <= most / 4 * 3 + 100);
    /* A quarter of the mappings at least, two for each run of pages. */
    expect(locked >= (size_t)most / 8 - 100);
    use_own_mappings();
    expect((large = malloc(32 << 20)));
    free(large);

    /* Fewer of them, and what is left is locked as before. */
    for (size_t i = 0; i < BLOCKS; i++) {
        free(gap[i]);
        if (i % 4) {
            free(block[i]);
            block[i] = NULL;
        }
    }
    locked = count_locked();
    printf("%zu of %d are left locked, with %zu mappings\n", locked, BLOCKS / 4, watch_count());
    fflush(stdout);
    for (size_t i = 0; i < BLOCKS; i++)
        if (i % 4 && i < BLOCKS / 8)
            expect((block[i] = malloc(SIZE)));
    use_own_mappings();
    return 0;
}
