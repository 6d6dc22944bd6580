/*
 * The page of a run (--report): what is seen of the program while it runs, and what it and its
 * children have left in the end, as the data of page.h.
 */
#ifndef AL_RUN_PAGE_H
#define AL_RUN_PAGE_H

#include "run_child.h"
#include "run_expect.h"

struct run_page;

/* Whether the command was built with what makes pages; complained of. */
bool run_page_can_be_made(void);

/* Before the program runs. */
struct run_page *run_page_begin(const struct run_options *options, const struct al_config *config);

struct run_watch run_page_watch(struct run_page *page);

/* Looks at all its memory, once more than by itself: the program is about to be ended. */
void run_page_look(struct run_page *page, pid_t pid);

/* What else is to be in it: the text of a JSON value (or NULL), under that name (page.h). */
void run_page_put(struct run_page *page, const char *name, const char *json);

/*
 * When the program has ended: `directory` has the files of counters, `verdict` may be NULL. Writes
 * the page. False: complained of.
 */
bool run_page_end(struct run_page *page, const char *directory, const struct run_end *ended,
                  const struct run_verdict *verdict);

#endif
