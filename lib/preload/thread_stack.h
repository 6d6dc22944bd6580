/*
 * The stack of each thread, from its first step to its last: judged in mode alloc, brought in where
 * there is a reserve. libc maps it unseen and keeps it for later threads, so the thread itself
 * tells where it is.
 */
#ifndef AL_THREAD_STACK_H
#define AL_THREAD_STACK_H

#include <pthread.h>
#include <stdbool.h>
#include <threads.h>

/* Whether stacks of new threads qualify by their kind, or have a reserve. */
bool al_thread_stack_wanted(void);

/* pthread_create, with a first step in the thread that does this. */
int al_thread_stack_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                           void *(*routine)(void *), void *argument);

/* thrd_create, likewise; `create` is the real one. */
typedef int (*al_thrd_create)(thrd_t *, thrd_start_t, void *);

int al_thread_stack_create_c11(al_thrd_create create, thrd_t *ret_thread, thrd_start_t routine,
                               void *argument);

/* The calling thread ends. */
void al_thread_stack_ends(void);

/*
 * In a forked child, whose only thread is the caller: libc takes the stacks of the others for new
 * threads, or unmaps them, and nothing is known of them any more. The gate is free.
 */
void al_thread_stack_forked(void);

#endif
