/* Libraries loaded where we could not come back afterwards: see hook_load.c. */
#ifndef AL_LOAD_H
#define AL_LOAD_H

/* Judges what has come since. */
void al_load_catch_up(void);

#endif
