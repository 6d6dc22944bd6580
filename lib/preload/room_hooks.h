/*
 * What a hook does around a call that maps, where the kernel locks all that is to come: see
 * lock/room.h. Without that, nothing.
 */
#ifndef AL_ROOM_HOOKS_H
#define AL_ROOM_HOOKS_H

#include "room.h"

/* What a call is about to add. */
struct al_adding {
    size_t length;  /* bytes */
    bool sparse;    /* not to be brought in, though it may fit (MAP_NORESERVE) */
    bool anonymous; /* private, without a file, and can be written to */
    bool apart;     /* what the call returns is what it adds */
    bool file;      /* of a file */
};

enum al_added {
    AL_ADD_AS_EVER,
    AL_ADD_BY_US,    /* not brought in by the kernel, but faster, by bring_in.h */
    AL_ADD_IN_PARTS, /* so large that others in the cgroup may take the room meanwhile */
    AL_ADD_ON_FAULT, /* nothing is brought in */
    AL_ADD_UNLOCKED  /* the same, and it does not stay locked */
};

/* Before the call. May step down to the hooks. errno is untouched. */
enum al_added al_adding_begin(struct al_adding adding);

/* After it; `start` is NULL if it failed. */
void al_adding_end(enum al_added added, void *start, size_t length);

/*
 * The same for mapping functions, which a program may rightly leave by siglongjmp or asynchronous
 * cancellation: where the call is not as ever signals wait until its end, so that nobody leaves the
 * kernel locking on fault. Not for what makes a thread, which would inherit that.
 */
enum al_added al_adding_begin_held(struct al_adding adding);
void al_adding_end_held(enum al_added added, void *start, size_t length);

#endif
