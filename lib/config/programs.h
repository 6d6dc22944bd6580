/*
 * Which programs of a process tree are meant: the option PROGRAMS.
 */
#ifndef AL_PROGRAMS_H
#define AL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a program with these names is among those of `list`: globs (glob_match.h) separated by
 * commas and optional blanks. A glob with a slash is held against a name as a whole, one without
 * against what follows the name's last slash. "!glob" excludes, wherever it stands in the list; a
 * list that only excludes has all others.
 *
 * A program may have several names (as it was started, the file that runs); one is enough for a
 * glob to match. Names that are NULL or empty are passed over. Async-signal safe.
 */
bool al_programs_include(const char *list, const char *const names[], size_t count);

#endif
