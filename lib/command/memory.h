/*
 * Memory for the command, which has nothing to do where there is none: it says so and ends. Texts
 * and what allocate gives are not given back where the command ends soon.
 */
#ifndef AL_COMMAND_MEMORY_H
#define AL_COMMAND_MEMORY_H

#include <stddef.h>

/* What is done instead of ending, if not NULL; in whichever thread there was none. It does not
 * return, and allocates nothing. */
extern void (*memory_lack)(void);

/* Zeroed. Ends the command if there is none. */
void *allocate(size_t bytes);

/* The same, for what wants to begin at a multiple of something. */
void *allocate_aligned(size_t alignment, size_t bytes);

/* As of realloc. Ends the command if there is none. */
void *reallocate(void *memory, size_t bytes);

/* A new text, as of printf. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
