/*
 * Whether this program is among those that the option PROGRAMS names.
 */
#ifndef AL_PROGRAM_H
#define AL_PROGRAM_H

#include <stdbool.h>

/*
 * Its names are what was started (of a script the script, absolute if need be by the working
 * directory) and the file that the kernel runs for it (of a script its interpreter).
 */
bool al_program_included(const char *list);

#endif
