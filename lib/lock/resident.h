/*
 * What of a range is in memory.
 */
#ifndef AL_RESIDENT_H
#define AL_RESIDENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Pages of [start, start + length), whole pages, that are there: of private memory those that the
 * process has, of files those in the page cache. What is not mapped is not there. One system call
 * for 4 MiB. Async-signal safe.
 */
uint64_t al_resident_pages(const void *start, size_t length);

#endif
