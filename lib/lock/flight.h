/*
 * Calls that lock on fault: by mapping, where the kernel locks what is to come, or by mlock2. The
 * kernel marks the mapping, lets go of the address space, and looks at the mark again to see
 * whether it is to bring pages in: if the lock was taken away in between, by munlockall, it brings
 * in all of them. So who takes away all locks waits until no other thread is in such a call.
 *
 * Any thread; async-signal safe; errno is untouched. No system call unless somebody has to wait.
 */
#ifndef AL_FLIGHT_H
#define AL_FLIGHT_H

#include <stdbool.h>

/* Around the call. May be nested. */
void al_flight_begin(void);
void al_flight_end(void);

/* Whether this thread is in one. */
bool al_flight_is_on(void);

/* This thread's call has failed, or is not made: nobody need wait for it any more. */
void al_flight_abandon(void);

/*
 * Waits until no other thread is in one; from now on who begins one waits for al_flight_go(). Not
 * for ever: a thread in one may be waiting for something that this one holds.
 */
void al_flight_stop(void);
void al_flight_go(void);

/* In a forked child: there is no other thread. */
void al_flight_forked(void);

#endif
