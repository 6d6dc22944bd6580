#include "families.h"

#include <string.h>

#include <assert.h>

/* All texts, one behind the other. */
static const struct texts {
#define AL_FAMILY(id, name, TYPE, label, help, pattern)                                            \
    char id##_name[sizeof(name)];                                                                  \
    char id##_label[sizeof(label)];                                                                \
    char id##_help[sizeof(help)];                                                                  \
    char id##_pattern[sizeof(pattern)];
#define AL_SUMMARY(id, name, label, help, p50, p99, p999, sum, count)                              \
    char id##_name[sizeof(name)];                                                                  \
    char id##_label[sizeof(label)];                                                                \
    char id##_help[sizeof(help)];                                                                  \
    char id##_p50[sizeof(p50)];                                                                    \
    char id##_p99[sizeof(p99)];                                                                    \
    char id##_p999[sizeof(p999)];                                                                  \
    char id##_sum[sizeof(sum)];                                                                    \
    char id##_count[sizeof(count)];
#include "families.def"
#undef AL_FAMILY
#undef AL_SUMMARY
    char none[1];
} texts = {
#define AL_FAMILY(id, name, TYPE, label, help, pattern) name, label, help, pattern,
#define AL_SUMMARY(id, name, label, help, p50, p99, p999, sum, count)                              \
    name, label, help, p50, p99, p999, sum, count,
#include "families.def"
#undef AL_FAMILY
#undef AL_SUMMARY
    ""};

static_assert(sizeof(texts) <= UINT16_MAX, "a family has room for the places of its texts");

#define AT(text) offsetof(struct texts, text)

const struct al_family al_families[] = {
#define AL_FAMILY(id, name, TYPE, label, help, pattern)                                            \
    {AL_FAMILY_##TYPE,                                                                             \
     AT(id##_name),                                                                                \
     AT(id##_label),                                                                               \
     AT(id##_help),                                                                                \
     {AT(id##_pattern), AT(none), AT(none), AT(none), AT(none), AT(none)}},
#define AL_SUMMARY(id, name, label, help, p50, p99, p999, sum, count)                              \
    {AL_FAMILY_SUMMARY,                                                                            \
     AT(id##_name),                                                                                \
     AT(id##_label),                                                                               \
     AT(id##_help),                                                                                \
     {AT(none), AT(id##_p50), AT(id##_p99), AT(id##_p999), AT(id##_sum), AT(id##_count)}},
#include "families.def"
#undef AL_FAMILY
#undef AL_SUMMARY
};

const size_t al_family_count = sizeof(al_families) / sizeof(al_families[0]);

static const char *text_at(uint16_t place)
{
    return (const char *)&texts + place;
}

const char *al_family_name(const struct al_family *family)
{
    return text_at(family->name);
}

const char *al_family_label(const struct al_family *family)
{
    return text_at(family->label);
}

const char *al_family_pattern(const struct al_family *family, enum al_sample sample)
{
    return text_at(family->pattern[sample]);
}

/* Whether the pattern is one for the name; what its * stands for. */
static bool matches(const char *pattern, const struct al_text *name, struct al_text *star)
{
    const char *asterisk = strchr(pattern, '*');
    size_t before = asterisk ? (size_t)(asterisk - pattern) : 0;
    size_t behind = asterisk ? strlen(asterisk + 1) : 0;
    const char *middle = name->at + before;
    size_t length;

    if (!asterisk)
        return strcmp(pattern, name->at) == 0;
    if (name->length <= before + behind || memcmp(pattern, name->at, before) != 0 ||
        strcmp(asterisk + 1, name->at + name->length - behind) != 0)
        return false;
    length = name->length - before - behind;
    if (memchr(middle, '.', length))
        return false;
    al_text_bytes(star, middle, length);
    return true;
}

struct al_membership al_family_find(const struct al_field_row *row)
{
    struct al_membership member = {0};
    struct al_text star = al_text_over(member.star, sizeof(member.star));
    char bytes[96];
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, al_field_outer(row));
    al_text_string(&name, *al_field_outer(row) ? "." : "");
    al_text_string(&name, al_field_inner(row));
    al_text_char(&name, '.');
    al_text_string(&name, row->key);
    for (size_t i = 0; i < al_family_count; i++) {
        for (unsigned sample = 0; sample < AL_SAMPLE_TOTAL; sample++) {
            const char *pattern = al_family_pattern(&al_families[i], sample);

            if (!*pattern || !matches(pattern, &name, &star))
                continue;
            member.family = &al_families[i];
            member.sample = (enum al_sample)sample;
            return member;
        }
    }
    return member;
}

bool al_family_is_many(const struct al_family *family)
{
    return strchr(al_family_name(family), '*') != NULL;
}

void al_family_print_name(struct al_text *text, const struct al_membership *member)
{
    const char *name = al_family_name(member->family);
    const char *asterisk = strchr(name, '*');

    if (!asterisk) {
        al_text_string(text, name);
        return;
    }
    al_text_bytes(text, name, (size_t)(asterisk - name));
    al_text_string(text, member->star);
    al_text_string(text, asterisk + 1);
}

const char *al_family_help(const struct al_membership *member, const struct al_field_row *row)
{
    const char *help = text_at(member->family->help);

    return *help ? help : al_field_help(row);
}

const char *al_family_type_name(const struct al_family *family)
{
    switch ((enum al_family_type)family->type) {
    case AL_FAMILY_COUNTER:
        return "counter";
    case AL_FAMILY_GAUGE:
        return "gauge";
    case AL_FAMILY_SUMMARY:
        break;
    }
    return "summary";
}
