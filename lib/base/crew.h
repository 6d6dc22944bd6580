/*
 * A few threads for one piece of work, which are gone when it is done.
 *
 * They are the kernel's threads and none of libc's: they have no stack but a small one, no
 * thread-local memory of their own, and hold all signals back. So `work` may use nothing but
 * system calls (sys.h), the clock and memory that it is given: no counter, no errno, no lock.
 */
#ifndef AL_CREW_H
#define AL_CREW_H

/*
 * Calls work(data) in this thread and in up to `count - 1` others at the same time, fewer where no
 * thread can be had, or this processor is not known here. Returns when all have come back, and the
 * process has only its own threads again; a thread that waits for nobody of lower priority
 * (SCHED_RESET_ON_FORK) works alone. Meanwhile signals wait, but for those that `work` itself
 * raises: who left by siglongjmp would leave the others with his stack. errno is untouched;
 * async-signal safe.
 */
void al_crew_run(unsigned count, void (*work)(void *data), void *data);

/* How many processors this thread may run on. */
unsigned al_crew_processors(void);

#endif
