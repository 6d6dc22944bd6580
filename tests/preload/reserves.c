/*
 * Heap and stacks that were brought in before they are needed: no page fault where they are used.
 * Run in mode observe, so that no lock has done it.
 *
 *     reserves SCENARIO
 */
#include "expect.h"

#include <malloc.h>
#include <pthread.h>

enum { MIB = 1 << 20 };

/* Faults of this thread; the kernel's own, for its pages of /proc and the like, are not among them.
 */
static long minor_faults(void)
{
    struct rusage usage;

    expect(getrusage(RUSAGE_THREAD, &usage) == 0);
    return usage.ru_minflt;
}

/* -- heap -------------------------------------------------------------------------------------- */

static void fill(char *block, size_t size)
{
    expect(block);
    for (size_t at = 0; at < size; at += PAGE)
        block[at] = 1;
    block[size - 1] = 1;
}

static char *kept[16];

static void use_heap(void)
{
    for (size_t i = 0; i < 16; i++)
        fill(kept[i] = used(malloc(MIB)), MIB);
    for (size_t i = 0; i < 16; i++)
        free(kept[i]);
    for (size_t i = 0; i < 16; i++)
        fill(kept[i] = used(malloc(100000)), 100000);
    for (size_t i = 0; i < 16; i++)
        free(kept[i]);
    kept[0] = used(malloc(30 * MIB));
    fill(kept[0], 30 * MIB);
    free(kept[0]);
}

/* AUTOLOCK_HEAP_RESERVE=32M. Twice: what is freed is kept. */
static void heap(void)
{
    long before;

    /* The code's own pages and ours; nothing is written to the block. */
    memset(kept, 1, sizeof(kept));
    free(used(malloc(MIB)));
    before = minor_faults();
    use_heap();
    use_heap();
    expect_equal(minor_faults() - before, 0);
}

static void heap_in_parts(void)
{
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    long before;

    memset(blocks, 0, sizeof(blocks));
    free(used(malloc(1000))); /* as above */
    before = minor_faults();
    for (size_t i = 0; i < BLOCKS; i++)
        expect((blocks[i] = used(malloc(1000))));
    expect_equal(minor_faults() - before, 0);
}

/* Without the option: else the two above would prove nothing. */
static void heap_without(void)
{
    long before = minor_faults();

    use_heap();
    expect(minor_faults() - before > 16 * MIB / PAGE / 2);
}

/* -- stacks ------------------------------------------------------------------------------------ */

static __attribute__((noinline)) long faults_of_depth(size_t depth)
{
    volatile char *area = __builtin_alloca(depth);
    long before = minor_faults();

    for (size_t at = depth - 1; at > PAGE; at -= PAGE)
        area[at] = 1;
    return minor_faults() - before;
}

static void *in_thread(void *wanted)
{
    (void)faults_of_depth(PAGE * 2); /* what getrusage itself needs */
    expect_equal(faults_of_depth(900 << 10), 0);
    return wanted;
}

/* AUTOLOCK_STACK_RESERVE=1M */
static void main_stack(void)
{
    expect(status_kb("VmStk") >= 1024);
    expect_equal(faults_of_depth(900 << 10), 0);
}

