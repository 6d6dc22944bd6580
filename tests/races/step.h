/*
 * A signal at a chosen instruction of the library. Which ones a call comes to is found out step by
 * step (the processor's trap flag); then one of them is replaced by a breakpoint, and where that is
 * reached SIGUSR1 is raised before it, as if it had come from outside just then. Where the library
 * holds signals back it comes as soon as they are let in again.
 *
 * One thread. x86-64 alone; elsewhere step_begin() skips.
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds the library, and takes SIGTRAP. */
void step_begin(void);

/* Instructions of the library that one call comes to: each address once, or every time that it is
 * executed (`all`), in their order. Returns how many there are. */
size_t step_record(void (*call)(void), bool all);

/* Runs `call` with SIGUSR1 before the instruction of that number. False: it did not come there. */
bool step_interrupt(void (*call)(void), size_t number);

/* Instructions that were executed in the call that was recorded, each time counted. */
size_t step_recorded(void);

/* After `call` was left by siglongjmp. */
void step_left(void);

/* Where the last signal was raised, as an offset into the library. */
uintptr_t step_place(void);

/* A system call that nobody has replaced. */
long step_system_call(long number, long a, long b, long c, long d, long e, long f);

#endif
