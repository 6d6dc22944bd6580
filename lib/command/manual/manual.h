/*
 * What is made from the descriptions of the calls (call.h) and of the variables (options.def) when
 * the project is built: the completion of three shells, autolock(1) and libautolock(7). What these
 * say in sentences comes from the documents in docs/.
 */
#ifndef AL_MANUAL_H
#define AL_MANUAL_H

#include "call.h"

#include <stdio.h>

/* All calls, up to a NULL. */
extern const struct call *const manual_calls[];

void manual_bash(FILE *out);
void manual_zsh(FILE *out);
void manual_fish(FILE *out);

/* autolock(1), with what docs/command.md says of each call. */
void manual_command_page(FILE *out, const char *command_document);

/* libautolock(7), with docs/configuration.md. */
void manual_library_page(FILE *out, const char *configuration_document);

/* What an option does in a line: the beginning of its help. */
const char *manual_short_help(const struct call_option *option);

/* -- for shells ---------------------------------------------------------------------------------
 */

/* As one word in single quotes, with a backslash before each of `special`. */
void manual_put_quoted(FILE *out, const char *text, const char *special);

/* -- for pages ----------------------------------------------------------------------------------
 */

/* The first lines of a page. */
void manual_put_title(FILE *out, const char *name, int section, const char *about);

/* As it is to be read, in the middle of a line. */
void manual_put_plain(FILE *out, const char *text);

/* The same as a line of its own. */
void manual_put_line(FILE *out, const char *text);

#endif
