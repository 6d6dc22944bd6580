/*
 * What the others in the cgroup leave. The budget is of one process; several of a container, each
 * within its own, would together bring in more than the container may have, and be killed. So
 * before memory is brought in the cgroup is asked how much of its own is in use.
 *
 * Any thread; async-signal safe; errno is untouched.
 */
#ifndef AL_HEADROOM_H
#define AL_HEADROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on no more is to be in use than `percent` of the cgroup's limit, if it has one. With the
 * limit that it had before only what is known of its use is forgotten. */
void al_headroom_begin(uint64_t limit, unsigned percent);

/* Nobody is asked any more: everything has room. */
void al_headroom_end(void);

/* Bytes that may be brought in now; UINT64_MAX without a limit, or where it is not known. */
uint64_t al_headroom_left(void);

/* Whether `bytes` more may be brought in; if so, they are taken to be. */
bool al_headroom_has(uint64_t bytes);

/*
 * The same for much at once, more than al_headroom_share(), by several threads at the same time:
 * what one is told is held against the others until it says that it is there, or never will be, by
 * al_headroom_taken() of the same number of bytes.
 */
bool al_headroom_take(uint64_t bytes);
void al_headroom_taken(uint64_t bytes);

/* What was told in advance, and is not used up yet, is held against all: `bytes` says how much that
 * is. NULL: nothing was. */
void al_headroom_hold_back(uint64_t (*bytes)(void));

/* In a forked child: no other thread is bringing anything in. */
void al_headroom_forked(void);

/*
 * The same for what is only to come when it is touched, where the kernel could otherwise drop it
 * again, as files, or swap it: several may find room for theirs before any of it is there.
 */
bool al_headroom_has_later(uint64_t bytes);

/* Whether what nobody may touch is to leave room for what is touched (see below), from now on. */
void al_headroom_spare(bool on);

/*
 * Whether `bytes` may be brought in before anybody touches them, which may never happen: what is
 * touched has to find room as well. So one region takes no more than a part of what is left (1/8;
 * of a thread's stack most is never touched, 1/64), and all of them leave half of what may be in
 * use. Where it may swap as much as it may have it need not: what is not locked finds room there,
 * and what is to be locked as it is touched does not. It is looked at each time. Of
 * AL_HEADROOM_LARGE bytes and more the machine is asked, too: they take no more than 90 % of what
 * it has available.
 */
#define AL_HEADROOM_LARGE ((uint64_t)64 << 20)
enum al_headroom_part { AL_HEADROOM_REGION = 8, AL_HEADROOM_STACK = 64 };
bool al_headroom_spares(uint64_t bytes, enum al_headroom_part part);

/* Whether what is not locked, and has no room, is swapped. */
bool al_headroom_swaps(void);

/* How much may be taken at once, or in advance: `most`, or less where the cgroup has little left.
 */
size_t al_headroom_share(size_t most);

#endif
