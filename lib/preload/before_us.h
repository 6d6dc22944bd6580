/*
 * What exists when our constructor runs.
 */
#ifndef AL_BEFORE_US_H
#define AL_BEFORE_US_H

#include <stdint.h>

/*
 * Bytes of address space that may be brought in by a lock of all that exists: the program may have
 * reserved terabytes for its variables, and who runs before us may have mapped anything, unseen as
 * well (a large malloc, a bare system call). Only then the kernel is asked.
 */
uint64_t al_before_us_bytes(void);

#endif
