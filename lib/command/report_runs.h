/*
 * Files of reports as runs of a page.
 */
#ifndef AL_REPORT_RUNS_H
#define AL_REPORT_RUNS_H

#include "report_read.h"

/*
 * The runs of all pages among the files, each other file of reports as a run, and all live files
 * together as one, in the order of the files.
 */
json_t *report_runs(const struct report_list *list, const struct report_file *files, size_t count);

/* A report as a page has it among the processes of a run. `is_main`: the run is about it. */
json_t *report_process(const struct report_entry *entry, bool is_main);

#endif
