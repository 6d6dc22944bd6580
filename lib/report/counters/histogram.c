#include "histogram.h"

#include <assert.h>
#include <stdbool.h>

/* A bucket stays at about this instead of beginning at 0 again: more threads than there can be may
 * be past the look at it at once. */
static const uint32_t FULL = UINT32_MAX - ((uint32_t)1 << 23);

enum { SUB_BUCKETS = 1 << AL_HISTOGRAM_SUB_BITS };

static_assert(AL_TIMED_TOTAL * sizeof(struct al_histogram) < 65536,
              "little enough to be locked in every process");

/*
 * Below 128 ns each has a bucket of its own. Above, the first seven bits of a duration tell its
 * bucket among those of its power of two.
 */
size_t al_histogram_bucket(uint64_t ns)
{
    unsigned shift;

    if (ns < SUB_BUCKETS)
        return (size_t)ns;
    if (ns >> AL_HISTOGRAM_BITS)
        return AL_HISTOGRAM_BUCKETS - 1;
    shift = 63U - (unsigned)__builtin_clzll(ns) - AL_HISTOGRAM_SUB_BITS;
    return (size_t)shift * SUB_BUCKETS + (size_t)(ns >> shift);
}

uint64_t al_histogram_least(size_t bucket)
{
    size_t shift = bucket < SUB_BUCKETS ? 0 : bucket / SUB_BUCKETS - 1;

    return (uint64_t)(bucket - shift * SUB_BUCKETS) << shift;
}

uint64_t al_histogram_most(size_t bucket)
{
    return bucket == AL_HISTOGRAM_BUCKETS - 1 ? UINT64_MAX : al_histogram_least(bucket + 1) - 1;
}

static uint64_t count_in(const struct al_histogram *histogram, size_t bucket)
{
    return __atomic_load_n(&histogram->bucket[bucket], __ATOMIC_RELAXED);
}

static uint64_t max_of(const struct al_histogram *histogram)
{
    return __atomic_load_n(&histogram->max, __ATOMIC_RELAXED);
}

static void raise_max(struct al_histogram *histogram, uint64_t ns)
{
    uint64_t max = max_of(histogram);

    while (ns > max && !__atomic_compare_exchange_n(&histogram->max, &max, ns, true,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

/* The maximum first: a child that is forked in between knows by it which buckets to look at. */
void al_histogram_record(struct al_histogram *histogram, uint64_t ns)
{
    size_t bucket;

    if (!ns)
        ns = 1; /* shorter than the clock can tell, but it was there */
    bucket = al_histogram_bucket(ns);
    raise_max(histogram, ns);
    if (count_in(histogram, bucket) < FULL)
        __atomic_fetch_add(&histogram->bucket[bucket], 1, __ATOMIC_RELAXED);
}

/* Nothing is counted behind the bucket of the longest, but by who does so at this moment. */
uint64_t al_histogram_count(const struct al_histogram *histogram)
{
    uint64_t max = max_of(histogram);
    size_t end = al_histogram_bucket(max) + 1;
    uint64_t count = 0;

    for (size_t i = 0; max && i < end; i++)
        count += count_in(histogram, i);
    return count;
}

/* In two parts, as a thousand times the count may be too much. */
static uint64_t rank_of(uint64_t count, uint64_t per_mille)
{
    return count / 1000 * per_mille + (count % 1000 * per_mille + 999) / 1000;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * The least durations, as far as buckets tell, that so many of `count` did not exceed. Counts only
 * grow, so that a rank of those that were counted first is found in what is there by then.
 */
static struct al_times times_of(const struct al_histogram *histogram, uint64_t count, uint64_t max)
{
    struct al_times times = {.max_ns = max};
    uint64_t *const percentiles[] = {&times.p50_ns, &times.p99_ns, &times.p999_ns};
    const uint64_t ranks[] = {rank_of(count, 500), rank_of(count, 990), rank_of(count, 999)};
    uint64_t passed = 0;
    size_t found = 0;

    for (size_t i = 0; found < sizeof(ranks) / sizeof(ranks[0]); i++) {
        uint64_t here = count_in(histogram, i);

        if (!here)
            continue;
        passed += here;
        for (; found < sizeof(ranks) / sizeof(ranks[0]) && passed >= ranks[found]; found++)
            *percentiles[found] = lesser(al_histogram_most(i), max);
    }
    return times;
}

struct al_times al_histogram_look(const struct al_histogram *histogram)
{
    uint64_t count = al_histogram_count(histogram);

    return count ? times_of(histogram, count, max_of(histogram)) : (struct al_times){0};
}

void al_histogram_forget(struct al_histogram *histogram)
{
    size_t end = al_histogram_bucket(max_of(histogram)) + 1;

    if (!max_of(histogram))
        return;
    for (size_t i = 0; i < end; i++)
        if (count_in(histogram, i))
            __atomic_store_n(&histogram->bucket[i], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&histogram->max, 0, __ATOMIC_RELAXED);
}
