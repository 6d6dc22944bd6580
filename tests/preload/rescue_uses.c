/* Memory, in all the ways that a program comes by it. */
#include "rescue.h"

#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <threads.h>

static void use_malloc(void)
{
    free(filled(malloc(MUCH), MUCH));
}

static void use_calloc(void)
{
    char *block = calloc(MUCH, 1);

    expect(block && block[0] == 0 && block[MUCH / 2] == 0 && block[MUCH - 1] == 0);
    free(filled(block, MUCH));
}

static void use_realloc(void)
{
    char *block = filled(realloc(NULL, MUCH / 8), MUCH / 8);

    block = realloc(block, MUCH);
    expect(block && block[0] == 7 && block[MUCH / 8 - 1] == 7);
    free(filled(block, MUCH));
}

static void use_memalign(void)
{
    void *block = NULL;

    expect_equal(posix_memalign(&block, 1 << 16, MUCH), 0);
    free(filled(block, MUCH));
    free(filled(aligned_alloc(1 << 16, MUCH), MUCH));
}

static void use_small(void)
{
    enum { COUNT = 4000, SIZE = 8000 };
    static char *blocks[COUNT];

    for (int i = 0; i < COUNT; i++)
        blocks[i] = filled(malloc(SIZE), SIZE);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

static void use_mmap(void)
{
    expect(munmap(filled(mmap(NULL, MUCH, rw, anon, -1, 0), MUCH), MUCH) == 0);
}

static void use_mremap(void)
{
    char *start = filled(mmap(NULL, PAGE, rw, anon, -1, 0), PAGE);

    start = mremap(start, PAGE, MUCH, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED && start[PAGE - 1] == 7);
    expect(munmap(filled(start, MUCH), MUCH) == 0);
}

static void use_reservation(void)
{
    char *start = mmap(NULL, MUCH, PROT_NONE, anon | MAP_NORESERVE, -1, 0);

    expect(start != MAP_FAILED && mprotect(start, MUCH, rw) == 0);
    expect(munmap(filled(start, MUCH), MUCH) == 0);
}

static void use_brk(void)
{
    char *before = sbrk(0);

    expect(brk(before + MUCH) == 0);
    filled(before, MUCH);
    expect(brk(before) == 0);
}

static void use_sbrk(void)
{
    char *before = sbrk(MUCH);

    expect(before != (void *)-1);
    filled(before, MUCH);
    expect(sbrk(-MUCH) != (void *)-1);
}

static void use_shmat(void)
{
    int segment = shmget(IPC_PRIVATE, MUCH, 0600);
    void *attached;

    expect(segment >= 0);
    attached = shmat(segment, NULL, 0);
    expect(shmctl(segment, IPC_RMID, NULL) == 0);
    expect(attached != (void *)-1);
    expect(shmdt(filled(attached, MUCH)) == 0);
}

static void *thread_of_posix(void *unused)
{
    char frame[1 << 18];

    filled(frame, sizeof(frame));
    return unused;
}

static int thread_of_c11(void *unused)
{
    (void)thread_of_posix(unused);
    return 9;
}

static void use_threads(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        expect_equal(pthread_create(&threads[i], NULL, thread_of_posix, NULL), 0);
    for (int i = 0; i < 4; i++)
        expect_equal(pthread_join(threads[i], NULL), 0);
}

static void use_c11_threads(void)
{
    thrd_t threads[4];
    int result;

    for (int i = 0; i < 4; i++)
        expect_equal(thrd_create(&threads[i], thread_of_c11, NULL), thrd_success);
    for (int i = 0; i < 4; i++)
        expect(thrd_join(threads[i], &result) == thrd_success && result == 9);
}

static void use_dlopen(void)
{
    expect(dlopen("libm.so.6", RTLD_NOW));
}

static int deep(int levels)
{
    volatile char frame[4096];

    memset((void *)frame, levels, sizeof(frame));
    return levels ? deep(levels - 1) + frame[7] : 0;
}

static void use_stack(void)
{
    expect(deep((4 << 20) / 4096) != 12345);
}

const struct rescue_use rescue_uses[] = {{"malloc", use_malloc},
                                         {"calloc", use_calloc},
                                         {"realloc", use_realloc},
                                         {"memalign", use_memalign},
                                         {"small", use_small},
                                         {"mmap", use_mmap},
                                         {"mremap", use_mremap},
                                         {"reservation", use_reservation},
                                         {"brk", use_brk},
                                         {"sbrk", use_sbrk},
                                         {"shmat", use_shmat},
                                         {"threads", use_threads},
                                         {"c11_threads", use_c11_threads},
                                         {"dlopen", use_dlopen},
                                         {"stack", use_stack}};

const size_t rescue_uses_count = sizeof(rescue_uses) / sizeof(rescue_uses[0]);
