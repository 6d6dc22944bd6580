/*
 * Whether the library has taken hold in the program that was executed: its counters are found in
 * the process, by the kernel's map of it. The process is not stopped and does not notice.
 */
#ifndef AL_RUN_PROOF_H
#define AL_RUN_PROOF_H

#include "run_child.h"

enum run_held {
    RUN_HELD_UNKNOWN, /* the program has ended before it was seen, or does not let itself be seen */
    RUN_HELD,
    RUN_NOT_HELD
};

struct run_proof {
    enum run_held held;
    bool ends_program;   /* if it has not taken hold, the program is ended */
    const char *program; /* its name, for the line that says so; NULL: it is not said */

    unsigned looks;
    unsigned without; /* so many times in a row the C library was seen, and ours was not */
    int opened;       /* tells when somebody opens the library's file; -1: it cannot be told */
    int64_t give_up_ms;
};

/* Before the program is executed. The members above are the caller's to set, the others are zero.
 */
void run_proof_begin(struct run_proof *proof, const char *library);

struct run_watch run_proof_watch(struct run_proof *proof);

/*
 * When the program has ended. If it was not seen while it ran, but nobody has opened the library's
 * file in that time, it has not taken hold.
 */
enum run_held run_proof_end(struct run_proof *proof);

/* The line that says why not. */
void run_proof_complain(const char *program, const char *why);

#endif
