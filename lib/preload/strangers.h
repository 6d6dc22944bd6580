/*
 * Programs that replace what we hook.
 */
#ifndef AL_STRANGERS_H
#define AL_STRANGERS_H

/*
 * The name of the sanitizer that the program was built with, or NULL: its memory is a shadow of all
 * addresses, and its own hooks stand where ours would.
 */
const char *al_stranger_sanitizer(void);

/*
 * Before a report: notes in the downgrades if the program has an allocator of its own, whose calls
 * do not reach us.
 */
void al_stranger_allocator_note(void);

#endif
