/*
 * Where the kernel brings in all that is mapped (lock/room.h) and the cgroup bounds it, nobody can
 * say how much a library will take, with all that it needs, before the loader has mapped it. So the
 * kernel locks on fault meanwhile, and what has come is brought in afterwards, each segment if
 * there is room for it.
 *
 * Any thread; errno is untouched.
 */
#ifndef AL_LOAD_ON_FAULT_H
#define AL_LOAD_ON_FAULT_H

#include "room.h"

/* What was there before. Of objects the last ones: should one be unloaded meanwhile, another tells
 * where what is new begins. */
struct al_loading {
    bool opened; /* the kernel locks on fault */
    size_t objects;
    const void *last[8];
    void *heap_end; /* NULL if it is not known */
    struct al_room_changes changes;
};

/* Whether what dlopen loads is to be looked after so. */
bool al_load_is_on_fault(void);

/* Before the loader is called; `frame`: the address of the caller's frame. What a constructor loads
 * in turn is left to the first. */
struct al_loading al_load_on_fault_begin(const void *frame);

/* After it, whether it has `loaded` something or not. */
void al_load_on_fault_end(const struct al_loading *loading, bool loaded);

/* The thread ends, if only in a constructor. */
void al_load_on_fault_thread_ends(void);

/* In a child that a constructor has forked: what it loads itself is its own. */
void al_load_on_fault_forked(void);

#endif
