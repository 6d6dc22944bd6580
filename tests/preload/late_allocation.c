/*
 * Memory that is allocated long after the start is resident before anybody touches it.
 */
#include "expect.h"

#include <pthread.h>

enum { BYTES = 200 * 1024, BLOCKS = 20000, THREADS = 20 };

static void live_for_a_while(void)
{
    static void *block[64];

    for (size_t i = 0; i < BLOCKS; i++) {
        free(block[i % 64]);
        block[i % 64] = malloc(i % 3000);
        expect(block[i % 64]);
    }
}

static void *thread_main(void *unused)
{
    live_for_a_while();
    return unused;
}

static void check(const char *block)
{
    expect(block);
    expect_equal(resident_pages(block, BYTES), pages_of(block, BYTES));
    expect(is_locked(block) && is_locked(block + BYTES - 1));
    expect(mapping_of(block).locked_kb >= BYTES / 1024);
}

int main(void)
{
    void *aligned = NULL;
    long locked_kb;

    prove_loaded();
    need_privilege();
    live_for_a_while();
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        expect(pthread_create(&thread, NULL, thread_main, NULL) == 0);
        expect(pthread_join(thread, NULL) == 0);
    }

    locked_kb = status_kb("VmLck");
    check(malloc(BYTES));
    check(calloc(BYTES / 8, 8));
    check(realloc(malloc(10), BYTES));
    expect(posix_memalign(&aligned, 1 << 16, BYTES) == 0);
    check(aligned);
    check(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    expect(status_kb("VmLck") >= locked_kb + 5 * BYTES / 1024);

    /* The heap's end too, where small blocks come from. */
    for (int i = 0; i < 20; i++) {
        char *block = malloc(50000);

        expect(block);
        expect_equal(resident_pages(block, 50000), pages_of(block, 50000));
        expect(is_locked(block));
    }
    return 0;
}
