/*
 * Texts as they stand on a terminal: how wide they are, and what of them fits.
 */
#ifndef AL_COMMAND_COLUMNS_H
#define AL_COMMAND_COLUMNS_H

#include "text.h"

#include <stddef.h>

/* Of the terminal that standard output is, else of COLUMNS, else 0: there is none. */
size_t columns_of_output(void);

/* `text` is UTF-8 without control characters. */
size_t columns_of(const char *text);

/* As much of it as stands in `columns`, its end an ellipsis if it is cut; never a part of a
 * character. */
const char *columns_cut(const char *text, size_t columns);

/*
 * UTF-8 without control characters: what is none becomes U+FFFD. Into a text that has room for
 * three times its bytes, or as one of its own.
 */
void columns_print(struct al_text *to, const char *text);
const char *columns_printable(const char *text);

#endif
