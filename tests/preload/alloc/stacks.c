/*
 * Stacks: the main one and those of threads, while the threads live. KINDS=stack.
 */
#include "scenario.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <threads.h>

enum { STACK = 256 << 10 };

struct stretch {
    char *start;
    size_t length;
};

static struct stretch stack_of(pthread_t thread)
{
    struct stretch stack;
    pthread_attr_t attributes;

    expect(pthread_getattr_np(thread, &attributes) == 0);
    expect(pthread_attr_getstack(&attributes, (void **)&stack.start, &stack.length) == 0);
    expect(pthread_attr_destroy(&attributes) == 0);
    return stack;
}

/* The mapping around an address: of a stack, all that can be accessed. */
static struct stretch mapping_at(const void *address)
{
    const struct vma *vma;

    watch_take();
    expect((vma = watch_find((uintptr_t)address)));
    return (struct stretch){(char *)vma->start, vma->end - vma->start};
}

/* Without inaccessible pages at its low end. */
static struct stretch clipped(struct stretch stack)
{
    const struct vma *vma;

    watch_take();
    while ((vma = watch_find((uintptr_t)stack.start)) && !vma->accessible) {
        stack.length -= vma->end - (uintptr_t)stack.start;
        stack.start = (char *)vma->end;
    }
    expect(vma);
    return stack;
}

static void check_stack_of_caller(void)
{
    /* One thread at a time reads the kernel's map. */
    static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
    struct stretch stack = stack_of(pthread_self());
    char here = 0;

    expect(&here >= stack.start && &here < stack.start + stack.length);
    expect(pthread_mutex_lock(&reading) == 0);
    /* The guard, if it is counted in, is inaccessible. */
    stack = clipped(stack);
    expect_locked(stack.start, stack.length);
    expect(pthread_mutex_unlock(&reading) == 0);
    expect(here == 0);
}

static void *check_stack(void *unused)
{
    check_stack_of_caller();
    return unused;
}

static pthread_t start(void *(*function)(void *), void *argument, size_t size, size_t guard)
{
    pthread_attr_t attributes;
    pthread_t thread;

    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setstacksize(&attributes, size) == 0);
    expect(pthread_attr_setguardsize(&attributes, guard) == 0);
    expect(pthread_create(&thread, &attributes, function, argument) == 0);
    expect(pthread_attr_destroy(&attributes) == 0);
    return thread;
}

static void main_stack(void)
{
    char here = 0;
    struct stretch stack = mapping_at(&here);

    expect_locked(stack.start, stack.length);
    expect(here == 0);
}

/* Deeper than the kernel has mapped yet: it carries the lock on. */
static void __attribute__((noinline)) deeper(void)
{
    volatile char large[4 << 20];

    memset((char *)large, 1, sizeof(large));
    expect_locked((char *)large, sizeof(large));
}

static void main_stack_grows(void)
{
    deeper();
}

static void threads(void)
{
    enum { THREADS = 16 };
    pthread_t thread[THREADS];

    for (int turn = 0; turn < 4; turn++) {
        for (size_t i = 0; i < THREADS; i++)
            thread[i] = start(check_stack, NULL, (size_t)STACK << i % 3, i % 2 ? PAGE : 16 * PAGE);
        for (size_t i = 0; i < THREADS; i++)
            expect(pthread_join(thread[i], NULL) == 0);
    }
}

static void without_guard(void)
{
    expect(pthread_join(start(check_stack, NULL, STACK, 0), NULL) == 0);
}

