/*
 * The verdict as GitHub Actions wants it, where the command runs in one of its jobs (GITHUB_ACTIONS
 * is true).
 */
#ifndef AL_RUN_GITHUB_H
#define AL_RUN_GITHUB_H

#include "run_about.h"
#include "run_expect.h"

/* An annotation on standard error for each expectation that failed, and a table in the job's
 * summary. What cannot be written there is complained of. */
void run_github_tell(const struct run_verdict *verdict, const struct run_about *about);

#endif
