/* The tables of docs/live.md: where each of the live counters stands. */
#ifndef TABLES_LIVE_H
#define TABLES_LIVE_H

#include <stdbool.h>

/* Prints the table of this name; false: there is none. */
bool tables_live_print(const char *name);

/* Prints the names of all, one a line. */
void tables_live_names(void);

#endif
