/*
 * What the unit tests share. Each test_….c under tests/unit is a program of its own; libcheck runs
 * each of its tests in a forked process, so that signals, limits and descriptors end with the test.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Some tests cannot be had under a sanitizer: it needs address space, or reserves all of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define UNIT_SANITIZED 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define UNIT_SANITIZED 1
#    endif
#endif
#if !defined(UNIT_SANITIZED)
#    define UNIT_SANITIZED 0
#endif

/* What a program exits with that cannot run here, after it has said why. */
enum { UNIT_SKIP = 77 };

/* Runs the tests and returns what main returns. */
int unit_run(TCase *tests);

/* Each test runs in an empty directory, which is removed with all that is in it. */
void unit_in_directory(TCase *tests);

/* Contents of a file or of what a descriptor still has to read, terminated; freed by nobody. */
char *unit_read_path(const char *path);
char *unit_read_fd(int fd);

/* Makes a file with that text, and the folders it stands in. */
void unit_write_path(const char *path, const char *text);

/* A string of `count` times `c`, freed by nobody. */
char *unit_repeat(char c, size_t count);

/* A pipe whose both ends block, its write end filled to the last byte. */
void unit_full_pipe(int ret_ends[2]);

/* Replaces descriptor 2 by a pipe; returns its other end, which does not wait for more. */
int unit_catch_stderr(void);

#endif
