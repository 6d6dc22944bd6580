/*
 * The one door to the kernel for everything that locks. Each call is counted and timed, a lock that
 * fails is booked by errno; none touches errno itself. All return 0 or a negative errno.
 * Async-signal safe.
 *
 * Unit tests link a double in place of kernel.c.
 */
#ifndef AL_KERNEL_H
#define AL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel's own values, for headers that are older than Linux 4.4. */
#define AL_MCL_CURRENT   1
#define AL_MCL_FUTURE    2
#define AL_MCL_ONFAULT   4
#define AL_MLOCK_ONFAULT 1

/*
 * Has `on_failure` (NULL: nothing) called for each call that was to lock and failed, with its name
 * and the negative errno. To be set before there are threads.
 */
void al_kernel_watch(void (*on_failure)(const char *call, int error));

/* mlockall(2) with AL_MCL_…; -EINVAL for AL_MCL_ONFAULT before Linux 4.4. */
int al_kernel_mlockall(unsigned flags);

int al_kernel_munlockall(void);

/* What is mapped stays locked, or is from now on, as far as it is in memory; what is to come is
 * not. -EINVAL before Linux 4.4, which is no failure of the report's. */
int al_kernel_keep_all(void);

/* mlock2(2). `flags` is 0 (then it is mlock) or AL_MLOCK_ONFAULT: -ENOSYS before Linux 4.4. */
int al_kernel_mlock2(const void *start, size_t length, unsigned flags);

/* The same to find out what is allowed: a failure is none of the report's. */
int al_kernel_try_mlock2(const void *start, size_t length, unsigned flags);

/*
 * Whether that many bytes may be locked: maps as many, locked and inaccessible, and unmaps them.
 * The kernel holds such a mapping against the limit before it makes it, and cannot bring it in.
 * Counted nowhere. Every kernel knows it. Where there is no room for that, mlock is asked for a
 * range that cannot be.
 */
int al_kernel_try_locked(size_t length);

int al_kernel_munlock(const void *start, size_t length);

/*
 * What the kernel says of [start, start + length), whole pages, when asked by msync(MS_INVALIDATE),
 * which refuses what is locked and does nothing to the rest: -EBUSY, some of it is locked; 0, all
 * is mapped and nothing locked; -ENOMEM, nothing is locked and not all of it mapped.
 */
int al_kernel_ask(const void *start, size_t length);

/* Whether some of it is locked. False where the kernel does not tell. */
bool al_kernel_is_locked(const void *start, size_t length);

int al_kernel_madvise(const void *start, size_t length, int advice);

#endif
