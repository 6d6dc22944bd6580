/*
 * Which functions the process has, asked of the objects themselves: dlsym allocates when it does
 * not find a name.
 */
#ifndef AL_SYMBOLS_H
#define AL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which of `count` names, each at the beginning of AL_SYMBOL_BYTES bytes, the program or one of its
 * libraries exports, ours and the vdso excepted: the first that is found, or `count`.
 */
enum { AL_SYMBOL_BYTES = 16 };
size_t al_symbol_anywhere(const char (*names)[AL_SYMBOL_BYTES], size_t count);

/* Whether the program itself does. */
bool al_symbol_in_program(const char *name);

#endif
