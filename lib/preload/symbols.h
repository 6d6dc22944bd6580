/*
 * Which functions the process has, asked of the objects themselves: dlsym allocates when it does
 * not find a name.
 */
#ifndef AL_SYMBOLS_H
#define AL_SYMBOLS_H

#include <stdbool.h>

/* Whether the program or one of its libraries, ours and the vdso excepted, exports the name. */
bool al_symbol_anywhere(const char *name);

/* Whether the program itself does. */
bool al_symbol_in_program(const char *name);

#endif
