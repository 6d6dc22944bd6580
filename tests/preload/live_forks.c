/*
 * Children whose counters are read from outside. Each process counts, says how often, and waits
 * until standard input ends.
 *
 *     live_forks HOW [DIRECTORY]
 */
#include "telling.h"

#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

pid_t _Fork(void);

enum { BEFORE = 50, CHILD = 7, GRANDCHILD = 3, AFTER = 11, NOBODY = 65534, STORM_CHILDREN = 3 };

static volatile bool enough;

static void *allocate(void *unused)
{
    while (!enough)
        free(used(malloc(100)));
    return unused;
}

static void reap(pid_t child)
{
    int status = -1;

    expect(child > 0);
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
}

static void be_a_child(const char *who, long times)
{
    do_countable(times);
    tell_and_wait(who, times);
    _exit(0);
}

static void fork_by(pid_t (*make)(void))
{
    pid_t child = make();

    if (child == 0)
        be_a_child("child", CHILD);
    do_countable(AFTER);
    tell_and_wait("parent", BEFORE + AFTER);
    reap(child);
}

static void have_a_grandchild(void)
{
    pid_t child = fork();

    if (child == 0) {
        do_countable(CHILD);
        child = fork();
        if (child == 0)
            be_a_child("grandchild", GRANDCHILD);
        tell_and_wait("child", CHILD);
        reap(child);
        _exit(0);
    }
    tell_and_wait("parent", BEFORE);
    reap(child);
}

static void *fork_in_thread(void *unused)
{
    fork_by(fork);
    return unused;
}

static void fork_among_threads(void)
{
    pthread_t allocating[8];
    pthread_t forking;

    for (int i = 0; i < 8; i++)
        expect(pthread_create(&allocating[i], NULL, allocate, NULL) == 0);
    expect(pthread_create(&forking, NULL, fork_in_thread, NULL) == 0);
    expect(pthread_join(forking, NULL) == 0);
    enough = true;
    for (int i = 0; i < 8; i++)
        expect(pthread_join(allocating[i], NULL) == 0);
}

static void vfork_children(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(0);
    reap(child);
    child = vfork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    reap(child);
    tell_and_wait("parent", BEFORE);
}

/* As daemons are made by hand: the second child is nobody's. */
static void become_a_daemon(void)
{
    pid_t child = fork();

    if (child == 0) {
        expect(setsid() > 0);
        child = fork();
        if (child)
            _exit(0);
        be_a_child("daemon", CHILD);
    }
    reap(child);
    _exit(0);
}

static void be_a_daemon(void)
{
    expect(daemon(1, 1) == 0);
    be_a_child("daemon", CHILD);
}

static void fork_without_descriptors(void)
{
    while (dup(STDIN_FILENO) >= 0) {
    }
    fork_by(fork);
}

static void fork_after_chroot(const char *directory)
{
    expect(chroot(directory) == 0 && chdir("/") == 0);
    fork_by(fork);
}

static void fork_as_nobody(void)
{
    expect(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    fork_by(fork);
}

/* Until somebody kills all of them. */
static void __attribute__((noreturn)) storm(void)
{
    tell("main", 0);
    for (;;) {
        pid_t child[STORM_CHILDREN];

        do_countable(BEFORE);
        for (int i = 0; i < STORM_CHILDREN; i++) {
            child[i] = fork();
            if (child[i] == 0) {
                do_countable(CHILD);
                _exit(0);
            }
        }
        for (int i = 0; i < STORM_CHILDREN; i++)
            reap(child[i]);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(how, "storm") == 0)
        storm();
    do_countable(BEFORE);
    if (strcmp(how, "fork") == 0)
        fork_by(fork);
    else if (strcmp(how, "_Fork") == 0)
        fork_by(_Fork);
    else if (strcmp(how, "grandchild") == 0)
        have_a_grandchild();
    else if (strcmp(how, "threads") == 0)
        fork_among_threads();
    else if (strcmp(how, "vfork") == 0)
        vfork_children();
    else if (strcmp(how, "by_hand") == 0)
        become_a_daemon();
    else if (strcmp(how, "daemon") == 0)
        be_a_daemon();
    else if (strcmp(how, "descriptors") == 0)
        fork_without_descriptors();
    else if (strcmp(how, "chroot") == 0 && argc == 3)
        fork_after_chroot(argv[2]);
    else if (strcmp(how, "nobody") == 0)
        fork_as_nobody();
    else
        return 2;
    return 0;
}
