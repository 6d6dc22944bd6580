/*
 * Expectations of a run, as --expect has them: "majflt=0,failures=0,coverage>=99%".
 */
#ifndef AL_RUN_EXPECT_H
#define AL_RUN_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum run_figure {
    RUN_MAJFLT,
    RUN_MINFLT,
    RUN_FAILURES,
    RUN_UNLOCKED,
    RUN_LOCKED,
    RUN_SWAP,
    RUN_COVERAGE, /* percent */
    RUN_DOWNGRADES,
    RUN_FIGURES
};

/* What was measured; negative: it is not known. */
struct run_figures {
    double value[RUN_FIGURES];
};

/* Of which nothing is known. */
struct run_figures run_figures_unknown(void);

enum run_operator { RUN_EQUAL, RUN_NOT_EQUAL, RUN_LESS, RUN_AT_MOST, RUN_MORE, RUN_AT_LEAST };

struct run_expectation {
    enum run_figure figure;
    enum run_operator operator;
    double value;
    const char *text; /* as it was written */
};

struct run_expectations {
    struct run_expectation *list;
    size_t count;
};

/* Appends those of `text`. False: something is wrong in it, complained of. */
bool run_expect_read(const char *text, struct run_expectations *expectations);

struct run_judged {
    const char *expected; /* as it was written */
    const char *name;     /* of the figure */
    const char *measured; /* "not known", if it is not */
    const char *number;   /* the same as a number of `unit`, or NULL: it is not known */
    const char *unit;     /* "count", "bytes" or "percent" */
    bool holds;
};

struct run_verdict {
    const char *program;
    struct run_judged *list;
    size_t count;
    size_t failed;
};

/* What is not known does not hold. */
struct run_verdict run_expect_judge(const struct run_expectations *expectations,
                                    const struct run_figures *figures, const char *program);

/* A table of what was expected and what was measured. */
void run_verdict_print(const struct run_verdict *verdict, FILE *to, bool colour);

#endif
