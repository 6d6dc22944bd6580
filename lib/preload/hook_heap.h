/*
 * The malloc family. Each exported function is one indirect jump through a table; which functions
 * stand in it depends on how far the start has come and on the mode:
 *
 *   boot     nothing is known yet: find the real functions, or serve from the boot heap
 *   counted  count the call, go on to the real function
 *   inert    mode off: the real function
 */
#ifndef AL_HOOK_HEAP_H
#define AL_HOOK_HEAP_H

/* The real functions are known: from boot to counted. */
void al_heap_connect(void);

/* Mode off: from counted to inert. */
void al_heap_disconnect(void);

#endif
