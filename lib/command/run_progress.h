/*
 * How far a run is (--progress): a line on the terminal, drawn over itself each second. It belongs
 * to the terminal that standard error is, and only while the command is in its foreground; where it
 * would not fit, its last parts are left out whole.
 */
#ifndef AL_RUN_PROGRESS_H
#define AL_RUN_PROGRESS_H

#include "run_child.h"
#include "run_gate_options.h"

#include <stdbool.h>

/* Whether standard error is a terminal that can draw over a line (TERM). */
bool run_progress_can_be_seen(void);

struct run_watch run_progress_watch(const struct run_gate_options *options);

#endif
