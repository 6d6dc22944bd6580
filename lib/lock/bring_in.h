/*
 * Large regions, brought in faster than by the lock alone: with huge pages (AUTOLOCK_HUGEPAGES),
 * and by several threads (AUTOLOCK_POPULATE_THREADS). The lock that follows finds the pages there.
 *
 * For private anonymous memory that can be written to: it gets the pages that the lock would have
 * given it, and huge ones only where the region covers them whole. Async-signal safe; errno is
 * untouched.
 */
#ifndef AL_BRING_IN_H
#define AL_BRING_IN_H

#include <stdbool.h>
#include <stddef.h>

/* Smaller regions are not worth it. */
#define AL_BRING_IN_LEAST ((size_t)4 << 20)

/* Sets what is asked for. Without a call, and with false and 1, nothing is worth it. */
void al_bring_in_begin(bool huge, unsigned threads);

/* Whether there is anything to do better for a region of `length` bytes. */
bool al_bring_in_is_worth(size_t length);

/*
 * Brings in the whole pages of [start, start + length), or with `on_fault` prepares them for being
 * brought in on first touch. What cannot be had this way is left to the lock.
 */
void al_bring_in(const void *start, size_t length, bool on_fault);

/* What exists: every region that is worth it. */
void al_bring_in_existing(void);

#endif
