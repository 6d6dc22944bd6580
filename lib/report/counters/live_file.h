/*
 * The file that the counters are kept in (AUTOLOCK_LIVE_DIR): its place and its name, which others
 * find only when it is whole. Async-signal safe; all return 0, a descriptor, or a negative errno.
 */
#ifndef AL_LIVE_FILE_H
#define AL_LIVE_FILE_H

#include <stdbool.h>

/* Remembers the directory from the root on: the program may go elsewhere. "": there is none. */
int al_live_file_set_directory(const char *directory);
bool al_live_file_has_directory(void);

/* Creates the file, under a name that is hidden; to be settled if it succeeds. */
int al_live_file_create(void);

/* Gives it its name if there was no `error`, else takes it away. Before there are other threads. */
int al_live_file_settle(int error);

/* Opens it again. */
int al_live_file_open(void);

#endif
