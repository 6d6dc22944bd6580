#include "emit.h"

#include "downgrades.h"
#include "families.h"

#include <string.h>

static void begin_metric(struct al_text *text, const char *name, const char *type, const char *help)
{
    al_text_string(text, "# HELP ");
    al_text_string(text, name);
    al_text_char(text, ' ');
    al_text_string(text, help);
    al_text_string(text, "\n# TYPE ");
    al_text_string(text, name);
    al_text_char(text, ' ');
    al_text_string(text, type);
    al_text_char(text, '\n');
}

static void add_label(struct al_text *text, const char *name, const char *value)
{
    char before = text->at[text->length - 1];

    if (before != '{')
        al_text_char(text, ',');
    al_text_string(text, name);
    al_text_char(text, '=');
    al_text_label(text, value);
}

static void add_number_label(struct al_text *text, const char *name, int64_t value)
{
    char bytes[24];
    struct al_text number = al_text_over(bytes, sizeof(bytes));

    al_text_i64(&number, value);
    add_label(text, name, bytes);
}

/* The value in force as the variable takes it: of a set, a list with commas. */
static void add_option_label(struct al_text *text, const char *label, enum al_option_id id,
                             const struct al_config *config)
{
    char bytes[80];
    struct al_text value = al_text_over(bytes, sizeof(bytes));

    al_option_print(&value, &al_options[id], config);
    add_label(text, label, bytes);
}

/* Each sample has these labels, so that the reports of many processes can stand side by side. */
static void begin_sample(struct al_text *text, const char *name, const char *suffix,
                         const struct al_snapshot *snapshot)
{
    al_text_string(text, name);
    al_text_string(text, suffix);
    al_text_char(text, '{');
    add_label(text, "program", snapshot->run->program);
    add_number_label(text, "pid", snapshot->pid);
    add_option_label(text, "mode", AL_OPTION_ID_MODE, snapshot->run->config);
}

static void end_sample(struct al_text *text, enum al_unit unit, uint64_t value)
{
    al_text_string(text, "} ");
    if (value == UINT64_MAX)
        al_text_string(text, "+Inf");
    else if (unit == AL_UNIT_NS)
        al_text_seconds(text, value);
    else
        al_text_u64(text, value);
    al_text_char(text, '\n');
}

static void emit_info(struct al_text *text, const struct al_snapshot *snapshot)
{
    const struct al_config *config = snapshot->run->config;

    begin_metric(text, "autolock_info", "gauge", "what the run was, always 1");
    begin_sample(text, "autolock_info", "", snapshot);
    add_label(text, "version", AL_VERSION);
    add_number_label(text, "ppid", snapshot->ppid);
    add_option_label(text, "flags", AL_OPTION_ID_FLAGS, config);
    add_option_label(text, "kinds", AL_OPTION_ID_KINDS, config);
    add_label(text, "backend", snapshot->run->backend);
    add_label(text, "ended", snapshot->ended);
    end_sample(text, AL_UNIT_COUNT, 1);
}

/* -- options in force ----------------------------------------------------------------------- */

/* Three metrics, as bytes, other numbers and texts do not go together. */
static const struct option_metric {
    char name[24];
    char help[48];
    unsigned types; /* bit i: of the enum al_option_type i */
} option_metrics[] = {
    {"autolock_option_bytes", "sizes in force, +Inf: none", 1U << AL_OPTION_SIZE},
    {"autolock_option_number", "counts and flags in force",
     1U << AL_OPTION_COUNT | 1U << AL_OPTION_FLAG},
    {"autolock_option_info", "words, paths and lists in force, always 1",
     1U << AL_OPTION_WORD | 1U << AL_OPTION_SET | 1U << AL_OPTION_BUDGET | 1U << AL_OPTION_PATH |
         1U << AL_OPTION_LIST},
};

static void option_sample(struct al_text *text, const char *metric, const struct al_option *option,
                          const struct al_snapshot *snapshot)
{
    const struct al_config *config = snapshot->run->config;
    const void *value = (const char *)config + option->offset;
    uint64_t number = 1;
    char name[40];

    al_option_key(name, sizeof(name), option);
    begin_sample(text, metric, "", snapshot);
    add_label(text, "option", name);
    switch (option->type) {
    case AL_OPTION_SIZE:
    case AL_OPTION_COUNT:
        number = *(const uint64_t *)value;
        break;
    case AL_OPTION_FLAG:
        number = *(const unsigned *)value;
        break;
    case AL_OPTION_WORD:
    case AL_OPTION_SET:
    case AL_OPTION_BUDGET:
        add_option_label(text, "value", (enum al_option_id)(option - al_options), config);
        break;
    case AL_OPTION_PATH:
    case AL_OPTION_LIST:
        add_label(text, "value", value);
        break;
    }
    end_sample(text, AL_UNIT_COUNT, number);
}

