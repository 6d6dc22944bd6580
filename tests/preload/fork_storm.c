/*
 * Many threads fork while others allocate; each child allocates too.
 *
 *     fork_storm _exit|exit|grandchild
 */
#include "every_hook.h"

enum { FORKERS = 4, ALLOCATORS = 4, FORKS = 40 };

static volatile bool forked_enough;
static const char *how;

static void *allocate(void *unused)
{
    while (!forked_enough)
        every_hook_of_memory();
    return unused;
}

static void be_a_child(void)
{
    for (int i = 0; i < 20; i++)
        every_hook_of_memory();
    if (strcmp(how, "grandchild") == 0) {
        pid_t grandchild = fork();
        int status = -1;

        expect(grandchild >= 0);
        if (grandchild == 0) {
            every_hook();
            _exit(0);
        }
        expect(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    }
    if (strcmp(how, "exit") == 0)
        exit(0);
    _exit(0);
}

static void *fork_often(void *unused)
{
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        int status = -1;

        expect(child >= 0);
        if (child == 0)
            be_a_child();
        expect(waitpid(child, &status, 0) == child);
        expect_equal(status, 0);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t forker[FORKERS];
    pthread_t allocator[ALLOCATORS];

    prove_loaded();
    expect(argc == 2);
    how = argv[1];
    for (size_t i = 0; i < ALLOCATORS; i++)
        expect(pthread_create(&allocator[i], NULL, allocate, NULL) == 0);
    for (size_t i = 0; i < FORKERS; i++)
        expect(pthread_create(&forker[i], NULL, fork_often, NULL) == 0);
    for (size_t i = 0; i < FORKERS; i++)
        expect(pthread_join(forker[i], NULL) == 0);
    forked_enough = true;
    for (size_t i = 0; i < ALLOCATORS; i++)
        expect(pthread_join(allocator[i], NULL) == 0);
    dprintf(STDOUT_FILENO, "%d\n", FORKERS * FORKS);
    return 0;
}
