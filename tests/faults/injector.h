/*
 * What the parts of the injector know of each other.
 */
#ifndef FAULTS_INJECTOR_H
#define FAULTS_INJECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/user.h>

enum {
    FAULTS_MOST = 128,
    ERRNOS_MOST = 32,
    RANGES_MOST = 64,
    VARIABLES_MOST = 64,
    SKIP = 77,
    TROUBLE = 99,
};

struct range {
    uint64_t start, end;
};

struct fault {
    long call;
    int errnos[ERRNOS_MOST]; /* 0: less than asked for is read or written */
    int count;
};

/* What was asked for. */
struct wish {
    struct stat library, file;
    bool has_library, has_file, all, behind, anybody;
    struct range left_out[RANGES_MOST];
    int ranges;
    struct range inside;
    uint64_t only;
    struct fault faults[FAULTS_MOST];
    int count;
    enum { EACH, OTHER, ONE, RANDOM } when;
    unsigned long nth, permille;
    uint64_t random;
    char *variables[VARIABLES_MOST];
    int variable_count;
    long user; /* -1: as we are */
    uint64_t memlock;
    bool has_memlock;
};

extern struct wish injector_wish;

/* Where what is seen is written; NULL: nowhere. */
extern FILE *injector_log;

__attribute__((noreturn)) void injector_trouble(const char *what);

/* -- injector_caller.c: who makes a call ------------------------------------------------------- */

/* What is known of a process: where the library is mapped, or that it executes the file. */
struct process {
    pid_t id;
    bool known, is_file;
    /* Of the call that is being made: the registers as they were, and the errno it is to tell. */
    struct user_regs_struct kept;
    int told;
    struct range library; /* empty: not mapped; where the file is executed: the loader */
    uint64_t base;
};

struct process *injector_process(pid_t id);
void injector_forget(pid_t id);

/* Whether the call at this instruction is to be judged, and where in the library it is made. */
bool injector_is_judged(pid_t id, uint64_t at, uint64_t stack, uint64_t *ret_offset);

/* -- injector_call.c: what becomes of a call --------------------------------------------------- */

/* A process is about to make a call. Whether its end is to be waited for. */
bool injector_at_call(pid_t id);
void injector_at_end_of_call(pid_t id);

/* All that were seen, to the log. */
void injector_write_seen(void);

/* -- injector_program.c ------------------------------------------------------------------------ */

/* Runs the program, and waits until all that came of it are gone: how it ended. */
int injector_run(char **command);

#endif
