/*
 * madvise(2) on memory that is locked for us, where the kernel refuses it (EINVAL) although the
 * program, which knows of no lock, may count on it: allocators and runtimes rely on MADV_DONTNEED
 * giving zeroed pages, and abort or leak when it fails.
 */
#ifndef AL_ADVISE_H
#define AL_ADVISE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the kernel refuses `advice` on locked memory as such. */
bool al_advise_is_refused(int advice);

/*
 * Does what `advice`, one of those, promises, and leaves the memory locked (on fault, where new
 * pages have yet to come). Returns 0, or -EINVAL where the lock was not the cause.
 */
int al_advise_locked(void *start, size_t length, int advice);

#endif
