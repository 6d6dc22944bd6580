/*
 * System calls behind the library's back, for the checkers of this folder: what they use for
 * themselves is neither seen nor counted nor locked by what they check.
 */
#ifndef RAW_H
#define RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Zeroed memory for ever, brought in on first touch; ends the program when there is none. */
static inline void *raw_memory(size_t size)
{
    void *memory = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

    if (memory == MAP_FAILED)
        _exit(1);
    return memory;
}

#endif
