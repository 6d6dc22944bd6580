/*
 * Parts of the data of a run's page (page.h) that are gathered by themselves.
 */
#ifndef AL_RUN_PAGE_PARTS_H
#define AL_RUN_PAGE_PARTS_H

#include "options.h"

#include <jansson.h>
#include <sys/types.h>

/* "mappings", of a process that runs, but for the time; NULL: they cannot be seen. */
json_t *run_page_mappings(pid_t pid);

/* "options": all of the table, as the variables have them, and whether they were given. */
json_t *run_page_options(const struct al_config *config);

/* "environment": of this process, whose limits the program gets. */
json_t *run_page_environment(void);

#endif
