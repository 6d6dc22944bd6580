/*
 * What a forked child has locked, by the kernel's word, and what that costs.
 *
 *     forks SCENARIO [PROGRAM]
 */
#include "expect.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

enum { BIG = 200 << 20, BIG_KB = BIG / 1024, FEW_KB = 20 * 1024 };

/* A field of /proc/self/smaps_rollup in kB. */
static long rollup_kb(const char *field)
{
    struct lines lines;
    char line[256];
    size_t length = strlen(field);
    long value = -1;

    lines_open(&lines, "/proc/self/smaps_rollup");
    while (lines_next(&lines, line, sizeof(line)))
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            value = strtol(line + length + 1, NULL, 10);
    expect(value >= 0);
    return value;
}

static char *big(void)
{
    char *block = used(malloc(BIG));

    expect(block);
    for (size_t at = 0; at < BIG; at += PAGE)
        block[at] = (char)at;
    return block;
}

static void reap(pid_t child)
{
    int status = -1;

    expect(child > 0);
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

/* Runs in a child of fork. */
static void in_child(void (*run)(char *block), char *block)
{
    pid_t child = fork();

    expect(child >= 0);
    if (child == 0) {
        run(block);
        _exit(0);
    }
    reap(child);
}

/* -- as a database that saves itself does: large, and the child only reads ------------------ */

static void locked_and_shared(char *block)
{
    expect(is_locked(block) && is_locked(block + BIG - 1));
    expect(status_kb("VmLck") >= BIG_KB);
    expect(rollup_kb("Private_Dirty") < FEW_KB);
    expect(rollup_kb("Shared_Dirty") >= BIG_KB);
    /* Its own from now on, and locked. */
    memset(block, 1, 8 << 20);
    expect(is_locked(block));
    expect_equal(resident_pages(block, 8 << 20), pages_of(block, 8 << 20));
}

static void new_memory_is_locked(char *block)
{
    char *fresh = used(malloc(4 << 20));

    expect(fresh);
    memset(fresh, 1, 4 << 20);
    expect(is_locked(fresh + (1 << 20)));
    free(fresh);
    free(block);
    expect(status_kb("VmLck") < BIG_KB);
}

static void onfault(void)
{
    char *block = big();

    expect(status_kb("VmLck") >= BIG_KB);
    in_child(locked_and_shared, block);
    in_child(new_memory_is_locked, block);
    /* The parent's own. */
    expect(is_locked(block));
}

static void locked_and_copied(char *block)
{
    expect(is_locked(block) && is_locked(block + BIG - 1));
    expect(rollup_kb("Private_Dirty") >= BIG_KB);
}

static void relock(void)
{
    char *block = big();

    in_child(locked_and_copied, block);
    in_child(new_memory_is_locked, block);
}

static void unlocked(char *block)
{
    expect(!is_locked(block));
    expect_equal(status_kb("VmLck"), 0);
    expect(rollup_kb("Private_Dirty") < FEW_KB);
    free(block);
    block = used(malloc(4 << 20));
    expect(block && !is_locked(block));
}

static void none(void)
{
    in_child(unlocked, big());
}

/* -- what is locked of what -------------------------------------------------------------------- */

static void as_in_the_parent(char *block)
{
    char *again;

    expect(is_locked(block));
    free(block);
    again = used(malloc(300000));
    expect(again);
    memset(again, 1, 300000);
    expect(is_locked(again) && is_locked(again + 299999));
}

/* The child goes on with the parent's blocks: frees them, takes others on the same pages. */
static void small_blocks(void)
{
    enum { BLOCKS = 3000 };
    static char *blocks[BLOCKS];
    pid_t child;

    for (size_t i = 0; i < BLOCKS; i++)
        expect((blocks[i] = used(malloc(500))));
    for (size_t i = 0; i < BLOCKS; i += 2)
        free(blocks[i]);
    child = fork();
    expect(child >= 0);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 1; i < BLOCKS; i += 100)
            expect(is_locked(blocks[i]) && is_locked(blocks[i] + 499));
        for (size_t i = 0; i < BLOCKS; i += 2)
            expect((blocks[i] = used(malloc(500))));
        for (size_t i = 0; i < BLOCKS; i += 100)
            expect(is_locked(blocks[i]));
        for (size_t i = 0; i < BLOCKS; i += 2)
            free(blocks[i]);
    }
    if (child == 0)
        _exit(0);
    reap(child);
    in_child(as_in_the_parent, used(malloc(300000)));
}

