/*
 * What the counters' pages are made of: one mapping takes the place of another at the same address,
 * with all that stands in it, and nowhere is there a moment without the pages. All returning 0 or a
 * negative errno have changed nothing if it is an errno. Not for several threads at once.
 */
#ifndef AL_LIVE_PAGES_H
#define AL_LIVE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a child of fork has the same pages and not a copy: those of a memfd or a file. */
bool al_live_pages_are_shared(void);

/* From now on the pages of an open file, of a memfd (`empty`: nothing stands in them yet), or
 * memory of this process alone. */
int al_live_pages_of_file(int fd);
int al_live_pages_of_memfd(bool empty);
int al_live_pages_of_our_own(void);

/* A file that grows past the limit raises a signal, so it is not tried. */
bool al_live_pages_may_write(uint64_t bytes);

/* Writing gives the file its size and its memory, so that a full disk is seen here, and is no
 * SIGBUS later. */
int al_live_pages_write(int fd, const void *bytes, size_t count);

#endif
