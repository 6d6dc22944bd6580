/*
 * What is said of a range by a few of its pages.
 *
 * Any thread; async-signal safe; errno is untouched.
 */
#ifndef AL_PAGE_SAMPLE_H
#define AL_PAGE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether most of the range is in memory that the process has to itself. What it shares with files,
 * or with all that has only been read, is copied where it is written to.
 */
bool al_page_sample_own(void *start, size_t length);

/* Whether it is mapped in this process, whoever's it is. */
bool al_page_sample_mapped(void *start, size_t length);

#endif
