/*
 * What a program's file says of whether a library can be preloaded into it.
 */
#ifndef AL_RUN_FILE_H
#define AL_RUN_FILE_H

#include <stdbool.h>

struct run_file {
    const char *hinders; /* why the library will not take hold, or NULL: nothing is in its way */
    bool said;           /* the library is going to say that itself */
    const char *runs;    /* the file that the kernel runs: of a script its interpreter */
    const char *loader;  /* the program's interpreter, of the ELF kind, or NULL */
    bool missing;        /* what it needs in order to run is not there */
};

/*
 * Looks at the file that is about to be executed, and at its interpreter if it is a script. What
 * cannot be read or is of another format hinders nothing: then it is not known.
 */
struct run_file run_file_look(const char *path, const char *library);

/*
 * Asks the program's own loader for its list of libraries, without running the program. Returns
 * NULL if ours is among them, or if it cannot be told; else why it is not.
 */
const char *run_file_try(const struct run_file *file, const char *library, char **environment);

#endif
