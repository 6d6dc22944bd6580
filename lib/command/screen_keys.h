/* Keys of a terminal, as bytes (screen.h). */
#ifndef AL_COMMAND_SCREEN_KEYS_H
#define AL_COMMAND_SCREEN_KEYS_H

#include "screen.h"

/* Takes what has been typed. False: nothing comes any more. */
bool screen_keys_read(int fd);

/* The next of what has been taken; SCREEN_NOTHING: there is none. */
enum screen_event screen_keys_next(void);

#endif
