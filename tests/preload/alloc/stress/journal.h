/*
 * What the program did, so that a page that is not as it should be can tell its story.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stddef.h>
#include <stdint.h>

void journal_begin(void);

/* `what` is a literal. An event that makes memory available is written after it, others before. */
void journal_add(const char *what, const void *start, size_t length);

/* The last events that touched the page, to standard error. */
void journal_explain(uintptr_t page);

/* The number that the events of this thread are shown with. */
extern __thread unsigned journal_thread;

#endif
