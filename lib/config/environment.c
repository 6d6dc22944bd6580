#include "nearest.h"
#include "options.h"
#include "parse.h"

#include <errno.h>
#include <string.h>

/* Longer than any value that is right, short enough for one line of a terminal. */
enum { SHOWN_VALUE = 60, SHOWN_NAME = 40 };

/* More lines than these help nobody; the rest is counted. */
enum { SHOWN_PROBLEMS = 10 };

struct report {
    struct al_text *text;
    unsigned count;
    uint64_t seen; /* bit i: option i was in the environment, be it empty */
};

/* Begins a problem's line with the variable; returns false if enough have been shown. */
static bool begin_problem(struct report *report, const char *name, const char *value)
{
    if (++report->count > SHOWN_PROBLEMS)
        return false;
    al_text_string(report->text, "libautolock: " AL_OPTION_PREFIX);
    al_text_printable(report->text, name, SHOWN_NAME);
    if (value) {
        al_text_string(report->text, "=\"");
        al_text_printable(report->text, value, SHOWN_VALUE);
        al_text_char(report->text, '"');
    }
    al_text_string(report->text, ": ");
    return true;
}

static void suggest(struct al_text *text, const struct al_nearest *nearest, const char *prefix)
{
    if (!nearest->best)
        return;
    al_text_string(text, " (did you mean ");
    al_text_string(text, prefix);
    al_text_string(text, nearest->best);
    al_text_string(text, "?)");
}

static void report_unknown(struct report *report, const char *name)
{
    struct al_nearest nearest = AL_NEAREST_NONE;

    if (!begin_problem(report, name, NULL))
        return;
    for (size_t i = 0; i < al_option_count; i++)
        al_nearest_offer(&nearest, name, al_options[i].name);
    al_text_string(report->text, "no such option");
    suggest(report->text, &nearest, AL_OPTION_PREFIX);
    if (!nearest.best) {
        al_text_string(report->text, "; known are");
        for (size_t i = 0; i < al_option_count; i++) {
            al_text_string(report->text, i ? ", " : " ");
            al_text_string(report->text, al_options[i].name);
        }
    }
    al_text_char(report->text, '\n');
}

static void report_bad(struct report *report, const struct al_option *option, const char *value,
                       const char *bad_word)
{
    struct al_nearest nearest = AL_NEAREST_NONE;

    if (!begin_problem(report, option->name, value))
        return;
    al_text_string(report->text, "must be ");
    al_option_print_allowed(report->text, option);
    for (const struct al_word *word = al_option_words(option); *word->word; word++)
        al_nearest_offer(&nearest, bad_word, word->word);
    suggest(report->text, &nearest, "");
    al_text_string(report->text, "; using ");
    al_text_string(report->text, *option->default_text ? option->default_text : "none");
    al_text_char(report->text, '\n');
}

static int parse_path(const char *value, char *path)
{
    size_t length = strnlen(value, AL_OPTION_PATH_SIZE);

    if (length >= AL_OPTION_PATH_SIZE)
        return -ERANGE;
    /* Where nothing is, nothing is written: a page that is touched stays. */
    if (!length && !*path)
        return 0;
    memcpy(path, value, length + 1);
    return 0;
}

static int parse_budget(const char *value, const struct al_option *option,
                        struct al_budget_option *budget)
{
    struct al_budget_option found = {.sort = AL_BUDGET_SIZE};
    unsigned percent;
    int error;

    if (al_parse_word(value, al_option_words(option), &found.sort) == 0) {
        *budget = found;
        return 0;
    }
    if (al_parse_percent(value, &percent) == 0) {
        *budget = (struct al_budget_option){.sort = AL_BUDGET_PERCENT, .amount = percent};
        return 0;
    }
    error = al_parse_size(value, option->min, option->max, &found.amount);
    if (!error)
        *budget = found;
    return error;
}

