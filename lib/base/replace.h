/*
 * Puts a file in the place of another one, so that who reads it sees the one or the other as a
 * whole. Nothing waits, no signal reaches the program, errno is untouched. Async-signal safe.
 */
#ifndef AL_REPLACE_H
#define AL_REPLACE_H

#include <stddef.h>

/*
 * The new file (0644 less the umask's bits) is written under a name of its own in the same
 * directory, which begins with a dot and is gone when this returns, then renamed. A symbolic link
 * at the end of the path is not followed, and not replaced; what is no regular file (a FIFO, a
 * terminal, a device) is written to.
 *
 * Returns 0 or a negative errno; the file that was there is as it was then. `path` is cut for a
 * moment, and as it was in the end.
 */
int al_replace(char *path, const char *bytes, size_t count);

#endif
