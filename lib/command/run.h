/*
 * The parts of `autolock run`, in the order in which they come: options, library, program, rights,
 * child. What is wrong is complained of where it is found; what comes back then is an exit status.
 */
#ifndef AL_RUN_H
#define AL_RUN_H

#include "call.h"
#include "options.h"
#include "run_faults_options.h"
#include "run_gate_options.h"

#include <stdbool.h>
#include <stdint.h>

/* In place of an exit status: nothing is wrong, and nothing has ended. */
enum { RUN_ON = CALL_ON };

enum run_memlock {
    RUN_MEMLOCK_RAISE, /* as far as it goes */
    RUN_MEMLOCK_KEEP,
    RUN_MEMLOCK_SET
};

struct run_options {
    char **settings; /* AUTOLOCK_NAME=value for each option of the table that was given; NULL ends
                      */
    const char *library_path; /* NULL: it is looked for */
    enum run_memlock memlock;
    uint64_t memlock_bytes; /* RUN_MEMLOCK_SET: UINT64_MAX is unlimited */
    bool ambient;
    bool require;
    bool init;
    int death_signal; /* 0: none */
    bool progress;
    struct run_gate_options gate;
    struct run_faults_options faults;
    char **program; /* its name and arguments; NULL ends */
};

/* Returns RUN_ON, or the status to end with: 0 where all that was asked for was a text. */
int run_options_read(int count, char **arguments, struct run_options *ret_options);

/*
 * `environment` with the variables of `settings` in place of those of the same names; where there
 * was none it comes last. All else is as it was, and in the same order. Never NULL.
 */
char **run_environment_with(char *const *environment, char *const *settings);

/* Its value in `environment`, or NULL. */
const char *run_environment_get(char *const *environment, const char *name);

/* The library's path from the root; NULL: complained of. */
const char *run_library_find(const char *asked);

/* What LD_PRELOAD has to be, so that the library is among what is in `present` (or NULL). */
char *run_library_preload(const char *library, const char *present);

/* Limits and capabilities of this process, which the program gets. What cannot be had is said only
 * where it was asked for. */
void run_rights_raise(const struct run_options *options);

/*
 * Where the program is, by `search` (PATH, or NULL) if its name has no slash. Returns RUN_ON, or
 * STATUS_CANNOT_RUN or STATUS_NOT_FOUND, complained of.
 */
int run_search(const char *name, const char *search, char **ret_path);

#endif
