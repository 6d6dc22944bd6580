/*
 * Counters: each thread counts for itself, in a block of its own, with one plain instruction.
 *
 * Blocks are never freed. A thread that ends gives its block back with the values in it, the next
 * thread goes on counting there, and the sum over all blocks is the sum over all threads that ever
 * were. Counting and attaching take no lock and are async-signal safe.
 */
#ifndef AL_COUNTERS_H
#define AL_COUNTERS_H

#include "hidden.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The counters: AL_COUNT_calls_malloc … */
enum al_counter {
#define AL_SECTION(id, outer, inner)
#define AL_COUNTER(id, key, unit, help) AL_COUNT_##id##_##key,
#define AL_GAUGE(id, key, unit, help)
#include "counters.def"
#undef AL_SECTION
#undef AL_COUNTER
#undef AL_GAUGE
    AL_COUNTER_TOTAL
};

/*
 * Parts: one addition on the shortest ways through malloc and free for what several counters say.
 * al_counters_sum() adds them to these.
 */
enum al_part {
    AL_PART_OWNED_MALLOC, /* a call of malloc, and a live block */
    AL_PART_OWNED_FREE,   /* a call of free, and a live block less */
    AL_PART_OWNED_BYTES,  /* in live blocks */
    AL_PART_SMALL_MALLOC, /* a call of malloc, and a block outside the sizes asked for */
    AL_PART_ROOM,         /* no count: bytes that the thread may allocate before it asks (room.h) */
    AL_PART_TOTAL
};

struct al_counts {
    uint64_t part[AL_PART_TOTAL];
    uint64_t value[AL_COUNTER_TOTAL];
    uint32_t claimed; /* 1 while a thread counts here */
} __attribute__((aligned(64)));

/*
 * The calling thread's block; NULL before its first count and after its end. The model is
 * initial-exec because the library is there from the process's start: no call to find it.
 */
#define al_thread_counts al_thread_slot[AL_SLOT_COUNTS]

/*
 * The block, and beside it, in every thread, NULL: by which of them it looks at, a function finds
 * out with one look whether there is a block, and whether it may count there at all.
 */
enum { AL_SLOT_COUNTS, AL_SLOT_NONE, AL_SLOT_TOTAL };
extern __thread struct al_counts *al_thread_slot[AL_SLOT_TOTAL] AL_HIDDEN
    __attribute__((tls_model("initial-exec")));

/* Counts for a thread that has no block: claims one, or in a thread that has ended adds atomically
 * to a block that all such threads share. */
void al_count_attach(enum al_counter counter, uint64_t amount) __attribute__((cold));

/* One instruction where the processor has one, so that a signal handler cannot fall in between. */
static inline void al_count_up(uint64_t *value, uint64_t amount)
{
#if defined(__x86_64__)
    __asm__ volatile("addq %1, %0" : "+m"(*value) : "er"(amount) : "cc");
#else
    __atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + amount, __ATOMIC_RELAXED);
#endif
}

static inline void al_count_down(uint64_t *value, uint64_t amount)
{
#if defined(__x86_64__)
    __asm__ volatile("subq %1, %0" : "+m"(*value) : "er"(amount) : "cc");
#else
    al_count_up(value, -amount);
#endif
}

/* For several counts in a row: `counts` is al_thread_counts as it was read once, NULL included. */
static inline void al_count_in(struct al_counts *counts, enum al_counter counter, uint64_t amount)
{
    if (__builtin_expect(counts != NULL, 1))
        al_count_up(&counts->value[counter], amount);
    else
        al_count_attach(counter, amount);
}

static inline void al_count_add(enum al_counter counter, uint64_t amount)
{
    al_count_in(al_thread_counts, counter, amount);
}

static inline void al_count(enum al_counter counter)
{
    al_count_add(counter, 1);
}

/* Calls `each` for all blocks, which adds what it wants to know of one. Async-signal safe if that
 * is. */
void al_counters_each(void (*each)(uint64_t *sum, const struct al_counts *counts), uint64_t *sum);

/* The sum of all blocks; exact for threads that have ended or are waiting. */
void al_counters_sum(uint64_t ret_sum[static AL_COUNTER_TOTAL]);

/* Adds one block to `sum`, its parts to the counters that they belong to. */
void al_counters_add_block(uint64_t sum[static AL_COUNTER_TOTAL], const struct al_counts *counts);

/*
 * Called with each newly claimed block, in its thread. Set once, before threads are made, by who
 * can tell when a thread ends; NULL (then blocks of ended threads are not used again).
 */
extern void (*al_counters_on_attach)(struct al_counts *counts);

/* Whether anybody has ever counted. */
bool al_counters_used(void);

/* No thread that is not counting yet ever will: for a library that stays inert. */
void al_counters_stop(void);

/* The calling thread ends: its block can be used by another. */
void al_counters_thread_ends(void);

/*
 * Around a fork, in the thread that calls it. From the first to one of the others it counts in a
 * block that the child does not share with its parent, as all others are (live.h).
 */
void al_counters_before_fork(void);
void al_counters_forked(void); /* in the parent */

/*
 * In a forked child: all counters are zero, and no thread but this one has a block.
 * `ret_before` is what they were before the fork, if that was announced, else what they are.
 */
void al_counters_after_fork(uint64_t ret_before[static AL_COUNTER_TOTAL]);

#endif
