/*
 * What the patterns share. They are ordinary programs that know nothing of the library: iterations
 * and parameters come in as arguments, nanoseconds per operation go out as one line.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void __attribute__((noreturn)) die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

/* The argument at `index`, a number from 1 on; `otherwise` when it is not given. */
static inline size_t argument(int count, char *const arguments[], int index, size_t otherwise)
{
    unsigned long long value;
    char *end;

    if (index >= count)
        return otherwise;
    errno = 0;
    value = strtoull(arguments[index], &end, 10);
    if (errno || end == arguments[index] || *end || value == 0 || value > SIZE_MAX)
        die("an argument is not a positive number");
    return (size_t)value;
}

/* A block that somebody writes to, so that the compiler cannot do without it. */
static inline void *used(void *block)
{
    if (!block)
        die("out of memory");
    *(volatile char *)block = 1;
    return block;
}

/* xorshift64: the same numbers in every run. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void print_result(uint64_t elapsed_ns, size_t operations)
{
    printf("%.3f\n", (double)elapsed_ns / (double)operations);
}

#endif
