/* Memory for the command, which has nothing to do where there is none. Nothing is given back. */
#ifndef AL_COMMAND_MEMORY_H
#define AL_COMMAND_MEMORY_H

#include <stddef.h>

/* Zeroed. Ends the command if there is none. */
void *allocate(size_t bytes);

/* A new text, as of printf. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
