/*
 * The runtimes of sanitizers, by the names of their files.
 */
#ifndef AL_SANITIZER_LIBRARIES_H
#define AL_SANITIZER_LIBRARIES_H

#include <stdbool.h>

/* Whether a file's name (which may go on behind that) is one of a runtime: those end the program if
 * another library comes before them. */
bool sanitizer_is_library(const char *name);

/* The sanitizer of that runtime, if it is one whose programs the library leaves alone, or NULL. */
const char *sanitizer_of_library(const char *name);

#endif
