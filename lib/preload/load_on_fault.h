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

#include <stdbool.h>
#include <stddef.h>

struct al_loading {
    size_t objects; /* that were there before */
    size_t brought; /* by this thread until then */
    void *heap_end; /* before; NULL if it is not known */
    bool opened;    /* the kernel locks on fault */
};

/* Whether what dlopen loads is to be looked after so. */
bool al_load_is_on_fault(void);

/* Before the loader is called. Others that load meanwhile may do the same, and so may what the
 * loader calls. */
struct al_loading al_load_on_fault_begin(void);

/* After it. */
void al_load_on_fault_end(struct al_loading loading);

#endif
