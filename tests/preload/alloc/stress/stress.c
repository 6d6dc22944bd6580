#include "stress.h"

#include "../watch.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

enum { MAX_STACKS = 1024, WORKER_STACK = 256 << 10, CHILD_PATIENCE_MS = 20000 };

struct policy policy;

struct stretch {
    void *start; /* NULL: none */
    size_t length;
};

struct worker {
    pthread_t id;
    struct random random;
    struct stretch stack;
    bool lives;
};

static struct worker workers[MAX_THREADS];

/* Where stacks are or were. */
static struct stretch stacks[MAX_STACKS];
static size_t stacks_seen;

static unsigned long round_now;
static unsigned long operations_each;
static pthread_barrier_t round_begins;
static pthread_barrier_t round_ends;
static pthread_barrier_t checkpoint_ends;
static const char *program;

/* -- children ------------------------------------------------------------------------------- */

static const char *const after_exec = "--after-exec";

void child_of_fork(void)
{
    void *block[64];
    void *map = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(map != MAP_FAILED && munmap(map, 10 * PAGE) == 0);
    for (size_t i = 0; i < 64; i++)
        expect((block[i] = malloc(i * 100)));
    for (size_t i = 0; i < 64; i++)
        free(block[i]);
    _exit(0);
}

static void wait_for(pid_t child)
{
    struct timespec moment = {.tv_nsec = 1000000};
    int status;

    for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited++) {
        if (waited == CHILD_PATIENCE_MS) {
            kill(child, SIGKILL);
            end_with_1("a child of fork or spawn hangs (seed %lu)\n", options.seed);
        }
        nanosleep(&moment, NULL);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        end_with_1("a child of fork or spawn ended with %#x\n", (unsigned)status);
}

static void start_child(struct random *random)
{
    char *const arguments[] = {(char *)program, (char *)after_exec, NULL};
    unsigned dice = (unsigned)random_below(random, 4);
    pid_t child;

    journal_add("fork", NULL, 0);
    if (dice == 0) {
        expect_equal(posix_spawn(&child, program, NULL, NULL, arguments, environ), 0);
    } else {
        child = fork();
        expect(child >= 0);
        if (child == 0) {
            if (dice == 1)
                child_of_fork();
            if (dice == 2)
                execv(program, arguments);
            _exit(dice == 2);
        }
    }
    wait_for(child);
}

/* -- threads -------------------------------------------------------------------------------- */

static void *short_life(void *argument)
{
    struct random random = *(struct random *)argument;

    journal_thread = 99;
    for (int i = 0; i < 40; i++) {
        block_operation(&random, false);
        region_operation(&random);
    }
    return NULL;
}

static void start_short_life(struct random *random)
{
    struct random other = random_from(random_next(random), 0);
    pthread_t id;

    expect_equal(pthread_create(&id, NULL, short_life, &other), 0);
    expect_equal(pthread_join(id, NULL), 0);
}

static void operate(struct random *random)
{
    /* Every fourth round the program gives nearly all back, so that the heap is trimmed. */
    bool draining = round_now % 4 == 3;

    for (unsigned long i = 0; i < operations_each; i++) {
        size_t dice = random_below(random, 1000000);

        if (options.fork && random_below(random, options.fork) == 0)
            start_child(random);
        else if (dice < 150)
            start_short_life(random);
        else if (dice < 160)
            malloc_trim(0);
        else if (dice < 70000)
            region_operation(random);
        else
            block_operation(random, draining);
    }
}

/* The calling thread's. */
static struct stretch find_stack(void)
{
    struct stretch stack;
    pthread_attr_t attributes;

    expect_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    expect_equal(pthread_attr_getstack(&attributes, &stack.start, &stack.length), 0);
    expect_equal(pthread_attr_destroy(&attributes), 0);
    return stack;
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    journal_thread = (unsigned)(worker - workers);
    worker->stack = find_stack();
    stacks[__atomic_fetch_add(&stacks_seen, 1, __ATOMIC_RELAXED) % MAX_STACKS] = worker->stack;
    for (;;) {
        pthread_barrier_wait(&round_begins);
        operate(&worker->random);
        pthread_barrier_wait(&round_ends);
        pthread_barrier_wait(&checkpoint_ends);
        if (!worker->lives)
            return NULL;
    }
}

static void start_worker(struct worker *worker)
{
    pthread_attr_t attributes;

    worker->lives = true;
    expect_equal(pthread_attr_init(&attributes), 0);
    expect_equal(pthread_attr_setstacksize(&attributes, WORKER_STACK), 0);
    expect_equal(pthread_create(&worker->id, &attributes, work, worker), 0);
    expect_equal(pthread_attr_destroy(&attributes), 0);
}

static void end_worker(struct worker *worker)
{
    expect_equal(pthread_join(worker->id, NULL), 0);
    worker->stack.start = NULL;
}

/* Of a stack only what can be accessed: the guard is none of it. */
static void claim_stack(const struct worker *worker)
{
    uintptr_t at = (uintptr_t)worker->stack.start;
    uintptr_t end = at + worker->stack.length;

    for (size_t i = watch_index_after(at); i < watch_count() && watch_at(i)->start < end; i++) {
        uintptr_t start = watch_at(i)->start > at ? watch_at(i)->start : at;
        uintptr_t until = watch_at(i)->end < end ? watch_at(i)->end : end;

        /* With the guard, without it, and with the thread's own variables. */
        if (watch_at(i)->accessible)
            claims_add((const void *)start, until - start,
                       policy_judge(&policy, KIND_STACK, worker->stack.length - (8 << 10),
                                    worker->stack.length + (8 << 10)),
                       KIND_STACK, "thread stack");
    }
}