static void emit_options(struct al_text *text, const struct al_snapshot *snapshot)
{
    for (size_t i = 0; i < sizeof(option_metrics) / sizeof(option_metrics[0]); i++) {
        const struct option_metric *metric = &option_metrics[i];

        begin_metric(text, metric->name, "gauge", metric->help);
        for (size_t j = 0; j < al_option_count; j++)
            if (metric->types & 1U << al_options[j].type)
                option_sample(text, metric->name, &al_options[j], snapshot);
    }
}

/* -- downgrades ----------------------------------------------------------------------------- */

static void emit_downgrades(struct al_text *text, const struct al_snapshot *snapshot)
{
    static const char total[] = "autolock_downgrades_total";
    static const char when[] = "autolock_downgrade_seconds";
    uint64_t count = __atomic_load_n(&snapshot->head->downgrade_count, __ATOMIC_RELAXED);
    bool first = true;

    begin_metric(text, total, "counter", "what became less than was asked for");
    begin_sample(text, total, "", snapshot);
    end_sample(text, AL_UNIT_COUNT, count);

    for (size_t i = 0; i < AL_DOWNGRADES_MAX; i++) {
        const struct al_downgrade *entry = al_downgrade_at(snapshot->head, i);

        if (!entry)
            continue;
        if (first)
            begin_metric(text, when, "gauge",
                         "when something became less than was asked for, from the library's start");
        first = false;
        begin_sample(text, when, "", snapshot);
        /* The same may happen twice, and no two samples may have the same labels. */
        add_number_label(text, "index", (int64_t)i);
        add_label(text, "reason", entry->reason);
        end_sample(text, AL_UNIT_NS, entry->when_ns);
    }
}

/* -- the table's rows ----------------------------------------------------------------------- */

static const struct {
    char suffix[8];
    char quantile[8];
} samples[AL_SAMPLE_TOTAL] = {
    [AL_SAMPLE_VALUE] = {"", ""},   [AL_SAMPLE_P50] = {"", "0.5"},
    [AL_SAMPLE_P99] = {"", "0.99"}, [AL_SAMPLE_P999] = {"", "0.999"},
    [AL_SAMPLE_SUM] = {"_sum", ""}, [AL_SAMPLE_COUNT] = {"_count", ""},
};

/* `first`: the row is the first one of its family. */
static void emit_row(struct al_text *text, const struct al_snapshot *snapshot, size_t index,
                     bool first)
{
    const struct al_field_row *row = &al_fields[index];
    struct al_membership member = al_family_find(row);
    const struct al_family *family = member.family;
    char name[96];
    struct al_text print = al_text_over(name, sizeof(name));

    al_family_print_name(&print, &member);
    if (first || al_family_is_many(family))
        begin_metric(text, name, al_family_type_name(family), al_family_help(&member, row));
    begin_sample(text, name, samples[member.sample].suffix, snapshot);
    if (*al_family_label(family))
        add_label(text, al_family_label(family), member.star);
    if (*samples[member.sample].quantile)
        add_label(text, "quantile", samples[member.sample].quantile);
    end_sample(text, row->unit, snapshot->field[index]);
}

/* All samples of a metric have to stand together, wherever their rows stand in the table. */
static void emit_rows(struct al_text *text, const struct al_snapshot *snapshot)
{
    const struct al_family *family_of[AL_FIELD_TOTAL];

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        family_of[i] = al_family_find(&al_fields[i]).family;
    for (size_t i = 0; i < al_family_count; i++) {
        bool first = true;

        for (size_t j = 0; j < AL_FIELD_TOTAL; j++) {
            if (family_of[j] != &al_families[i])
                continue;
            emit_row(text, snapshot, j, first);
            first = false;
        }
    }
}

void al_emit_prometheus(struct al_text *text, const struct al_snapshot *snapshot)
{
    emit_info(text, snapshot);
    emit_options(text, snapshot);
    emit_downgrades(text, snapshot);
    emit_rows(text, snapshot);
}
