/*
 * The budget where mlockall locks what is to come (MCL_FUTURE): the kernel brings in every new
 * mapping as a whole, however sparse it is meant to be, and would go on until it kills the program
 * for the memory. So whoever maps asks here first whether there is room. What does not fit is
 * mapped while the kernel locks on fault only, which brings nothing in, and unlocked.
 *
 * What is used is what is resident: locked memory is, and all else that is leaves less for it; and
 * there must be room in the cgroup besides what others there have (headroom.h).
 *
 * Any thread; async-signal safe; errno is untouched.
 */
#ifndef AL_ROOM_H
#define AL_ROOM_H

#include "counters.h"
#include "headroom.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is smaller is not asked for one by one: threads take room for it in chunks of this size, or
 * of less where the cgroup has little left. */
#define AL_ROOM_CHUNK ((size_t)1 << 20)

/* MCL_FUTURE is in force, with `flags` (AL_MCL_…), and at most `budget` bytes are to be used. */
void al_room_begin(unsigned flags, uint64_t budget);

/*
 * That `budget` is not the last word: what `ask` says holds as well, if it is less. It is asked
 * when somebody wants to know for the first time, which many programs never do.
 */
void al_room_begin_asking(unsigned flags, uint64_t budget, uint64_t (*ask)(void));

/*
 * It ends by `end` (NULL: it has ended, or is about to), which tells whether it has, and nobody
 * puts it in force again. Until then whoever maps is still to ask: what the kernel would bring in
 * meanwhile may be too much.
 */
void al_room_end(bool (*end)(void *), void *data);

/* The same where no system call may be made: what the kernel does stays as it is. */
void al_room_stop(void);

/* In a forked child: no other thread is mapping. */
void al_room_forked(void);

bool al_room_limited(void);

/* Whether MCL_FUTURE is in force; the other, and brings pages in. */
bool al_room_in_force(void);
bool al_room_brings_in(void);

/* Bytes of address space that the process has mapped. */
uint64_t al_room_address_space(void);

/* Whether `bytes` more fit; if so, they are taken. Without a limit everything does. */
bool al_room_fits(uint64_t bytes);

/* The same without taking them. */
bool al_room_has(uint64_t bytes);

/*
 * Whether `bytes` more, which the kernel brings in at once, fit. So many that threads which ask at
 * the same time would be told too much together (al_room_is_large()) are held against the others
 * until al_headroom_taken() of `*ret_held`.
 */
bool al_room_fits_at_once(size_t bytes, size_t *ret_held);
bool al_room_is_large(size_t bytes);

/* Whether `bytes` of one region are too many to be brought in for a program that may never touch
 * them (headroom.h). */
bool al_room_is_too_much(size_t bytes, enum al_headroom_part part);

/* Around the call that maps what does not fit, or what is not to be brought in. False: it has
 * ended, or nothing can be done here. */
bool al_room_open(void);
void al_room_close(void);

/* Whether somebody is in between: what is mapped now is locked on fault. */
bool al_room_is_open(void);

/* [start, start + length) was mapped in between, or is to be filled: its whole pages are not to be
 * locked by the kernel. */
void al_room_leave_out(void *start, size_t length);

/* Has all pages of [start, start + length) locked on fault from now on, unless the program itself
 * has locked or unlocked something, or something was left out. False: nothing was changed. */
bool al_room_lock_on_fault(void *start, size_t length);

/*
 * Memory that is to grow by `more` bytes, which the kernel brings in as what it has of it: if that
 * is too much, but fits, all of it is locked on fault from now on. False: nothing was changed.
 */
bool al_room_on_fault_if_much(void *start, size_t length, size_t more);

/* The program has unlocked something itself. */
void al_room_unlocked(void);

/* How often something was left out; how often the program itself has locked or unlocked: who comes
 * later to lock or unlock for it looks whether that has changed. */
struct al_room_changes {
    unsigned left_out;
    unsigned wishes;
};
struct al_room_changes al_room_changes(void);
void al_room_wish(void);

/* Whether nothing was: all that is mapped is locked. */
bool al_room_is_whole(void);

/* [start, start + length) is to become writable: if it is large, leaves it out if it is neither
 * there nor fits, and has it locked on fault if it is too much. Returns the bytes that are held, as
 * above. */
size_t al_room_opening(void *start, size_t length);

/*
 * For a small allocation: takes `size` from the thread's chunk, which is renewed by the next call
 * where it does not suffice.
 */
static inline bool al_room_spend(struct al_counts *counts, size_t size)
{
    uint64_t *room = &counts->part[AL_PART_ROOM];
#if defined(__x86_64__) && defined(__LP64__)
    bool below;

    /* One instruction that takes it and tells whether it was there; if not, it is given back. */
    __asm__("subq %2, %0" : "+m"(*room), "=@ccb"(below) : "er"(size));
    if (__builtin_expect(below, 0))
        *room += size;
    return !below;
#else
    if (__builtin_expect(size > *room, 0))
        return false;
    *room -= size;
    return true;
#endif
}

/* Renews the thread's chunk, with `size` taken from it. False if there is no room for one, or
 * `size` is too much for it. */
bool al_room_renew(struct al_counts *counts, size_t size);

#endif
