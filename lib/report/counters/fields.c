#include "fields.h"

/* The objects' names by the id that stands in each row. */
#define AL_SECTION(id, outer, inner)                                                               \
    static const char outer_of_##id[] = outer;                                                     \
    static const char inner_of_##id[] = inner;
#define AL_COUNTER(id, key, unit, help)
#define AL_GAUGE(id, key, unit, help)
#include "counters.def"
#undef AL_SECTION
#undef AL_COUNTER
#undef AL_GAUGE

const struct al_field_row al_fields[AL_FIELD_TOTAL] = {
#define AL_SECTION(id, outer, inner)
#define AL_COUNTER(id, key, unit, help)                                                            \
    {outer_of_##id, inner_of_##id, #key, help, AL_UNIT_##unit, AL_COUNT_##id##_##key},
#define AL_GAUGE(id, key, unit, help)                                                              \
    {outer_of_##id, inner_of_##id, #key, help, AL_UNIT_##unit, -1},
#include "counters.def"
#undef AL_SECTION
#undef AL_COUNTER
#undef AL_GAUGE
};