static void default_attributes(void)
{
    pthread_t thread;

    expect(pthread_create(&thread, NULL, check_stack, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

static pthread_barrier_t detached_done;

static void *check_stack_detached(void *unused)
{
    check_stack_of_caller();
    pthread_barrier_wait(&detached_done);
    return unused;
}

static void detached(void)
{
    expect(pthread_barrier_init(&detached_done, NULL, 2) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;

        expect(pthread_create(&thread, NULL, check_stack_detached, NULL) == 0);
        expect(pthread_detach(thread) == 0);
        pthread_barrier_wait(&detached_done);
    }
}

static void *end_early(void *unused)
{
    check_stack_of_caller();
    pthread_exit(unused);
}

static void ended_by_pthread_exit(void)
{
    for (int i = 0; i < 20; i++)
        expect(pthread_join(start(end_early, NULL, STACK, PAGE), NULL) == 0);
}

static void *wait_for_ever(void *barrier)
{
    check_stack_of_caller();
    pthread_barrier_wait(barrier);
    for (;;)
        pause();
    return NULL;
}

static void ended_by_cancelling(void)
{
    pthread_barrier_t barrier;

    expect(pthread_barrier_init(&barrier, NULL, 2) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_t thread = start(wait_for_ever, &barrier, STACK, PAGE);

        pthread_barrier_wait(&barrier);
        expect(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
    }
}

/* Stacks that libc keeps for the next thread have no owner meanwhile: no more than the slack. */
static void given_back(void)
{
    enum { THREADS = 8, LARGE = 4 << 20 };
    pthread_t thread[THREADS];
    pthread_barrier_t barrier;
    long locked_kb;

    expect(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
    watch_take();
    locked_kb = status_kb("VmLck");
    for (size_t i = 0; i < THREADS; i++)
        thread[i] = start(wait_for_ever, &barrier, LARGE, PAGE);
    pthread_barrier_wait(&barrier);
    expect(status_kb("VmLck") >= locked_kb + THREADS * (LARGE - 64 * 1024) / 1024);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_cancel(thread[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(thread[i], NULL) == 0);
    if (status_kb("VmLck") > locked_kb + SPARE_KB)
        end_with_1("%ld kB are locked, %ld were before the threads\n", status_kb("VmLck"),
                   locked_kb);
}

/* The program's own memory as a stack: not libc's to give back, and of the kind that it is. */
static void of_the_program(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    char *memory =
        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    expect(memory != MAP_FAILED);
    for (int i = 0; i < 3; i++) {
        expect(pthread_attr_init(&attributes) == 0);
        expect(pthread_attr_setstack(&attributes, memory, STACK) == 0);
        expect(pthread_create(&thread, &attributes, check_stack, NULL) == 0);
        expect(pthread_join(thread, NULL) == 0);
        expect(pthread_attr_destroy(&attributes) == 0);
        /* It still is the program's mapping, of the kind `stack`. */
        expect_locked(memory, STACK);
    }
    expect(munmap(memory, STACK) == 0);
}

static void *check_not_locked(void *unused)
{
    char here = 0;

    expect(!mapping_of(&here).locked);
    return unused;
}

static int check_stack_c11(void *number)
{
    check_stack_of_caller();
    return (int)(intptr_t)number;
}

static void c11(void)
{
    for (int i = 0; i < 20; i++) {
        thrd_t thread;
        int result;

        expect(thrd_create(&thread, check_stack_c11, (void *)(intptr_t)i) == thrd_success);
        expect(thrd_join(thread, &result) == thrd_success);
        expect_equal(result, i);
    }
}

/* As long as others have theirs, so that each lies elsewhere. */
static pthread_barrier_t all_there;

static void *check_stack_among_others(void *unused)
{
    check_stack_of_caller();
    pthread_barrier_wait(&all_there);
    return unused;
}

/* What the library knows of has gone unseen, and there libc makes its stacks. */
static void where_memory_from_before_was(void)
{
    enum { THREADS = 8, LENGTH = 64 * PAGE };
    char *gone = *(char **)dlsym(RTLD_DEFAULT, "early_anon");
    pthread_t thread[THREADS];
    size_t there = 0;

    need_order_of_glibc();
    expect(gone && syscall(SYS_munmap, gone, (long)LENGTH) == 0);
    expect(pthread_barrier_init(&all_there, NULL, THREADS + 1) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        struct stretch stack;

        thread[i] = start(check_stack_among_others, NULL, LENGTH / 2 - PAGE, PAGE);
        stack = stack_of(thread[i]);
        there += stack.start < gone + LENGTH && stack.start + stack.length > gone;
    }
    pthread_barrier_wait(&all_there);
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(thread[i], NULL) == 0);
    expect(there > 0);
}

/* Of blocks, which stay what they are when the thread ends, as do their neighbours. */
static void given_by_a_library(void)
{
    enum { BLOCKS = 40, BLOCK = 3000 };
    char *block[BLOCKS];
    pthread_t thread;

    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = malloc(BLOCK);
        if (i % 4 == 0) {
            expect(pthread_create(&thread, NULL, check_stack, NULL) == 0);
            expect(pthread_join(thread, NULL) == 0);
        }
    }
    for (size_t i = 0; i < BLOCKS; i++)
        expect_locked(block[i], BLOCK);
}

/* Without the kind `stack`. */
static void not_wanted(void)
{
    pthread_t thread;
    struct stretch stack;
    char here = 0;

    stack = mapping_at(&here);
    expect_unlocked(stack.start, stack.length);
    for (int i = 0; i < 8; i++) {
        expect(pthread_create(&thread, NULL, check_not_locked, NULL) == 0);
        expect(pthread_join(thread, NULL) == 0);
    }
    expect(status_kb("VmLck") < SPARE_KB + 1024);
}

static void *end_by_the_bare_call(void *unused)
{
    check_stack_of_caller();
    (void)syscall(SYS_exit, 0);
    return unused;
}

/* No handler of a thread's end is called, and libc unmaps larger stacks unseen. */
static void ended_by_the_bare_call(void)
{
    int status;
    pid_t child;

    for (size_t i = 0; i < 60; i++)
        expect(pthread_join(
                   start(i % 3 ? end_by_the_bare_call : check_stack, NULL, (i + 2) * STACK, PAGE),
                   NULL) == 0);
    child = fork();
    if (child == 0)
        _exit(pthread_join(start(check_stack, NULL, STACK, PAGE), NULL));
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

SCENARIOS(SCENARIO(main_stack), SCENARIO(main_stack_grows), SCENARIO(threads),
          SCENARIO(without_guard), SCENARIO(default_attributes), SCENARIO(detached),
          SCENARIO(ended_by_pthread_exit), SCENARIO(ended_by_cancelling),
          SCENARIO(ended_by_the_bare_call), SCENARIO(given_back), SCENARIO(of_the_program),
          SCENARIO(c11), SCENARIO(where_memory_from_before_was), SCENARIO(given_by_a_library),
          SCENARIO(not_wanted))
