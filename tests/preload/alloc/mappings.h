/*
 * What the scenarios of the mmap family share:
 *
 *   mappings.c         all of them, but
 *   mappings_remap.c   those of mremap
 */
#ifndef MAPPINGS_H
#define MAPPINGS_H

#include "scenario.h"

enum { PAGES = 64, LENGTH = PAGES * PAGE };

static const int anon = MAP_PRIVATE | MAP_ANONYMOUS;
static const int writable = PROT_READ | PROT_WRITE;

static inline char *map_fd(size_t length, int protection, int flags, int fd)
{
    char *start = mmap(NULL, length, protection, flags, fd, 0);

    expect(start != MAP_FAILED);
    return start;
}

static inline char *map(size_t length, int protection, int flags)
{
    return map_fd(length, protection, flags, -1);
}

static inline char *pages(char *start, size_t count)
{
    return start + count * PAGE;
}

void remap_grows(void);
void remap_shrinks(void);
void remap_moves(void);
void remap_leaves(void);
void remap_leaves_in_the_middle(void);
void remap_duplicates(void);
void remap_of_reservation(void);

#endif
