/*
 * The gate: what the program is expected to do, measured by the counters that it keeps in a file
 * (AUTOLOCK_LIVE_DIR), which outlive it. The directory is the command's own, and gone in the end;
 * the program's own report is as it would be.
 */
#ifndef AL_RUN_GATE_H
#define AL_RUN_GATE_H

#include "run_child.h"
#include "run_gate_options.h"
#include "run_page.h"

struct run_gate;

/* Whether anything was asked for that needs the gate. */
bool run_gate_is_wanted(const struct run_gate_options *options);

/* Before the program runs. Returns NULL if it cannot be, complained of. */
struct run_gate *run_gate_open(const struct run_gate_options *options);

/* What is to be told of it, or NULL; before the program runs. */
void run_gate_set_page(struct run_gate *gate, struct run_page *page);

/* The variable that the program needs. */
char *run_gate_setting(const struct run_gate *gate);

/* Where the program's counters are while it runs. */
const char *run_gate_directory(const struct run_gate *gate);

struct run_watch run_gate_watch(struct run_gate *gate);

/*
 * When the program has ended. Takes the directory away, and returns RUN_ON, or
 * the status to end with. `ret_ended_by_us`: the duration was over, and that it ended by the signal
 * is what was meant.
 */
int run_gate_close(struct run_gate *gate, const char *program, const struct run_end *ended,
                   bool *ret_ended_by_us);

/* The same when it could not be executed. */
void run_gate_discard(struct run_gate *gate);

#endif