/* A page that the child does not have costs only itself its lock. */
static void left_to_the_parent(void)
{
    const size_t length = 64 * PAGE;
    char *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    expect(map != MAP_FAILED && is_locked(map));
    expect(madvise(map + 20 * PAGE, PAGE, MADV_DONTFORK) == 0);
    child = fork();
    expect(child >= 0);
    if (child == 0) {
        expect(is_locked(map) && is_locked(map + 19 * PAGE));
        expect(is_locked(map + 21 * PAGE) && is_locked(map + length - 1));
        _exit(0);
    }
    reap(child);
}

/* -- threads ----------------------------------------------------------------------------------- */

enum { FORKERS = 4, FORKS = 10 };

static volatile bool ends;

static void *allocate(void *unused)
{
    while (!ends) {
        void *block[16];

        for (size_t i = 0; i < 16; i++)
            expect((block[i] = used(malloc(1000 + i * 3000))));
        for (size_t i = 0; i < 16; i++)
            free(block[i]);
    }
    return unused;
}

static void *nothing(void *unused)
{
    char here;

    /* Of a thread that came with the child. */
    expect(is_locked(used(&here)));
    return unused;
}

static void *fork_often(void *unused)
{
    for (int i = 0; i < FORKS; i++) {
        char *mine = used(malloc(100000));
        pid_t child;

        expect(mine);
        child = fork();
        expect(child >= 0);
        if (child == 0) {
            pthread_t thread;

            expect(is_locked(mine) && is_locked(mine + 99999));
            free(mine);
            for (size_t size = 100; size < 1000000; size *= 3) {
                char *block = used(malloc(size));

                expect(block && is_locked(block) && is_locked(block + size - 1));
                free(block);
            }
            expect(pthread_create(&thread, NULL, nothing, NULL) == 0);
            expect(pthread_join(thread, NULL) == 0);
            _exit(0);
        }
        reap(child);
        free(mine);
    }
    return unused;
}

static void threads(void)
{
    pthread_t forker[FORKERS];
    pthread_t allocator[FORKERS];

    for (size_t i = 0; i < FORKERS; i++) {
        expect(pthread_create(&allocator[i], NULL, allocate, NULL) == 0);
        expect(pthread_create(&forker[i], NULL, fork_often, NULL) == 0);
    }
    for (size_t i = 0; i < FORKERS; i++)
        expect(pthread_join(forker[i], NULL) == 0);
    ends = true;
    for (size_t i = 0; i < FORKERS; i++)
        expect(pthread_join(allocator[i], NULL) == 0);
}

/* -- other ways -------------------------------------------------------------------------------- */

static void daemon_itself(char *block)
{
    expect(setsid() > 0);
    in_child(locked_and_shared, block);
}

static void daemon_of_two_forks(void)
{
    in_child(daemon_itself, big());
}

static const char *program;

/* The parent, whose memory such children share, keeps its locks. */
static void spawned(void)
{
    extern char **environ;
    char *const arguments[] = {(char *)program, (char *)"fresh", NULL};
    char *block = big();
    pid_t child = -1;

    expect(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
    reap(child);
    expect(is_locked(block) && status_kb("VmLck") >= BIG_KB);
}

static void vforked(void)
{
    char *block = big();
    pid_t child = vfork();

    if (child == 0) {
        execl(program, program, "fresh", (char *)NULL);
        _exit(127);
    }
    reap(child);
    expect(is_locked(block) && status_kb("VmLck") >= BIG_KB);
}

static void executed(char *block)
{
    expect(is_locked(block));
    execl(program, program, "fresh", (char *)NULL);
    _exit(127);
}

static void forked_and_executed(void)
{
    in_child(executed, big());
}

/* A new program has the library anew. */
static void fresh(void)
{
    char *block = used(malloc(1 << 20));

    expect(block && is_locked(block));
    expect(status_kb("VmLck") < BIG_KB);
}

/* What the program itself has released stays so in its children. */
static void released_by_the_program(void)
{
    char *block = big();

    expect(munlockall() == 0);
    in_child(unlocked, block);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"onfault", onfault},
        {"relock", relock},
        {"none", none},
        {"small_blocks", small_blocks},
        {"left_to_the_parent", left_to_the_parent},
        {"threads", threads},
        {"daemon", daemon_of_two_forks},
        {"spawn", spawned},
        {"vfork", vforked},
        {"exec", forked_and_executed},
        {"fresh", fresh},
        {"released", released_by_the_program},
    };

    prove_loaded();
    need_privilege();
    expect(argc > 1);
    program = argv[0];
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    }
    expect(false);
}
