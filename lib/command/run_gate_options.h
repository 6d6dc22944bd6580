/* What is asked of the gate (run_gate.h). */
#ifndef AL_RUN_GATE_OPTIONS_H
#define AL_RUN_GATE_OPTIONS_H

#include "run_expect.h"

#include <stdint.h>

/* In place of a time: the warm-up ends by autolock_mark. */
enum { RUN_WARMUP_MARK = -1 };

struct run_gate_options {
    struct run_expectations expectations;
    int64_t warmup_ms;   /* 0: none */
    int64_t duration_ms; /* 0: until the program ends by itself */
    bool tree;           /* what the program starts counts as well */
    const char *json;    /* where the reports of all processes go, or NULL */
    const char *report;  /* where the page goes, or NULL */
    int64_t sample_ms;   /* how often the program is looked at for it */
    const char *junit;   /* where the verdict goes, or NULL */
    bool as_json;        /* what is said of it on standard error */
};

#endif
