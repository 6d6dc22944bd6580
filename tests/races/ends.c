/*
 * A process ends while its threads run:
 *
 *     ends WAY TIMES
 *
 * WAY: exit, _exit, quick_exit, return (of main), exec, pthread_exit (of the main thread, the
 * others end later), abort, kill. Each process has threads that allocate, map, and make threads;
 * each ends as it would without the library.
 */
#include "patterns.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 3, STATUS = 7 };

static volatile unsigned long turns;
static volatile bool last_turns;

static void *nothing(void *unused)
{
    free(used(malloc(3000)));
    return unused;
}

static void *run(void *mark)
{
    for (unsigned long turn = 0; !last_turns || turn < 3; turn++) {
        pthread_t short_lived;

        pieces_turn(turn * 5, 5, (unsigned char)(uintptr_t)mark);
        if (turn % 4 == 0 && pthread_create(&short_lived, NULL, nothing, NULL) == 0)
            expect(pthread_join(short_lived, NULL) == 0);
        __atomic_fetch_add(&turns, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void start_threads(unsigned long moment)
{
    pthread_attr_t attributes;

    expect(pthread_attr_init(&attributes) == 0);
    expect(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_t id;

        expect(pthread_create(&id, &attributes, run, (void *)(i + 1)) == 0);
    }
    while (turns < THREADS + moment % 5)
        (void)sched_yield();
    /* A moment that is another one each time. */
    for (volatile unsigned long i = 0; i < moment * 997 % 20011; i++)
        ;
}

/* In a child: ends the process, or says what main is to return. */
static int end(const char *way)
{
    char *const arguments[] = {(char *)"ends", (char *)"executed", NULL};

    if (strcmp(way, "exit") == 0)
        exit(STATUS);
    if (strcmp(way, "_exit") == 0)
        _exit(STATUS);
    if (strcmp(way, "quick_exit") == 0)
        quick_exit(STATUS);
    if (strcmp(way, "abort") == 0)
        abort();
    if (strcmp(way, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(way, "exec") == 0)
        (void)execv("/proc/self/exe", arguments);
    if (strcmp(way, "pthread_exit") == 0) {
        last_turns = true;
        pthread_exit(NULL);
    }
    expect(strcmp(way, "return") == 0);
    return STATUS;
}

static int wanted_status(const char *way)
{
    if (strcmp(way, "abort") == 0)
        return SIGABRT;
    if (strcmp(way, "kill") == 0)
        return SIGKILL;
    return strcmp(way, "pthread_exit") == 0 ? 0 : STATUS << 8;
}

int main(int count, char **arguments)
{
    const struct rlimit none = {0, 0};
    unsigned long times;

    prove_loaded();
    if (count == 2 && strcmp(arguments[1], "executed") == 0)
        return STATUS;
    expect(count == 3);
    times = strtoul(arguments[2], NULL, 10);
    (void)setrlimit(RLIMIT_CORE, &none);
    for (unsigned long i = 0; i < times; i++) {
        int status = -1;
        pid_t child = fork();

        expect(child >= 0);
        if (child == 0) {
            start_threads(i);
            return end(arguments[1]);
        }
        expect(waitpid(child, &status, 0) == child);
        expect_equal(status & ~0x80, wanted_status(arguments[1]));
    }
    dprintf(STDOUT_FILENO, "COUNT: %lu processes ended while threads run\n", times);
    return 0;
}
