/*
 * Text files of any length, a line at a time, without allocation.
 */
#ifndef AL_LINES_H
#define AL_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum al_lines_file {
    AL_LINES_LIST, /* of /proc, written a piece at a time: the end is where nothing more comes */
    AL_LINES_TEXT  /* gives less than it is asked for only at its end: one read less */
};

/*
 * Calls `visit` for each line, terminated and without its newline, until it returns false; of a
 * line that does not fit into `buffer` only the beginning is given. `visit` may change the line.
 * Returns 0, or a negative errno if the file cannot be read. Async-signal safe if `visit` is.
 */
int al_lines_each(const char *path, enum al_lines_file file, char *buffer, size_t size,
                  bool (*visit)(char *line, void *data), void *data);

#endif
