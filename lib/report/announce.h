/*
 * AUTOLOCK_LOG=info: one line at the start about what is locked, by what. Async-signal safe.
 */
#ifndef AL_ANNOUNCE_H
#define AL_ANNOUNCE_H

#include "options.h"
#include "text.h"

struct al_announcement {
    const char *program;
    const struct al_config *config;
    unsigned flags; /* enum al_flag: what mlockall has been asked for; 0: it has not */
    bool locks;     /* something is, or will be, locked */
    uint64_t soft_limit;
    bool exempt; /* the limit does not hold */
};

/* Appends the line, with its newline. */
void al_announce(struct al_text *text, const struct al_announcement *announcement);

#endif
