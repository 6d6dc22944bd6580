/*
 * Mappings as owners of pages, where the hooks lock: judged when they appear, become accessible or
 * change their size. The hooks call the functions below around the real calls; what takes memory
 * away is told before it, so that the addresses cannot be used again in between.
 *
 * Any thread; errno is untouched. Without al_books.tracking they do nothing, but for what
 * the program locks itself (al_region_program_…) and al_region_backing.
 */
#ifndef AL_REGIONS_H
#define AL_REGIONS_H

#include "books.h"
#include "maps.h"

#include <stdbool.h>
#include <stddef.h>

/* A new mapping, wherever it lies: what was known of the addresses is gone. */
void al_region_mapped(const void *start, size_t length, unsigned kind, bool accessible);

/*
 * The same of one that makes no claim to memory (MAP_NORESERVE). From AL_SPARSE_BYTES on it is
 * taken for a reservation, most of which will never be used: it is locked on fault where no limit
 * holds, and else judged when its protection changes.
 */
#define AL_SPARSE_BYTES ((size_t)64 << 20)
void al_region_mapped_sparse(const void *start, size_t length, unsigned kind, bool accessible);

/*
 * A region of `length` bytes begins in the middle of the page at `start`, the rest of which belongs
 * to others: that page is owned as well, if the region qualifies.
 */
void al_region_joined(const void *start, size_t length, unsigned kind);

/* The kind that mmap's arguments make. */
unsigned al_region_kind(int flags);

/* The kind of a mapping as the kernel lists it; segments of the program and its libraries are
 * files. */
unsigned al_mapping_kind(const struct al_mapping *mapping);

/* The memory behind an allocator's own bookkeeping: nothing is known of it, and it is not judged.
 */
void al_region_backing(const void *start, size_t length);

/* Is about to be unmapped, for whatever reason. */
void al_region_unmapping(const void *start, size_t length);

/* The unmapping announced before has failed: judges what the kernel says is there. */
void al_region_still_mapped(const void *start, size_t length);

/*
 * The protection has been changed: reservations that became accessible are judged, unless they
 * stand behind an allocator's blocks (`backing`).
 */
void al_region_protected(const void *start, size_t length, bool accessible, bool backing);

/* What is known of the mapping that [start, start + length) is a part of. */
struct al_region_state {
    unsigned kind; /* as it was judged, or is to be; 0: unknown, or of no kind that is asked for */
    bool closed;   /* inaccessible */
    bool
        program; /* the program itself has locked some of it, and so the kernel all that it gains */
};

struct al_region_state al_region_state_at(const void *start, size_t length);

/*
 * A mapping is about to grow, where it lies or elsewhere: the kernel brings in all that a locked
 * one gains. Where that does not fit, into the budget or the cgroup, it is unlocked. Returns the
 * bytes that are held against other threads, until al_headroom_taken() of them.
 */
size_t al_region_growing(const void *start, size_t length, size_t new_length);

/* mremap has put a mapping, which had this state, here; the lock has come with it. */
void al_region_moved(const void *start, size_t length, struct al_region_state state);

/*
 * mremap is about to take the pages away and leave the mapping (MREMAP_DONTUNMAP). The kernel takes
 * the lock from the whole of its own mapping then, neighbours that it has merged included, so the
 * range is made one by itself before.
 */
void al_region_emptying(const void *start, size_t length);

/* The pages of the range are gone, the locks are there: they are not in memory until asked for. */
void al_region_emptied(const void *start, size_t length);

/* How long the kernel's mapping that begins at `start` is; 0 if there is none. */
size_t al_region_length_at(const void *start);

/* The program itself has locked, or unlocked, a range. */
void al_region_program_locked(const void *start, size_t length);
void al_region_program_unlocked(const void *start, size_t length);

/* Whether the program itself has locked any of a range. */
bool al_region_program_has(const void *start, size_t length);

/* The program itself has locked everything (mlockall), or released everything (munlockall). */
void al_region_program_locked_all(void);
void al_region_program_unlocked_all(void);

#endif
