/*
 * How long things took, as a distribution: buckets that are at most 1/64 (1.6 %) as wide as what is
 * in them, from 1 ns to 68 s, in memory of fixed size. All threads share one histogram, which is
 * for what takes long against an atomic addition.
 *
 * Recording takes no lock and is async-signal safe, as is looking, while others record or not.
 */
#ifndef AL_HISTOGRAM_H
#define AL_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    AL_HISTOGRAM_SUB_BITS = 6, /* a power of two has so many buckets */
    AL_HISTOGRAM_BITS = 36,    /* longer is in the last bucket */
    AL_HISTOGRAM_BUCKETS = (AL_HISTOGRAM_BITS - AL_HISTOGRAM_SUB_BITS + 1) << AL_HISTOGRAM_SUB_BITS
};

/* A histogram is 8 KiB, and all of the library is in memory where all is locked: few are had. */
struct al_histogram {
    uint64_t max;
    uint32_t bucket[AL_HISTOGRAM_BUCKETS];
};

enum al_timed {
    AL_TIMED_mlockall, /* the first: the others are not memory before they are used (times.h) */
    AL_TIMED_mlock2,
    AL_TIMED_munlock,
    AL_TIMED_madvise,
    AL_TIMED_msync,
    AL_TIMED_hooks, /* calls of the program that the library was slow in */
    AL_TIMED_TOTAL
};

/* All 0 where nothing was recorded. */
struct al_times {
    uint64_t p50_ns; /* half of all took this long at the most, within the width of a bucket */
    uint64_t p99_ns;
    uint64_t p999_ns;
    uint64_t max_ns; /* exact */
};

void al_histogram_record(struct al_histogram *histogram, uint64_t ns);

/* p50 <= p99 <= p999 <= max, whoever records meanwhile. */
struct al_times al_histogram_look(const struct al_histogram *histogram);

/* How many were recorded. */
uint64_t al_histogram_count(const struct al_histogram *histogram);

/* Nothing has been recorded. Does not write where there is nothing to change. */
void al_histogram_forget(struct al_histogram *histogram);

/* Where a duration is counted, and the shortest and the longest that are counted there. */
size_t al_histogram_bucket(uint64_t ns);
uint64_t al_histogram_least(size_t bucket);
uint64_t al_histogram_most(size_t bucket);

#endif
