/*
 * What of a range is in memory.
 */
#ifndef AL_RESIDENT_H
#define AL_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pages of [start, start + length), whole pages, that are there: of private memory those that the
 * process has, of files those in the page cache. What is not mapped is not there. One system call
 * for 4 MiB. Async-signal safe.
 */
uint64_t al_resident_pages(const void *start, size_t length);

/*
 * How many bytes from `start` on, at most `length` of whole pages, are all there or all not, and
 * which. At most 4 MiB at once. Async-signal safe.
 */
size_t al_resident_stretch(const void *start, size_t length, bool *ret_there);

#endif
