#include "emit.h"

#include "downgrades.h"

#include <string.h>

static void string_member(struct al_text *text, const char *name, const char *value)
{
    al_text_json_key(text, name);
    al_text_json(text, value);
}

/* "Unlimited" is -1: the kernel's all ones is a number that most JSON readers would round. */
static void number_member(struct al_text *text, const char *name, uint64_t value)
{
    al_text_json_key(text, name);
    if (value == UINT64_MAX)
        al_text_string(text, "-1");
    else
        al_text_u64(text, value);
}

/* The words of a SET option as an array. */
static void array_member(struct al_text *text, const char *name, const struct al_word *words,
                         unsigned mask)
{
    const char *comma = "";

    al_text_json_key(text, name);
    al_text_char(text, '[');
    for (; *words->word; words++) {
        if (!(words->value & mask))
            continue;
        al_text_string(text, comma);
        al_text_json(text, words->word);
        comma = ",";
    }
    al_text_char(text, ']');
}

static void option_member(struct al_text *text, const struct al_option *option,
                          const struct al_config *config)
{
    const void *value = (const char *)config + option->offset;
    char printed[40];
    struct al_text print = al_text_over(printed, sizeof(printed));
    char name[40];

    al_option_key(name, sizeof(name), option);
    switch (option->type) {
    case AL_OPTION_SET:
        array_member(text, name, al_option_words(option), *(const unsigned *)value);
        break;
    case AL_OPTION_FLAG:
        number_member(text, name, *(const unsigned *)value);
        break;
    case AL_OPTION_SIZE:
        number_member(text, name, *(const uint64_t *)value);
        break;
    case AL_OPTION_WORD:
    case AL_OPTION_BUDGET:
        al_option_print(&print, option, config);
        string_member(text, name, printed);
        break;
    case AL_OPTION_COUNT:
        number_member(text, name, *(const uint64_t *)value);
        break;
    case AL_OPTION_PATH:
    case AL_OPTION_LIST:
        string_member(text, name, value);
        break;
    }
}

/* Top-level members that repeat an option. */
static void repeat_option(struct al_text *text, const char *name, const struct al_config *config)
{
    for (size_t i = 0; i < al_option_count; i++)
        if (strcmp(al_options[i].name, name) == 0)
            option_member(text, &al_options[i], config);
}

static void emit_head(struct al_text *text, const struct al_snapshot *snapshot)
{
    const struct al_config *config = snapshot->run->config;

    string_member(text, "schema", AL_SCHEMA);
    string_member(text, "version", AL_VERSION);
    number_member(text, "pid", (uint64_t)snapshot->pid);
    number_member(text, "ppid", (uint64_t)snapshot->ppid);
    string_member(text, "program", snapshot->run->program);
    string_member(text, "command", snapshot->head->command);
    repeat_option(text, "MODE", config);
    repeat_option(text, "FLAGS", config);
    repeat_option(text, "KINDS", config);
    string_member(text, "backend", snapshot->run->backend);
    string_member(text, "ended", snapshot->ended);

    al_text_json_key(text, "config");
    al_text_char(text, '{');
    for (size_t i = 0; i < al_option_count; i++)
        option_member(text, &al_options[i], config);
    al_text_char(text, '}');
}

static void emit_downgrades(struct al_text *text, const struct al_live_head *head)
{
    const char *comma = "";

    al_text_json_key(text, "downgrades");
    al_text_char(text, '[');
    for (size_t i = 0; i < AL_DOWNGRADES_MAX; i++) {
        const struct al_downgrade *entry = al_downgrade_at(head, i);

        if (!entry)
            continue;
        al_text_string(text, comma);
        al_text_char(text, '{');
        number_member(text, "when_ns", entry->when_ns);
        string_member(text, "reason", entry->reason);
        al_text_char(text, '}');
        comma = ",";
    }
    al_text_char(text, ']');
}

/* The rows of the table, opening and closing objects where a row's place changes. */
static void emit_fields(struct al_text *text, const uint64_t *field)
{
    const char *outer = "";
    const char *inner = "";

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *row = &al_fields[i];
        bool outer_changes = strcmp(al_field_outer(row), outer) != 0;

        if (outer_changes || strcmp(al_field_inner(row), inner) != 0) {
            if (*inner)
                al_text_char(text, '}');
            if (outer_changes && *outer)
                al_text_char(text, '}');
            if (outer_changes && *al_field_outer(row)) {
                al_text_json_key(text, al_field_outer(row));
                al_text_char(text, '{');
            }
            al_text_json_key(text, al_field_inner(row));
            al_text_char(text, '{');
            outer = al_field_outer(row);
            inner = al_field_inner(row);
        }
        number_member(text, row->key, field[i]);
    }
    al_text_string(text, *outer ? "}}" : "}");
}

void al_emit_json(struct al_text *text, const struct al_snapshot *snapshot)
{
    al_text_char(text, '{');
    emit_head(text, snapshot);
    emit_downgrades(text, snapshot->head);
    emit_fields(text, snapshot->field);
    al_text_string(text, "}\n");
}
