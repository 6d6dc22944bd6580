/* Libraries loaded where we could not come back afterwards: see hook_load.c. */
#ifndef AL_LOAD_H
#define AL_LOAD_H

/* Judges what has come since. */
void al_load_catch_up(void);

/* In a forked child: another thread may have held the loader's lock, which nobody gives back. */
void al_load_forked(void);

#endif
