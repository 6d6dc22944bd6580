/*
 * What qualifies for a lock in mode `alloc`: pure decisions, from the options alone.
 */
#ifndef AL_POLICY_H
#define AL_POLICY_H

#include "options.h"

#include <stdbool.h>
#include <stdint.h>

struct al_policy {
    unsigned kinds; /* enum al_kinds */
    unsigned flags; /* enum al_flag */
    uint64_t min_size;
    uint64_t max_size;
};

enum al_verdict { AL_TAKE, AL_SKIP_KIND, AL_SKIP_SIZE, AL_SKIP_INACCESSIBLE };

/*
 * Whether a mapping of `size` bytes is to be locked. `kind` is one bit of enum al_kinds.
 * Inaccessible ones are reservations: they are judged again when they become accessible.
 */
enum al_verdict al_policy_judge(const struct al_policy *policy, unsigned kind, uint64_t size,
                                bool accessible);

#endif
