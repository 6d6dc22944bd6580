/*
 * Reproducible numbers: xorshift64*.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline struct random random_from(uint64_t seed, uint64_t stream)
{
    struct random random = {(seed + 1) * 0x9E3779B97F4A7C15U ^ (stream + 1) * 0xBF58476D1CE4E5B9U};

    if (!random.state)
        random.state = 1;
    return random;
}

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545F4914F6CDD1DU;
}

/* One of 0 … below - 1. */
static inline size_t random_below(struct random *random, size_t below)
{
    return (size_t)((random_next(random) >> 16) % below);
}

static inline int random_percent(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

#endif
