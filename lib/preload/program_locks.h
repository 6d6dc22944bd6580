/*
 * The program's own locks go before ours.
 */
#ifndef AL_PROGRAM_LOCKS_H
#define AL_PROGRAM_LOCKS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The program's lock of `length` bytes has failed with errno: if it is because we have used up its
 * limit, gives back that much, for good, and returns true: the call is worth a second try. errno
 * is untouched.
 */
bool al_program_makes_room(size_t length);

#endif
