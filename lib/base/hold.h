/*
 * Signals that wait, for places that a program may rightly leave by siglongjmp or asynchronous
 * cancellation, and that must not be left half done. Not those that an instruction or a system call
 * raises in its own thread: blocked, they would kill.
 */
#ifndef AL_HOLD_H
#define AL_HOLD_H

/* The calling thread's signals wait until the matching al_hold_end(). May be nested: two system
 * calls for the outermost, none for the others. errno is untouched. */
void al_hold_begin(void);
void al_hold_end(void);

#endif
