/*
 * Random operations on memory, by one thread or several, and at the end what the kernel says of
 * them:
 *
 *     operations SEED THREADS STEPS MEBIBYTES MODULE
 *
 * The seed alone decides what is done, but for addresses. Of threads, half of the seeds have them
 * alive at the end. Two reports are made: one before the first step, by an exec that fails, and one
 * at the end.
 */
#include "blocks.h"
#include "record.h"
#include "regions.h"
#include "says.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 8, PAGE = 4096 };

static struct {
    uint64_t seed;
    size_t threads;
    size_t steps;
    size_t most_bytes;
    const char *module;
    int file;
} options;

static struct worker {
    struct random random;
    struct blocks blocks;
    struct regions regions;
    pthread_t thread;
    pid_t waiting; /* its number, when it is about to wait for ever */
} workers[THREADS_MAX];

/* All have done their work: those that are to stay alive wait at the second one. */
static pthread_barrier_t done;
static pthread_barrier_t never;

static void prepare(struct worker *worker)
{
    worker->blocks.most_bytes = options.most_bytes / options.threads / 2;
    worker->regions.most_bytes = options.most_bytes / options.threads / 2;
    worker->regions.file = options.file;
}

/*
 * Each step has random numbers of its own: where one depends on what the allocator has done, those
 * that follow do not.
 */
static void begin_step(struct worker *worker, size_t number)
{
    worker->random = random_from(options.seed, (uint64_t)(worker - workers) << 32 | number);
    (void)random_next(&worker->random);
}

static void step(struct worker *worker)
{
    if (random_below(&worker->random, 3))
        blocks_step(&worker->blocks, &worker->random);
    else
        regions_step(&worker->regions, &worker->random);
}

/* -- libraries ------------------------------------------------------------------------------ */

static int note_segments(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    if (strcmp(info->dlpi_name, options.module) != 0)
        return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t end = start + info->dlpi_phdr[i].p_memsz;

        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            note(data, start & ~(uintptr_t)(PAGE - 1),
                 ((end + PAGE - 1) & ~(uintptr_t)(PAGE - 1)) - (start & ~(uintptr_t)(PAGE - 1)), 0,
                 0);
    }
    return 1;
}

static void load_step(void)
{
    static void *module;

    if (module) {
        /* It has been opened twice. */
        count(CALL_dlclose);
        must(dlclose(module) == 0, "dlclose");
#if defined(__GLIBC__) /* to musl it is nothing */
        (void)dl_iterate_phdr(note_segments, (void *)"unload");
#endif
        count(CALL_dlclose);
        must(dlclose(module) == 0, "dlclose");
        module = NULL;
        note("unloaded", 0, 0, 0, 0);
        return;
    }
    count(CALL_dlopen);
    module = dlopen(options.module, RTLD_NOW);
    must(module != NULL, "dlopen");
    (void)dl_iterate_phdr(note_segments, (void *)"load");
    note("loaded", 0, 0, 0, 0);
    count(CALL_dlopen);
    must(dlopen(options.module, RTLD_NOW) == module, "dlopen");
}

/* -- the beginning ------------------------------------------------------------------------- */

/* Reads of every page that is not written to. */
static int bring_code_in(struct dl_phdr_info *module, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (unsigned i = 0; i < module->dlpi_phnum; i++) {
        const volatile char *at = (const char *)(module->dlpi_addr + module->dlpi_phdr[i].p_vaddr);
        const volatile char *end = at + module->dlpi_phdr[i].p_memsz;

        if (module->dlpi_phdr[i].p_type != PT_LOAD ||
            (module->dlpi_phdr[i].p_flags & (PF_R | PF_W)) != PF_R)
            continue;
        for (; at < end; at = (const char *)(((uintptr_t)at | (PAGE - 1)) + 1))
            (void)*at;
    }
    return 0;
}

/*
 * A report is made, before an exec of which nobody but the kernel finds out that it fails: so it is
 * known what there was before, and all that a report needs has been used. But for code: the one at
 * the end may look where this one has no need to, and a child inherits none.
 */
static void begin(void)
{
    char *nowhere[] = {(char *)1, NULL};

    (void)dl_iterate_phdr(bring_code_in, NULL);
    say_nothing();
    must(execv("/proc/self/exe", nowhere) == -1 && errno == EFAULT, "an exec that fails");
    say();
}

/* -- processes ------------------------------------------------------------------------------ */

