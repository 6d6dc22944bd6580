/*
 * Why a page fault was, as far as that can be told from outside.
 *
 * What is known: whether the page's mapping was locked when it was last looked at, or when it was
 * made; whether it is locked now; whether the process has forked since all its pages were there.
 * What is not known: whether this very page was there before.
 */
#ifndef AL_FAULTS_CAUSE_H
#define AL_FAULTS_CAUSE_H

#include "faults_regions.h"

enum run_fault_cause {
    RUN_FAULT_NOT_LOCKED,         /* the mapping is not locked */
    RUN_FAULT_NOT_LOCKED_OR_COPY, /* the same, and a fork was before: it may be the copy */
    RUN_FAULT_BEFORE_LOCK,        /* it was locked after the fault: touched between the two */
    RUN_FAULT_FIRST_TOUCH,        /* locked on fault */
    RUN_FAULT_FIRST_TOUCH_OR_COPY,
    RUN_FAULT_GROWTH,  /* the main stack is locked, and grows page by page */
    RUN_FAULT_COPY,    /* all pages were there, then came a fork: the first write has to copy */
    RUN_FAULT_BROUGHT, /* no fault of the program: a call of it had the kernel bring the page in */
    RUN_FAULT_MIGRATION, /* locked, and all there; the machine has moved pages meanwhile */
    RUN_FAULT_UNKNOWN,
    RUN_FAULT_CAUSES
};

struct faults_circumstances {
    enum faults_kind kind;
    const struct faults_region *before; /* as it was known; NULL: not at all */
    const struct faults_region *after;  /* as seen since; NULL: gone, or not looked at */
    bool looked;                        /* there was a look since */
    bool by_hooks;                      /* it may have been locked by the hooks since it was made */
    bool moved;                         /* the machine has moved pages since the last look */
    uint64_t forked_ns;                 /* 0: never */
};

enum run_fault_cause faults_cause(const struct faults_circumstances *circumstances);

/* For people, and in JSON. */
const char *faults_cause_text(enum run_fault_cause cause);
const char *faults_cause_key(enum run_fault_cause cause);

#endif
