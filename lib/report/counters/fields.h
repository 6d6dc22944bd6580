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

enum al_unit { AL_UNIT_COUNT, AL_UNIT_BYTES, AL_UNIT_NS };

/* A field as the table describes it. */
struct al_field_row {
    const char *outer; /* "" or the object around the field's object */
    const char *inner; /* the field's object */
    const char *key;
    const char *help;
    enum al_unit unit;
    int counter; /* the enum al_counter it is summed from, or -1 for a gauge */
};

extern const struct al_field_row al_fields[AL_FIELD_TOTAL];

#endif
