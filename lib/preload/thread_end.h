/*
 * Learns of the end of threads and of forks from libc, and of the second thread.
 */
#ifndef AL_THREAD_END_H
#define AL_THREAD_END_H

#include "hidden.h"

#include <stdbool.h>

/* The calling thread is in our fork(), which counts the child if there is one. */
extern __thread bool al_fork_is_ours AL_HIDDEN __attribute__((tls_model("initial-exec")));

/* Called once at start, and again when threads become possible later (glibc < 2.34). */
void al_thread_end_watch(void);

/* There is going to be a second thread, or it is there: owners are counted atomically from now on.
 */
void al_thread_end_second(void);

#endif
