/*
 * What a run comes to, as JSON (--format json).
 */
#ifndef AL_RUN_GATE_JSON_H
#define AL_RUN_GATE_JSON_H

#include "run_about.h"
#include "run_expect.h"

#include <stdio.h>

/* One object on one line, in one write if `to` has no buffer. */
void run_verdict_print_json(const struct run_verdict *verdict, const struct run_about *about,
                            FILE *to);

#endif
