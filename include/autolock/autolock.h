/*
 * libautolock, for programs that want to help.
 *
 * Everything here is weak: a program that uses it needs no library to be linked, and runs the same
 * when libautolock.so is not preloaded. Then the functions do not exist, and their names are NULL:
 *
 *     if (autolock_version)
 *         printf("locked by libautolock %s\n", autolock_version());
 */
#ifndef AUTOLOCK_AUTOLOCK_H
#define AUTOLOCK_AUTOLOCK_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of the preloaded library, such as "0.1.0": a string that is never freed. Safe in any
 * thread and in signal handlers.
 */
const char *autolock_version(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
