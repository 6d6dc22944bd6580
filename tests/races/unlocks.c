/*
 * All locks are taken away while other threads map what is locked on fault, or not at all:
 *
 *     unlocks WAY CHILDREN
 *
 * WAY: program (munlockall), limit (the right to lock more than the limit is given up), reserved
 * (the same, and what is mapped makes no claim to memory), own (mlockall of what there is, and
 * nothing that comes later may be locked). It happens once in a process, so each is a child, with
 * locks of its own. What is mapped meanwhile, and not used, may not all be in memory: it is more
 * than may be locked, or locked on fault.
 */
#include "patterns.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

enum { THREADS = 3, LENGTH = 96 << 20, PAGES = LENGTH / PAGE, BEFORE = 4, AFTER = 4 };
enum { NOBODY = 65534, BROUGHT_IN = 7, LOCKED_LATER = 8 };

static int more_flags;
static volatile bool taken_away;
static unsigned long done[THREADS];
static unsigned long brought_in;

static bool is_all_there(void *start)
{
    static __thread unsigned char state[PAGES];

    expect(mincore(start, LENGTH, state) == 0);
    for (size_t i = 0; i < PAGES; i++)
        if (!(state[i] & 1))
            return false;
    return true;
}

static void *map(void *data)
{
    unsigned long *mine = data;

    for (unsigned after = 0; after < AFTER; after += taken_away) {
        void *start = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);

        expect(start != MAP_FAILED);
        if (is_all_there(start))
            __atomic_fetch_add(&brought_in, 1, __ATOMIC_RELAXED);
        expect(munmap(start, LENGTH) == 0);
        __atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* What the program does not want to be. */
static bool is_locked_later(void)
{
    char *start = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(start != MAP_FAILED);
    return is_all_locked(start, PAGE);
}

static void __attribute__((noreturn)) live_as_child(const char *way)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_create(&threads[i], NULL, map, &done[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        while (__atomic_load_n(&done[i], __ATOMIC_RELAXED) < BEFORE)
            (void)sched_yield();
    if (strcmp(way, "program") == 0)
        expect(munlockall() == 0);
    else if (strcmp(way, "own") == 0)
        expect(mlockall(MCL_CURRENT) == 0);
    else
        expect(setuid(NOBODY) == 0);
    taken_away = true;
    for (size_t i = 0; i < THREADS; i++)
        expect(pthread_join(threads[i], NULL) == 0);
    if (strcmp(way, "own") == 0) /* all that there is was to be brought in */
        _exit(is_locked_later() ? LOCKED_LATER : 0);
    _exit(brought_in ? BROUGHT_IN : 0);
}

int main(int count, char **arguments)
{
    unsigned long children;
    unsigned long wrong = 0;

    prove_loaded();
    need_privilege_here();
    expect(count == 3);
    children = strtoul(arguments[2], NULL, 10);
    if (strcmp(arguments[1], "reserved") == 0 || strcmp(arguments[1], "own") == 0)
        more_flags = MAP_NORESERVE;
    for (unsigned long i = 0; i < children; i++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0)
            live_as_child(arguments[1]);
        expect(child > 0 && waitpid(child, &status, 0) == child);
        if (status != BROUGHT_IN << 8)
            expect_equal(status, 0);
        wrong += status != 0;
    }
    if (wrong)
        end_with_1("in %lu of %lu something was brought in\n", wrong, children);
    dprintf(STDOUT_FILENO, "COUNT: %lu times all locks were taken away\n", children);
    return 0;
}