static void thread_of(size_t stack_size, void *(*routine)(void *))
{
    pthread_attr_t attributes;
    pthread_t thread;

    expect(pthread_attr_init(&attributes) == 0);
    if (stack_size)
        expect(pthread_attr_setstacksize(&attributes, stack_size) == 0);
    expect(pthread_create(&thread, &attributes, routine, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
    expect(pthread_attr_destroy(&attributes) == 0);
}

static void thread_stack(void)
{
    for (int i = 0; i < 3; i++)
        thread_of(0, in_thread);
    thread_of(2 * MIB, in_thread);
}

static void *nothing(void *unused)
{
    return unused;
}

/* Reserves that are larger than the stack. */
static void small_thread_stacks(void)
{
    for (size_t size = 16384; size <= 4 * MIB; size += size / 2 & ~(size_t)(PAGE - 1))
        thread_of(size, nothing);
}

static void *own_stack_thread(void *stack)
{
    char *here = __builtin_frame_address(0);

    expect(here > (char *)stack && here < (char *)stack + 2 * MIB);
    expect_equal(faults_of_depth(900 << 10), 0);
    return NULL;
}

/* A stack of the program's. */
static void stack_of_the_program(void)
{
    static char stack[2 * MIB] __attribute__((aligned(PAGE)));
    pthread_attr_t attributes;
    pthread_t thread;

    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setstack(&attributes, stack, sizeof(stack)) == 0);
    expect(pthread_create(&thread, &attributes, own_stack_thread, stack) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

static void *in_thread_without(void *unused)
{
    expect(faults_of_depth(900 << 10) > 100);
    return unused;
}

static void stacks_without(void)
{
    expect(faults_of_depth(900 << 10) > 100);
    thread_of(0, in_thread_without);
}

/* -- how libc divides it -------------------------------------------------------------------------
 */

static size_t stack_size;

static void *tell_size(void *unused)
{
    pthread_attr_t attributes;

    expect(pthread_getattr_np(pthread_self(), &attributes) == 0);
    expect(pthread_attr_getstacksize(&attributes, &stack_size) == 0);
    expect(pthread_attr_destroy(&attributes) == 0);
    return unused;
}

/* AUTOLOCK_THREAD_STACK=3M */
static void thread_size(void)
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, tell_size, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
    expect_equal(stack_size, 3 * MIB);
    thread_of(0, tell_size);
    expect_equal(stack_size, 3 * MIB);
    /* Who asks for a size gets it; a larger one, since libc would give it a kept one of 3 MiB. */
    thread_of(5 * MIB, tell_size);
    expect_equal(stack_size, 5 * MIB);
}

/* By the kernel's word: other mappings may lie just below the heap. */
static bool is_in_heap(const void *address)
{
    const unsigned long at = (unsigned long)address;
    struct lines maps;
    bool found = false;
    char line[512];

    lines_open(&maps, "/proc/self/maps");
    while (lines_next(&maps, line, sizeof(line))) {
        unsigned long start;
        unsigned long end;

        if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &start, &end) == 2)
            found |= at >= start && at < end;
    }
    return found;
}

static void *where_blocks_lie(void *ret_in_main_heap)
{
    char *block = used(malloc(1000));

    expect(block);
    *(bool *)ret_in_main_heap = is_in_heap(block);
    free(block);
    return NULL;
}

static bool thread_has_main_heap(void)
{
    pthread_t thread;
    bool in_main_heap = false;

    expect(pthread_create(&thread, NULL, where_blocks_lie, &in_main_heap) == 0);
    expect(pthread_join(thread, NULL) == 0);
    return in_main_heap;
}

/* AUTOLOCK_ARENAS=1 */
static void one_arena(void)
{
    expect(thread_has_main_heap());
}

static void many_arenas(void)
{
    expect(!thread_has_main_heap());
}

/* What cannot be had changes nothing. */
static void too_large(void)
{
    free(used(malloc(1000)));
    thread_of(0, nothing);
    puts("main ran");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"heap", heap},
        {"heap_in_parts", heap_in_parts},
        {"heap_without", heap_without},
        {"main_stack", main_stack},
        {"thread_stack", thread_stack},
        {"small_thread_stacks", small_thread_stacks},
        {"stack_of_the_program", stack_of_the_program},
        {"stacks_without", stacks_without},
        {"thread_size", thread_size},
        {"one_arena", one_arena},
        {"many_arenas", many_arenas},
        {"too_large", too_large},
    };

    prove_loaded();
    if (sysconf(_SC_PAGESIZE) != PAGE)
        skip("pages are not 4 KiB");
    expect(argc > 1);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    }
    expect(false);
}
