/*
 * Who records how long something took, in the histograms of the counters that can be seen from
 * outside (live.h). Most processes use one of them: the others are not to be memory before they are
 * used, in a process in which all memory is brought in.
 *
 * Any thread, and those that may not write to thread-local memory; async-signal safe; errno is
 * untouched.
 */
#ifndef AL_TIMES_H
#define AL_TIMES_H

#include "live.h"

void al_times_record(enum al_timed timed, uint64_t ns);

/*
 * Where all that is there is about to be brought in: leaves out what is not used yet. Before there
 * are threads.
 */
void al_times_close(void);

/* So that all of al_live can be read. */
void al_times_open(void);

/* Other pages were mapped there, all of which can be read; `holes`: a part of the file has no
 * memory. */
void al_times_moved(bool holes);

/* In a forked child: nothing has been recorded. */
void al_times_forget(void);

#endif