/* The child goes on as its parent did, for a while, and says what became of it. */
static void fork_step(struct worker *worker)
{
    pid_t child;

    count(CALL_fork);
    child = fork();
    must(child >= 0, "fork");
    if (child) {
        int status;

        must(waitpid(child, &status, 0) == child && status == 0, "a child that ends well");
        return;
    }
    memset(calls, 0, sizeof(calls));
    note("forked", 0, 0, 0, 0);
    begin();
    for (unsigned i = 0; i < 20; i++) {
        begin_step(worker, options.steps + i);
        step(worker);
    }
    say();
    _exit(0);
}

/* -- threads -------------------------------------------------------------------------------- */

static int stay_alive(void)
{
    return (int)(options.seed & 1);
}

/* As libc has it: without the guard. */
static void note_stack(const char *what)
{
    pthread_attr_t attributes;
    void *start;
    size_t length;

    must(pthread_getattr_np(pthread_self(), &attributes) == 0, "the stack's place");
    pthread_attr_getstack(&attributes, &start, &length);
    pthread_attr_destroy(&attributes);
    note(what, (uintptr_t)start, length, 0, 0);
}

static void *work(void *data)
{
    struct worker *worker = data;

    note_stack("thread");
    for (size_t i = 0; i < options.steps; i++) {
        begin_step(worker, i);
        step(worker);
    }
    pthread_barrier_wait(&done);
    if (stay_alive()) {
        __atomic_store_n(&worker->waiting, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
        pthread_barrier_wait(&never);
    }
    note_stack("ended");
    return NULL;
}

static char state_of(pid_t thread)
{
    char name[64];
    char text[256];
    const char *behind;
    ssize_t got;
    int file;

    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", thread);
    file = open(name, O_RDONLY | O_CLOEXEC);
    must(file >= 0, name);
    got = read(file, text, sizeof(text) - 1);
    close(file);
    must(got > 0, name);
    text[got] = '\0';
    behind = strrchr(text, ')');
    must(behind && behind[1] == ' ', name);
    return behind[2];
}

/*
 * Until then they write to their stacks: to pages that a fork has made common with the child, and
 * that each cost a page fault then, of which nobody knows when it comes.
 */
static void wait_until_asleep(struct worker *worker)
{
    while (!__atomic_load_n(&worker->waiting, __ATOMIC_ACQUIRE) || state_of(worker->waiting) != 'S')
        sched_yield();
}

static void work_together(void)
{
    pthread_attr_t attributes;

    /* Ended threads' stacks are kept by libc as long as they are not too large together. */
    pthread_attr_init(&attributes);
    if (!stay_alive())
        pthread_attr_setstacksize(&attributes, (size_t)1 << 20);
    pthread_barrier_init(&done, NULL, (unsigned)options.threads + 1);
    pthread_barrier_init(&never, NULL, (unsigned)options.threads + 1);
    for (size_t i = 0; i < options.threads; i++) {
        count(CALL_pthread_create);
        must(pthread_create(&workers[i].thread, &attributes, work, &workers[i]) == 0,
             "pthread_create");
    }
    pthread_barrier_wait(&done);
    for (size_t i = 0; i < options.threads; i++) {
        if (stay_alive())
            wait_until_asleep(&workers[i]);
        else
            pthread_join(workers[i].thread, NULL);
    }
    /* What a child does with memory that other threads have is its own. */
    if (options.seed % 4 < 2)
        fork_step(&workers[0]);
}

static void work_alone(void)
{
    struct worker *worker = &workers[0];

    for (size_t i = 0; i < options.steps; i++) {
        begin_step(worker, i);
        switch (random_below(&worker->random, 100)) {
        case 0:
            load_step();
            break;
        case 1:
            fork_step(worker);
            break;
        case 2:
        case 3:
            heap_end_step(&worker->random);
            break;
        default:
            step(worker);
            break;
        }
    }
}

/* -- the whole ------------------------------------------------------------------------------ */

static size_t number(const char *text)
{
    return (size_t)strtoul(text, NULL, 10);
}

int main(int argc, char *argv[])
{
    if (argc != 6)
        return 64;
    options.seed = number(argv[1]);
    options.threads = number(argv[2]);
    options.steps = number(argv[3]);
    options.most_bytes = number(argv[4]) << 20;
    options.module = argv[5];
    options.file = regions_file();
    if (options.threads > THREADS_MAX || !options.threads)
        return 64;
    for (size_t i = 0; i < options.threads; i++)
        prepare(&workers[i]);
    begin();
    if (options.threads == 1)
        work_alone();
    else
        work_together();
    say();
    _exit(0);
}
