/*
 * The directory in which the program and what it starts keep their counters. It is the command's
 * own, and gone in the end; what a command that was killed has left there, the next one takes away.
 */
#ifndef AL_RUN_PLACE_H
#define AL_RUN_PLACE_H

/* Makes one, and returns its path, or NULL, complained of. There is one of them at a time. */
char *run_place_make(void);

/* Takes it away, and what is in it. */
void run_place_remove(const char *path);

#endif
