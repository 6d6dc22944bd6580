/*
 * Reports of processes as a table for a terminal, and their sums.
 */
#ifndef AL_REPORT_TABLE_H
#define AL_REPORT_TABLE_H

#include "report_list.h"

#include <stdio.h>

/* Sorts by a column, largest first but for pid, program, ended and start; those that are not known
 * come last, and equal ones stay as they were. False: there is none of that name. */
bool report_table_sort(struct report_list *list, const char *key);

/* The names of what can be sorted by, as "pid, start, …", for complaints. */
const char *report_table_keys(void);

/* In at most `width` columns; 0: as many as it takes. */
void report_table_print(FILE *to, const struct report_list *list, size_t width);

/* Sums of all that are known, by the names of the columns. */
json_t *report_table_totals(const struct report_list *list);

#endif
