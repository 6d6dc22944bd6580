/*
 * The report's numbers as Prometheus groups them: the rows of counters.def by families of metrics,
 * which families.def lists.
 */
#ifndef AL_FAMILIES_H
#define AL_FAMILIES_H

#include "fields.h"
#include "text.h"

enum al_family_type { AL_FAMILY_COUNTER, AL_FAMILY_GAUGE, AL_FAMILY_SUMMARY };

/* What a row is in its family. A counter or gauge has values alone, a summary the others. */
enum al_sample {
    AL_SAMPLE_VALUE,
    AL_SAMPLE_P50,
    AL_SAMPLE_P99,
    AL_SAMPLE_P999,
    AL_SAMPLE_SUM,
    AL_SAMPLE_COUNT,
    AL_SAMPLE_TOTAL
};

/*
 * A row is named like "calls.malloc" or "syscalls.mlock2.p50_ns", and belongs to the first family
 * with a pattern for it, in which one * may stand for one part of the name or a piece of it.
 */
struct al_family {
    uint16_t type; /* enum al_family_type */
    /* Where the texts are: without pointers the loader has nothing to write. */
    uint16_t name;
    uint16_t label;
    uint16_t help;
    uint16_t pattern[AL_SAMPLE_TOTAL];
};

extern const struct al_family al_families[];
extern const size_t al_family_count;

/* Its name as it stands in families.def, the label, and the pattern of what is such a sample in it:
 * "" for none. */
const char *al_family_name(const struct al_family *family);
const char *al_family_label(const struct al_family *family);
const char *al_family_pattern(const struct al_family *family, enum al_sample sample);

/* Where a row belongs. */
struct al_membership {
    const struct al_family *family; /* NULL: nowhere, which a test rules out */
    enum al_sample sample;
    char star[48]; /* what the * of the pattern stands for, "" if there is none */
};

struct al_membership al_family_find(const struct al_field_row *row);

/* Whether each row of the family is a metric by itself. */
bool al_family_is_many(const struct al_family *family);

/* Appends the name of the metric, and its help. */
void al_family_print_name(struct al_text *text, const struct al_membership *member);
const char *al_family_help(const struct al_membership *member, const struct al_field_row *row);

/* "counter", "gauge" or "summary" */
const char *al_family_type_name(const struct al_family *family);

#endif
