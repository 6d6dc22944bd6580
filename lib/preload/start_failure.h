/* What a start by the hooks came to, where not all could be locked. */
#ifndef AL_START_FAILURE_H
#define AL_START_FAILURE_H

#include "budget.h"
#include "say.h"

#include <stdbool.h>

/* What was locked although `error` says that not all was; `flags` as they were asked for. */
struct al_start_failure al_start_failure_of(int error, unsigned flags);

/* Whether it is no failure: what is past a budget of the user's or ours stays unlocked. */
bool al_start_failure_is_budgets(int error, const struct al_budget *budget);

/* The error where nothing may be locked at all. The kernel says so itself, and is counted. */
int al_start_failure_of_nothing(void);

#endif
