/*
 * The verdict as a JUnit file, which Jenkins, GitLab and others read: one test case an expectation.
 */
#ifndef AL_RUN_JUNIT_H
#define AL_RUN_JUNIT_H

#include "run_about.h"
#include "run_expect.h"

/* Replaces the file as a whole. False: complained of. */
bool run_junit_write(const char *path, const struct run_verdict *verdict,
                     const struct run_about *about);

#endif