/* Stores the value in `config`. On failure `bad_word` is the part that is wrong. */
static int parse_option(struct al_config *config, const struct al_option *option, const char *value,
                        char *bad_word)
{
    void *field = (char *)config + option->offset;

    strncpy(bad_word, value, AL_PARSE_ITEM_SIZE - 1);
    bad_word[AL_PARSE_ITEM_SIZE - 1] = '\0';
    switch (option->type) {
    case AL_OPTION_WORD:
        return al_parse_word(value, al_option_words(option), field);
    case AL_OPTION_SET:
        return al_parse_set(value, al_option_words(option), field, bad_word);
    case AL_OPTION_FLAG:
        return al_parse_flag(value, field);
    case AL_OPTION_SIZE: {
        unsigned bound;

        if (al_parse_word(value, al_option_words(option), &bound) == 0) {
            *(uint64_t *)field = option->max;
            return 0;
        }
        return al_parse_size(value, option->min, option->max, field);
    }
    case AL_OPTION_COUNT:
        return al_parse_count(value, option->min, option->max, field);
    case AL_OPTION_BUDGET:
        return parse_budget(value, option, field);
    case AL_OPTION_PATH:
        return parse_path(value, field);
    case AL_OPTION_LIST:
        return al_parse_list(value, field, AL_OPTION_LIST_SIZE);
    }
    return -EINVAL;
}

static void read_variable(struct al_config *config, const char *variable, struct report *report)
{
    const char *value = strchr(variable, '=');

    if (!value)
        return;
    value++;
    for (size_t i = 0; i < al_option_count; i++) {
        const struct al_option *option = &al_options[i];
        size_t length = strlen(option->name);
        char bad_word[AL_PARSE_ITEM_SIZE];

        if (strncmp(variable, option->name, length) != 0 || variable[length] != '=')
            continue;
        /* The first of two equal names counts, as with getenv; an empty value is the default. */
        if (report->seen & (uint64_t)1 << i)
            return;
        report->seen |= (uint64_t)1 << i;
        if (!*value)
            return;
        config->given |= (uint64_t)1 << i;
        if (parse_option(config, option, value, bad_word))
            report_bad(report, option, value, bad_word);
        return;
    }

    char name[SHOWN_NAME + 2];
    size_t length = (size_t)(value - 1 - variable);

    if (length > sizeof(name) - 1)
        length = sizeof(name) - 1;
    memcpy(name, variable, length);
    name[length] = '\0';
    report_unknown(report, name);
}

/* Values that are right each by itself and wrong together. */
static void check_contradictions(struct al_config *config, struct report *report)
{
    const unsigned when = AL_FLAG_CURRENT | AL_FLAG_FUTURE;

    if (!(config->flags & when)) {
        if (begin_problem(report, "FLAGS", "onfault"))
            al_text_string(report->text, "onfault says how, not when: add current, future or both; "
                                         "using current,future,onfault\n");
        config->flags |= when;
    }
    if (config->min_size > config->max_size) {
        if (begin_problem(report, "MIN_SIZE", NULL))
            al_text_string(report->text,
                           "is larger than " AL_OPTION_PREFIX
                           "MAX_SIZE, which leaves nothing to lock; using MAX_SIZE=none\n");
        config->max_size = UINT64_MAX;
    }
    if (config->stats == AL_STATS_OFF && config->stats_file[0] &&
        begin_problem(report, "STATS_FILE", config->stats_file))
        al_text_string(report->text, "is not written with " AL_OPTION_PREFIX "STATS=off\n");
}

unsigned al_config_read(struct al_config *ret_config, char *const environment[],
                        struct al_text *problems)
{
    static const char prefix[] = AL_OPTION_PREFIX;
    struct report report = {.text = problems};
    char bad_word[AL_PARSE_ITEM_SIZE];

    ret_config->given = 0;
    for (size_t i = 0; i < al_option_count; i++)
        (void)parse_option(ret_config, &al_options[i], al_options[i].default_text, bad_word);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, prefix, sizeof(prefix) - 1) == 0)
            read_variable(ret_config, *environment + sizeof(prefix) - 1, &report);
    check_contradictions(ret_config, &report);

    if (report.count > SHOWN_PROBLEMS) {
        al_text_string(problems, "libautolock: ");
        al_text_count(problems, report.count - SHOWN_PROBLEMS);
        al_text_string(problems, " more such problems in the environment\n");
    }
    return report.count;
}
