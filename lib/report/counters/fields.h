/*
 * The rows of counters.def as fields of a report, counters and gauges alike.
 */
#ifndef AL_FIELDS_H
#define AL_FIELDS_H

#include "counters.h"

/* AL_FIELD_locked_kernel_bytes … */
enum al_field {
#define AL_SECTION(id, outer, inner)
#define AL_COUNTER(id, key, unit, help) AL_FIELD_##id##_##key,
#define AL_GAUGE(id, key, unit, help)   AL_FIELD_##id##_##key,
#include "counters.def"
#undef AL_SECTION
#undef AL_COUNTER
#undef AL_GAUGE
    AL_FIELD_TOTAL
};

/* The longest name of a field, with its end. */
enum { AL_FIELD_KEY_BYTES = 24 };

enum al_unit { AL_UNIT_COUNT, AL_UNIT_BYTES, AL_UNIT_NS };

/*
 * A field as the table describes it. There are no pointers in it: the loader would have to write
 * each of them, into memory that no process then shares with others.
 */
struct al_field_row {
    char key[AL_FIELD_KEY_BYTES];
    uint16_t help;   /* see al_field_help() */
    int16_t counter; /* the enum al_counter it is summed from, or -1 for a gauge */
    uint8_t unit;    /* enum al_unit */
    uint8_t section; /* see al_field_inner() */
};

extern const struct al_field_row al_fields[AL_FIELD_TOTAL];

/* The field's object, and "" or the object around that. */
const char *al_field_inner(const struct al_field_row *row);
const char *al_field_outer(const struct al_field_row *row);

/* What the number is, for people. */
const char *al_field_help(const struct al_field_row *row);

#endif
