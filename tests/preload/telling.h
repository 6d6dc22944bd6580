/*
 * For programs whose counters are read from outside: they do what can be counted, say how often on
 * standard output, and wait until standard input ends.
 *
 * What is counted are calls of aligned_alloc, since nothing in libc makes them by itself.
 */
#ifndef TELLING_H
#define TELLING_H

#include "expect.h"

static inline void do_countable(long times)
{
    for (long i = 0; i < times; i++)
        free(used(aligned_alloc(64, 64)));
}

/* In one write, so that the lines of several processes do not mix. */
static inline void tell(const char *who, long times)
{
    char line[100];
    int length = snprintf(line, sizeof(line), "%s %d %ld\n", who, (int)getpid(), times);

    expect(write(STDOUT_FILENO, line, (size_t)length) == length);
}

static inline void wait_for_the_end(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

static inline void tell_and_wait(const char *who, long times)
{
    tell(who, times);
    wait_for_the_end();
}

#endif
