/*
 * Everything that is counted, in one piece of memory that can be seen from outside.
 *
 * The library counts in al_live, on pages of their own. Early in the process they are put into a
 * memfd of the name AL_LIVE_NAME, or into a file (AUTOLOCK_LIVE_DIR), at the same address: pointers
 * into them stay good. Who reads needs no help from the process: each value is one aligned word, or
 * a text that is written before the state says so. docs/live.md has the layout, which is fixed for
 * each AL_LIVE_LAYOUT.
 *
 * A child of fork would share these pages: al_live_forked() gives it its own.
 */
#ifndef AL_LIVE_H
#define AL_LIVE_H

#include "counters.h"
#include "fields.h"
#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_LIVE_NAME   "autolock-live"
#define AL_LIVE_MAGIC  "autolock"

/* What the directory's name begins with that `autolock run` makes for one run. */
#define AL_LIVE_OF_RUN "autolock-run-"

enum {
    AL_LIVE_LAYOUT = 1,  /* another one: another layout */
    AL_LIVE_BLOCKS = 10, /* what fits into the pages that there are anyway */
    AL_DOWNGRADES_MAX = 16,
    AL_DOWNGRADE_BYTES = 248
};

/* The largest page any processor has here. */
#if defined(__x86_64__) || defined(__i386__)
#    define AL_LIVE_ALIGNMENT 4096
#else
#    define AL_LIVE_ALIGNMENT 65536
#endif

enum al_live_state {
    AL_LIVE_BEGINNING,
    AL_LIVE_RUNNING,
    AL_LIVE_ENDED /* `ended` says how; the process may be there for a moment, or survive an abort */
};

struct al_downgrade {
    uint64_t when_ns; /* since the library's start */
    char reason[AL_DOWNGRADE_BYTES];
};

/* Before further blocks, for more threads, which follow it. */
struct al_slab {
    uint64_t next;        /* address of the next one; 0: there is none */
    uint64_t next_offset; /* where that stands in the file; 0: it does not */
    uint64_t blocks;
    uint64_t offset; /* where this one does; 0: it is private memory */
    char fill[32];
};

struct al_live_head {
    char magic[8];
    uint32_t layout;
    uint32_t state; /* enum al_live_state */
    char version[16];

    /* Where the rest is, from the beginning, in bytes. */
    uint32_t total_bytes;
    uint32_t field_offset;
    uint32_t field_count;
    uint32_t downgrade_offset;
    uint32_t downgrade_stride;
    uint32_t histogram_offset;
    uint32_t histogram_stride;
    uint32_t histogram_count;
    uint32_t block_offset;
    uint32_t block_stride;
    uint32_t block_count;
    uint32_t part_count;
    uint32_t counter_count;
    uint32_t page_bytes;

    int32_t pid;
    int32_t ppid;           /* 0: not known */
    uint32_t locked;        /* 1: the file is locked (flock) for as long as the process is there */
    uint32_t timed;         /* a bit for each histogram that something was recorded in */
    uint64_t began_ns;      /* CLOCK_MONOTONIC */
    uint64_t began_real_ns; /* CLOCK_REALTIME */
    char backend[8] __attribute__((aligned(8)));
    char ended[16];
    char program[256];
    char command[2048];
    char options[4096]; /* NAME=value for each that was given, each terminated; an empty one ends */

    uint64_t downgrade_count;
    struct al_downgrade downgrade[AL_DOWNGRADES_MAX];

    uint64_t field[AL_FIELD_TOTAL]; /* gauges as they were when last looked at, or changed */
    uint64_t minor_at_lock;         /* page faults when the lock at start was done */
    uint64_t major_at_lock;
    uint64_t minor_at_mark; /* and at the last autolock_mark, if there was one */
    uint64_t major_at_mark;
    struct al_slab slab; /* how more blocks are found; its own are those of the area */
    uint64_t lock_ns;    /* when the lock at start was done, CLOCK_MONOTONIC; 0: not yet */
    uint64_t mark_ns;    /* and the last autolock_mark, else the same */
};

struct al_live {
    struct al_live_head head;
    struct al_counts shared; /* counted atomically, by threads that have no block of their own */
    struct al_counts block[AL_LIVE_BLOCKS];
    struct al_histogram histogram[AL_TIMED_TOTAL];
} __attribute__((aligned(AL_LIVE_ALIGNMENT)));

/* So many bytes, whole pages, every process uses. What follows is of histograms in which nothing
 * may ever be recorded: it need not be readable (times.h). */
#define AL_LIVE_USUAL                                                                              \
    ((offsetof(struct al_live, histogram[1]) + AL_LIVE_ALIGNMENT - 1) &                            \
     ~(size_t)(AL_LIVE_ALIGNMENT - 1))

/* Whether the histogram can be read, and holds anything. */
static inline bool al_live_has_times(const struct al_live *live, enum al_timed timed)
{
    return __atomic_load_n(&live->head.timed, __ATOMIC_ACQUIRE) >> timed & 1;
}

extern struct al_live al_live AL_HIDDEN;

/* What the process is known by, for who finds the counters without it. */
struct al_live_start {
    int32_t pid;
    const char *program;
    const char *directory; /* where the file goes; "": nowhere */
};

/*
 * Puts the counters into a memfd before anything is written to them, which need not be copied then;
 * not if somebody has counted. Before al_live_begin(), where there is to be no file.
 */
void al_live_take_place(void);

/*
 * Makes the counters visible, with the command line and the options that have been written to
 * al_live.head before. Returns 0, or the negative errno of the file, in whose place there is
 * a memfd then. Where even that cannot be had they stay private, and all else is as it would be.
 * Before there are threads.
 */
int al_live_begin(const struct al_live_start *start);

/* Who locks, as the report has it. */
void al_live_set_backend(const char *backend);

/* A gauge has changed, or was looked at. */
void al_live_set(enum al_field field, uint64_t value);

/*
 * In a forked child, before anything is counted: pages of its own, with what they hold. False:
 * there is no memory, and nothing may be counted. The other, when they hold what is the child's: a
 * file of its own, if its parent has one.
 */
bool al_live_forked(int32_t pid);
void al_live_show_forked(void);

/* Faults "after the lock" and "after the mark" are counted from these, and from now on. */
void al_live_set_lock(uint64_t minor, uint64_t major);
void al_live_set_mark(uint64_t minor, uint64_t major);

/* Whether there is a file, which outlives the process. */
bool al_live_in_file(void);

/* The process ends, in this way. It may go on after all. */
void al_live_finish(const char *ended);
void al_live_resume(void);

/* More memory that is seen in the same way, zeroed; NULL: there is none. `ret_offset` is where it
 * stands in the file, 0 if it does not. */
void *al_live_extend(size_t bytes, uint64_t *ret_offset);

#endif
