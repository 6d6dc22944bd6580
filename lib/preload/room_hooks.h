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
    bool stack;     /* of a thread, made by libc */
    bool spared;    /* not to be brought in if that is too much, though it is not apart */
};

enum al_added_how {
    AL_ADD_AS_EVER,
    AL_ADD_BY_US,    /* not brought in by the kernel, but faster, by bring_in.h */
    AL_ADD_IN_PARTS, /* so large that others in the cgroup may take the room meanwhile */
    AL_ADD_ON_FAULT, /* nothing is brought in */
    AL_ADD_UNLOCKED  /* the same, and it does not stay locked */
};

struct al_added {
    enum al_added_how how;
    bool flies;  /* see lock/flight.h */
    bool waits;  /* signals do, until its end */
    size_t held; /* bytes that are held against other threads, until the call has brought them in */
};

/* Before the call. May step down to the hooks. errno is untouched. */
struct al_added al_adding_begin(struct al_adding adding);

/* After it; `start` is NULL if it failed. */
void al_adding_end(struct al_added added, void *start, size_t length);

/* What was mapped on fault, and is not asked for yet, is brought in if it fits, and is not too much
 * for that; else it is unlocked, unless it fits or is there already. Of what others may have
 * something in, nothing is unlocked.
 */
void al_adding_late(void *start, size_t length);
void al_adding_late_of_others(void *start, size_t length);

/*
 * The same as the first two for mapping functions, which a program may rightly leave by siglongjmp
 * or asynchronous cancellation: where the call is not as ever, or bytes are held, signals wait
 * until its end, so that nobody leaves it so. Not for what makes a thread, which would inherit
 * that.
 */
struct al_added al_adding_begin_held(struct al_adding adding);
void al_adding_end_held(struct al_added added, void *start, size_t length);

/* Before [start, start + length) becomes writable, which brings it in: locks it on fault if it
 * would take too much, leaves it out if it is neither there nor fits, or steps down if it is small.
 * al_adding_end_held() is to follow. */
struct al_added al_opening_begin_held(void *start, size_t length);

#endif
