/* The limit of locked memory of a process, by the kernel's list of its limits. */
#ifndef AL_COMMAND_MEMLOCK_H
#define AL_COMMAND_MEMLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* `path`: /proc/PID/limits. In bytes, UINT64_MAX: none. False: it is not known. */
bool memlock_read(const char *path, uint64_t *ret_soft, uint64_t *ret_hard);

#endif
