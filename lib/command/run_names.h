/* The options of the table, as `autolock run` has them: AUTOLOCK_MIN_SIZE is --min-size. */
#ifndef AL_RUN_NAMES_H
#define AL_RUN_NAMES_H

#include "options.h"

enum { RUN_OPTION_NAME_SIZE = 64 };

void run_option_name(char *ret_name, size_t size, const struct al_option *option);

#endif
