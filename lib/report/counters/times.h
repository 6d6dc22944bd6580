/*
 * Who records how long something took, in the histograms of the counters that can be seen from
 * outside (live.h). Most processes use one of them: of the others there is no memory before one is
 * used, as it would be resident wherever all memory is brought in.
 *
 * Any thread, and those that may not write to thread-local memory; async-signal safe; errno is
 * untouched.
 */
#ifndef AL_TIMES_H
#define AL_TIMES_H

#include "live.h"

void al_times_record(enum al_timed timed, uint64_t ns);

/* Other pages were mapped where the counters are; `absent`: none behind AL_LIVE_USUAL. */
void al_times_moved(bool absent);

/* Whether all of al_live can be read. */
bool al_times_whole(void);

/*
 * Whether somebody may be recording at this moment. A signal handler that has come in between may
 * have forked, and where its child goes on with that, the memory must be there.
 */
bool al_times_are_used(void);

/* So that all can be, as far as there is memory. */
void al_times_have(void);

/* In a forked child: nothing has been recorded. */
void al_times_forget(void);

#endif
