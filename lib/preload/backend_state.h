/*
 * What the parts of backend.h share: who locks, what may be locked, and going over to the hooks.
 */
#ifndef AL_BACKEND_STATE_H
#define AL_BACKEND_STATE_H

#include "backend.h"
#include "budget.h"
#include "hidden.h"

#include <sys/types.h>

enum al_backend_state {
    AL_BACKEND_NOT_KERNEL,
    AL_BACKEND_KERNEL,
    AL_BACKEND_STEPPING,
    AL_BACKEND_STEPPED
};

struct al_backend {
    const struct al_config *config;
    struct al_privilege privilege;
    struct al_budget budget;
    enum al_backend_state state;
    bool keep_limit;    /* it is the program's own choice, or was not the caller's to raise */
    bool on_fault;      /* in a forked child, whose pages are its parent's as well */
    pid_t stepping;     /* the thread that is stepping down */
    uint64_t before_us; /* bytes that there were */
    bool machine_later; /* the budget is without the machine's memory as yet */
};

extern struct al_backend al_backend AL_HIDDEN;

/* What may be locked now. */
void al_backend_read_rights(void);

/* When the hooks come to be in charge: at the start; later, when all has been unlocked; or when all
 * that is mapped is locked still. */
enum al_backend_when { AL_BACKEND_AT_START, AL_BACKEND_UNLOCKED, AL_BACKEND_KEPT };

/* Locks region by region from now on. Returns 0, or the negative errno of what could not be had. */
int al_backend_lock_by_hooks(enum al_backend_when when);

/* Where the kernel is to lock with `flags` (AL_FLAG_…): of our own memory, what most processes
 * never use is not to be brought in with all the rest. */
void al_backend_leave_out_unused(unsigned flags);

/* Nothing is locked any more. */
void al_backend_do_without(void);

#endif
