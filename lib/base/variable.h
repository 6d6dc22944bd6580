/*
 * Variables of an environment, without libc: programs, bash for one, have a getenv of their own,
 * which allocates. Async-signal safe.
 */
#ifndef AL_VARIABLE_H
#define AL_VARIABLE_H

#include <stddef.h>

/* The value of `name` in a list of NAME=value that ends with NULL, or may be NULL; NULL: not set.
 */
const char *al_variable(char *const environment[], const char *name);

#endif
