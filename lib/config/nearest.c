#include "nearest.h"

#include <string.h>

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* ASCII only: bit 5 tells the cases of a letter apart, and '_' from nothing we name. */
static unsigned differs(char a, char b)
{
    return (a | 0x20) != (b | 0x20);
}

/* Levenshtein's distance, one row at a time. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[AL_NEAREST_MAX + 1];

    for (unsigned i = 0; i <= b_length; i++)
        row[i] = i;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs(a[i - 1], b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_length];
}

void al_nearest_offer(struct al_nearest *nearest, const char *typed, const char *candidate)
{
    size_t typed_length = strnlen(typed, AL_NEAREST_MAX + 1);
    size_t candidate_length = strnlen(candidate, AL_NEAREST_MAX + 1);
    unsigned distance;

    if (typed_length > AL_NEAREST_MAX || candidate_length > AL_NEAREST_MAX)
        return;
    distance = edit_distance(typed, typed_length, candidate, candidate_length);
    /* A third of the word may be wrong; beyond that a suggestion confuses. */
    if (distance > (candidate_length + 2) / 3 || distance >= nearest->distance)
        return;
    nearest->best = candidate;
    nearest->distance = distance;
}
