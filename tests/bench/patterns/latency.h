/* Times of single operations, and what is said of them. */
#ifndef LATENCY_H
#define LATENCY_H

#include "pattern.h"

struct latencies {
    uint32_t *ns;
    size_t count;
};

/* All of it is written here, so that noting a time is not what is slow. */
static inline struct latencies latencies_of(size_t count)
{
    struct latencies of = {malloc(count * sizeof(*of.ns)), count};

    if (!of.ns)
        die("out of memory");
    for (size_t i = 0; i < count; i++)
        of.ns[i] = UINT32_MAX;
    return of;
}

static inline void note_latency(struct latencies *of, size_t index, uint64_t ns)
{
    of->ns[index] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static int compare_ns(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

/* The smallest time that `permille` of a thousand do not pass. */
static inline double permille_ns(const struct latencies *of, size_t permille)
{
    return of->ns[(of->count * permille + 999) / 1000 - 1];
}

/* One line, in nanoseconds: p50, p99, p99.9, the longest. */
static inline void print_latencies(struct latencies *of)
{
    qsort(of->ns, of->count, sizeof(*of->ns), compare_ns);
    printf("%.0f %.0f %.0f %.0f\n", permille_ns(of, 500), permille_ns(of, 990),
           permille_ns(of, 999), permille_ns(of, 1000));
}

#endif
