#include "fields.h"

#include <assert.h>

/* -- sections ------------------------------------------------------------------------------- */

enum section {
#define AL_SECTION(id, outer, inner) SECTION_##id,
#define AL_COUNTER(id, key, unit, help)
#define AL_GAUGE(id, key, unit, help)
#include "counters.def"
#undef AL_SECTION
    SECTION_TOTAL
};

/* The longest name of an object, with its end. */
enum { OBJECT_BYTES = 12 };

static const struct {
    char outer[OBJECT_BYTES];
    char inner[OBJECT_BYTES];
} sections[SECTION_TOTAL] = {
#define AL_SECTION(id, outer, inner) {outer, inner},
#include "counters.def"
#undef AL_SECTION
};

#define AL_SECTION(id, outer, inner)                                                               \
    static_assert(sizeof(outer) <= OBJECT_BYTES && sizeof(inner) <= OBJECT_BYTES,                  \
                  "room for the ends");
#include "counters.def"
#undef AL_SECTION
#undef AL_COUNTER
#undef AL_GAUGE

const char *al_field_inner(const struct al_field_row *row)
{
    return sections[row->section].inner;
}

const char *al_field_outer(const struct al_field_row *row)
{
    return sections[row->section].outer;
}

/* -- rows ----------------------------------------------------------------------------------- */

#define AL_SECTION(id, outer, inner)
#define AL_GAUGE(id, key, unit, help) AL_COUNTER(id, key, unit, help)

/* All helps, one behind the other. */
static const struct helps {
#define AL_COUNTER(id, key, unit, help) char id##_##key[sizeof(help)];
#include "counters.def"
#undef AL_COUNTER
} helps = {
#define AL_COUNTER(id, key, unit, help) help,
#include "counters.def"
#undef AL_COUNTER
};

static_assert(sizeof(helps) <= UINT16_MAX, "a row has room for the place of its help");

#define AL_COUNTER(id, key, unit, help)                                                            \
    static_assert(sizeof(#key) <= AL_FIELD_KEY_BYTES, "room for the end");
#include "counters.def"
#undef AL_COUNTER
#undef AL_GAUGE

#define ROW(id, key, unit, counter)                                                                \
    {#key, offsetof(struct helps, id##_##key), counter, AL_UNIT_##unit, SECTION_##id},

const struct al_field_row al_fields[AL_FIELD_TOTAL] = {
#define AL_COUNTER(id, key, unit, help) ROW(id, key, unit, AL_COUNT_##id##_##key)
#define AL_GAUGE(id, key, unit, help)   ROW(id, key, unit, -1)
#include "counters.def"
#undef AL_COUNTER
#undef AL_GAUGE
#undef AL_SECTION
};

const char *al_field_help(const struct al_field_row *row)
{
    return (const char *)&helps + row->help;
}
