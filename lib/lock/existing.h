/*
 * What is mapped when locking begins: judged by the kernel's map of the process, and locked in the
 * order that serves latency, in case the budget ends before the memory does: program and libraries,
 * stacks, heap, other mappings, files.
 */
#ifndef AL_EXISTING_H
#define AL_EXISTING_H

#include <stdbool.h>
#include <stdint.h>

struct al_existing {
    bool take; /* lock what qualifies; else only remember what is there */
    /* Threads run and blocks are counted already. No lock of the loader's may be waited for then:
     * images count as files. */
    bool late;
    bool kept;            /* late: all is locked as yet, and what is not booked then is not to be */
    uintptr_t main_start; /* out: first byte of the main heap, 0 if there is none */
};

/*
 * By the policy in al_books. Once. Returns 0, or the negative errno of the first lock that could
 * not be had or of reading the map.
 */
int al_existing_lock(struct al_existing *existing);

/* Books the main stack, if it is locked, as it is now: it has grown, and what is new is as locked.
 * With the gate. */
void al_existing_follow_stack(void);

/* Unlocks the main stack: locked, it could grow no further than the limit. */
void al_existing_let_stack_grow(void);

/* First byte of the main heap, 0 if there is none. */
uintptr_t al_existing_main_heap(void);

/* The end of the segment of the program, or one of its libraries, that the address lies in; 0 if
 * there is none. Asks the loader. */
uintptr_t al_existing_image_end(uintptr_t address);

#endif