/* -- checkpoints ---------------------------------------------------------------------------- */

static void explain(uintptr_t page)
{
    journal_explain(page);
}

static size_t foreign_most(size_t locked_bytes)
{
    size_t share = locked_bytes / FOREIGN_SHARE;

    return share > FOREIGN_LEAST ? share : FOREIGN_LEAST;
}

/* The heap, the arenas of threads, and stacks, also of threads that have ended. Returns what
 * blocks_watch() does. */
static size_t watch_places(void)
{
    size_t librarys;

    for (size_t i = 0; i < watch_count(); i++)
        if (strcmp(watch_at(i)->name, "[heap]") == 0)
            claims_watch((const void *)watch_at(i)->start, watch_at(i)->end - watch_at(i)->start,
                         "[heap]");
    librarys = blocks_watch();
    for (size_t i = 0; i < stacks_seen && i < MAX_STACKS; i++)
        claims_watch(stacks[i].start, stacks[i].length, "stack");
    return librarys;
}

/* All threads stand still. */
static void checkpoint(const char *when)
{
    struct claims_result result;
    size_t librarys;

    watch_take();
    claims_reset();
    blocks_claim();
    regions_claim();
    breaks_claim();
    librarys = watch_places();
    for (unsigned i = 0; i < options.threads; i++)
        if (workers[i].stack.start)
            claim_stack(&workers[i]);
    result = claims_check(policy.onfault || options.marks_only, explain);
    result.slack_bytes += librarys;
    dprintf(STDOUT_FILENO,
            "round %lu %s: claimed %zu KB, locked %zu KB, without owner %zu of %zu KB, "
            "not ours %zu KB, %zu VMAs\n",
            round_now, when, result.claimed_bytes >> 10, result.locked_bytes >> 10,
            result.ownerless_bytes >> 10, result.slack_bytes >> 10, result.foreign_bytes >> 10,
            watch_count());
    if (result.wrong)
        end_with_1("seed %lu, round %lu %s: %zu stretches of pages are not as claimed\n",
                   options.seed, round_now, when, result.wrong);
    if (options.slack_checked && result.ownerless_bytes > result.slack_bytes) {
        claims_show_ownerless(explain);
        end_with_1("seed %lu, round %lu %s: %zu KB are locked without an owner, more than %zu\n",
                   options.seed, round_now, when, result.ownerless_bytes >> 10,
                   result.slack_bytes >> 10);
    }
    if (options.slack_checked && result.foreign_bytes > foreign_most(result.locked_bytes)) {
        claims_show_foreign(explain);
        end_with_1("seed %lu, round %lu %s: %zu KB are locked that the program knows nothing of\n",
                   options.seed, round_now, when, result.foreign_bytes >> 10);
    }
    expect((size_t)status_kb("VmLck") << 10 >= result.claimed_bytes);
}

static void between_rounds(struct random *random)
{
    checkpoint("done");
    if (options.breaks) {
        for (int i = 0; i < 8; i++)
            break_operation(random);
        checkpoint("with breaks");
    }
    if (options.fork) {
        start_child(random);
        checkpoint("after fork");
    }
}

static void run(void)
{
    struct random random = random_from(options.seed, MAX_THREADS);

    for (unsigned i = 0; i < options.threads; i++) {
        workers[i].random = random_from(options.seed, i);
        start_worker(&workers[i]);
    }
    for (round_now = 0; round_now < options.rounds; round_now++) {
        bool last = round_now + 1 == options.rounds;

        pthread_barrier_wait(&round_begins);
        pthread_barrier_wait(&round_ends);
        between_rounds(&random);
        for (unsigned i = 0; i < options.threads; i++)
            /* Some threads end between rounds, and others take their places. */
            workers[i].lives = !last && !random_percent(&random, 25);
        pthread_barrier_wait(&checkpoint_ends);
        for (unsigned i = 0; i < options.threads; i++) {
            if (workers[i].lives)
                continue;
            end_worker(&workers[i]);
            if (!last)
                start_worker(&workers[i]);
        }
    }
    checkpoint("with all threads ended");
}

/* -- all of it ------------------------------------------------------------------------------ */

/* A preloaded library that is missing is only a warning. */
static void need_allocator(void)
{
    static const struct {
        const char *name;
        const char *symbol; /* that only it has */
    } allocators[] = {
        {"jemalloc", "mallctl"}, {"mimalloc", "mi_malloc"}, {"tcmalloc", "tc_malloc"}};

    for (size_t i = 0; options.allocator && i < sizeof(allocators) / sizeof(*allocators); i++)
        if (strcmp(options.allocator, allocators[i].name) == 0 &&
            !dlsym(RTLD_DEFAULT, allocators[i].symbol))
            skip("the allocator is not installed");
}

int main(int count, char **arguments)
{
    policy = policy_read();
    claims_begin(&policy);
    program = "/proc/self/exe";
    if (count > 1 && strcmp(arguments[1], after_exec) == 0)
        _exit(library_loaded() ? 0 : 1);
    options_read(arguments + 1);
    prove_loaded();
    need_privilege();
    need_allocator();
    dprintf(STDOUT_FILENO, "seed %lu, %lu operations, %u threads\n", options.seed,
            options.operations, options.threads);

    journal_begin();
    journal_thread = MAX_THREADS;
    blocks_begin();
    regions_begin();
    operations_each = options.operations / options.threads / options.rounds;
    expect_equal(pthread_barrier_init(&round_begins, NULL, options.threads + 1), 0);
    expect_equal(pthread_barrier_init(&round_ends, NULL, options.threads + 1), 0);
    expect_equal(pthread_barrier_init(&checkpoint_ends, NULL, options.threads + 1), 0);
    run();
    return 0;
}
