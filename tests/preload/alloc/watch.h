/*
 * What the kernel says of this process's memory, read in one go from /proc/self/smaps. Nothing here
 * allocates or maps, so that looking does not change what is looked at; one thread at a time.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_LINE = 384, WATCH_PAGE = 4096 };

struct vma {
    uintptr_t start;
    uintptr_t end;
    bool locked;           /* "lo" in VmFlags: marked so, resident or not */
    bool accessible;       /* any of r, w and x */
    const char *name;      /* within `line`: a path, "[heap]" or "" */
    char line[WATCH_LINE]; /* its first line, cut */
};

/* Reads the map anew. Pointers from an earlier reading are invalid afterwards. */
void watch_take(void);

/* The mappings of the last reading, ordered by address. */
size_t watch_count(void);
const struct vma *watch_at(size_t index);

/* The mapping with that address, or NULL. */
const struct vma *watch_find(uintptr_t address);

/* The index of the first mapping that ends after the address. */
size_t watch_index_after(uintptr_t address);

/* Bytes in mappings that are marked as locked. */
size_t watch_locked_bytes(void);

/*
 * The first page of [start, end) that is not in memory as the kernel has it now, or `end`. Both are
 * multiples of the page size.
 */
uintptr_t watch_first_absent(uintptr_t start, uintptr_t end);

/* Of the last reading: is every page that [start, start + length) touches marked as locked? */
bool watch_all_locked(const void *start, size_t length);

/* … or none of them? */
bool watch_none_locked(const void *start, size_t length);

/* How many of the pages that the range touches are marked as locked. */
size_t watch_locked_pages(const void *start, size_t length);

#endif
