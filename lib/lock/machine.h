/*
 * The machine's memory.
 */
#ifndef AL_MACHINE_H
#define AL_MACHINE_H

#include <stdint.h>

/* Bytes of memory that the machine has; UINT64_MAX if that is not known. Async-signal safe. */
uint64_t al_machine_memory(void);

/* Bytes of swap that the machine has; 0 if that is not known. Async-signal safe. */
uint64_t al_machine_swap(void);

/* Bytes that can be had without swapping (MemAvailable), for anybody; UINT64_MAX if that is not
 * known. Some 20 us. Async-signal safe. */
uint64_t al_machine_available(void);

#endif
