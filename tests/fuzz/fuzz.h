/*
 * What the fuzzers share. Each is a program of libFuzzer's: it is called with bytes, must come back
 * from all of them, and ends the process by `fuzz_expect` where something is not as it must be.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* An assertion that is there in every build. */
#define fuzz_expect(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The bytes as text: a copy of just the right size, terminated; to be freed. */
char *fuzz_text(const uint8_t *bytes, size_t size);

/*
 * Calls `visit` with each line of the bytes, terminated and without its newline, in memory of just
 * its size, so that a step beyond it is noticed.
 */
void fuzz_lines(const uint8_t *bytes, size_t size, void (*visit)(char *line, void *data),
                void *data);

#endif
