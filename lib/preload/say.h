/*
 * What the library says on standard error while the program runs, by AUTOLOCK_LOG:
 *
 *     quiet   nothing
 *     error   what is wrong in the configuration; why the program is not started (ON_FAILURE=fail)
 *     warn    why the lock asked for at start could not be had, unless ON_FAILURE=ignore
 *     info    what is locked, by what: one line at start; the program's marks
 *     debug   what became less than was asked for, and each errno of a lock when it is first seen
 *
 * Needs al_process.err and al_process.run. Async-signal safe.
 */
#ifndef AL_SAY_H
#define AL_SAY_H

#include "explain.h"
#include "options.h"
#include "privilege.h"

void al_say(const char *bytes, size_t count);

/* From now on, what AUTOLOCK_LOG=debug asks for is said when it happens. */
void al_say_steps(const struct al_config *config);

/* What came of the lock that was asked for at start. */
struct al_start_failure {
    enum al_outcome outcome;
    int error;       /* negative errno; 0: left out because of the limit */
    uint64_t wanted; /* mode alloc: bytes that qualify; 0: not known */
};

/* Looks at the process and its surroundings, and explains; they are not looked at otherwise. */
void al_say_failure(const struct al_config *config, const struct al_privilege *privilege,
                    const struct al_start_failure *failure, char *const environment[]);

/* `flags`: in force by mlockall, mode all. */
void al_say_start(const struct al_config *config, const struct al_privilege *privilege,
                  unsigned flags);

/* `phase` is the program's word for what begins or has ended; NULL: it has none. */
void al_say_mark(const char *phase);

#endif
