/*
 * The files of counters that processes have left in a directory.
 */
#ifndef AL_RUN_REPORTS_H
#define AL_RUN_REPORTS_H

#include "reader.h"

#include <stdbool.h>
#include <stddef.h>

typedef void run_reports_visit(const struct al_reading *reading, void *data);

/* Visits each, in no order. Returns how many there are that cannot be read. */
size_t run_reports_each(const char *directory, run_reports_visit *visit, void *data);

/* Whether a file can be made there; complained of. `option`: the one that names it. */
bool run_reports_can_go_to(const char *option, const char *path);

/* The reports of all processes, as JSON, one a line, in the order of their beginnings. False:
 * complained of. */
bool run_reports_write(const char *directory, const char *path);

#endif
