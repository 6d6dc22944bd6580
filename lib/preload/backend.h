/*
 * By what memory is locked: by the kernel alone (mlockall, in mode `all` where no memlock limit
 * holds), or region by region by the hooks. It is chosen at start, and may change once, from the
 * kernel to the hooks: when the program has come under a limit, or its memory has grown past the
 * budget.
 */
#ifndef AL_BACKEND_H
#define AL_BACKEND_H

#include "options.h"

#include <stdbool.h>

/*
 * Locks what was asked for, as far as it can be had, and says what could not. Once. `environment`
 * is NULL in a program with more rights than its caller: then the memlock limit stays as it is.
 */
void al_backend_start(const struct al_config *config, char *const environment[]);

/*
 * The kernel locks what is to come (MCL_FUTURE): makes it stop, and goes on with the hooks, up to
 * what may be locked now. What is locked stays so meanwhile where no memlock limit holds; else all
 * is unlocked first. Other threads wait until that is done. Returns whether the
 * hooks are in charge afterwards; false also if this thread is in the middle of it (a signal
 * handler). `reason` stays valid for ever. errno is untouched.
 */
bool al_backend_step_down(const char *reason);

/*
 * A call of the program has failed with `error` (positive): if the kernel's lock can be why, steps
 * down and returns true, and the call is worth a second try. errno is untouched.
 */
bool al_backend_rescue(int error);

/* Before a call that cannot be tried twice: steps down if no exemption holds any more. */
void al_backend_look(const char *reason);

/* The process's rights or limits may have changed: keeps to those of now. errno is untouched. */
void al_backend_rights_changed(const char *reason);

/*
 * The program has made the kernel lock all by itself (mlockall with `flags`), or nothing
 * (munlockall): where the kernel locks for us, that is how it is from now on.
 */
void al_backend_program_locks_all(int flags);
void al_backend_program_unlocks_all(void);

/* The program has set its memlock limit itself: it stays as it is. errno is untouched. */
void al_backend_limit_set(const char *reason);

/* No system call of ours may be made any more: what is locked stays as it is. */
void al_backend_stop(void);

/* In a forked child, as the option FORK says (none, if it does not track). */
void al_backend_forked(const struct al_config *config);

#endif
