#include "run_expect.h"

#include "command.h"
#include "memory.h"
#include "nearest.h"
#include "parse.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { COUNT, BYTES, PERCENT };

static const char *const unit_names[] = {
    [COUNT] = "count", [BYTES] = "bytes", [PERCENT] = "percent"};

static const struct {
    const char *name;
    enum unit unit;
} figure_rows[RUN_FIGURES] = {
    [RUN_MAJFLT] = {"majflt", COUNT},       [RUN_MINFLT] = {"minflt", COUNT},
    [RUN_FAILURES] = {"failures", COUNT},   [RUN_UNLOCKED] = {"unlocked", BYTES},
    [RUN_LOCKED] = {"locked", BYTES},       [RUN_SWAP] = {"swap", BYTES},
    [RUN_COVERAGE] = {"coverage", PERCENT}, [RUN_DOWNGRADES] = {"downgrades", COUNT},
};

/* Longer ones first, of which others are the beginning. */
static const struct {
    const char *sign;
    enum run_operator operator;
} operators[] = {{"!=", RUN_NOT_EQUAL}, {"<=", RUN_AT_MOST}, {">=", RUN_AT_LEAST},
                 {"==", RUN_EQUAL},     {"=", RUN_EQUAL},    {"<", RUN_LESS},
                 {">", RUN_MORE}};

/* -- reading ------------------------------------------------------------------------------------
 */

static bool read_figure(const char *name, enum run_figure *ret_figure)
{
    struct al_nearest nearest = AL_NEAREST_NONE;

    for (size_t i = 0; i < RUN_FIGURES; i++) {
        if (strcmp(name, figure_rows[i].name) == 0) {
            *ret_figure = (enum run_figure)i;
            return true;
        }
        al_nearest_offer(&nearest, name, figure_rows[i].name);
    }
    complain("--expect: there is no figure \"%s\"%s%s%s; there are majflt, minflt, failures, "
             "unlocked, locked, swap, coverage, downgrades",
             name, nearest.best ? " (did you mean " : "", nearest.best ? nearest.best : "",
             nearest.best ? "?)" : "");
    return false;
}

static bool read_percent(const char *text, double *ret_value)
{
    char *end;

    if (text[strspn(text, "0123456789.%")])
        return false;
    *ret_value = strtod(text, &end);
    if (*end == '%')
        end++;
    return end != text && *text != '%' && !*end && *ret_value >= 0 && *ret_value <= 100;
}

static bool read_value(const char *text, enum unit unit, double *ret_value)
{
    uint64_t value;

    if (unit == PERCENT)
        return read_percent(text, ret_value);
    if (unit == BYTES ? al_parse_size(text, 0, INT64_MAX, &value)
                      : al_parse_count(text, 0, INT64_MAX, &value))
        return false;
    *ret_value = (double)value;
    return true;
}

static const char *without_blanks(const char *start, size_t length)
{
    while (length && strchr(" \t", start[length - 1]))
        length--;
    while (length && strchr(" \t", *start)) {
        start++;
        length--;
    }
    return text_of("%.*s", (int)length, start);
}

static bool read_one(const char *text, struct run_expectation *ret_expectation)
{
    static const char *const units[] = {"a number", "a size in bytes, optionally with K, M, G or T",
                                        "a percentage from 0 to 100"};
    size_t name = strcspn(text, "=!<>");

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t sign = strlen(operators[i].sign);
        enum run_figure figure;
        const char *value;

        if (strncmp(text + name, operators[i].sign, sign) != 0)
            continue;
        if (!read_figure(without_blanks(text, name), &figure))
            return false;
        *ret_expectation = (struct run_expectation){figure, operators[i].operator, 0, text};
        value = without_blanks(text + name + sign, strlen(text + name + sign));
        if (read_value(value, figure_rows[figure].unit, &ret_expectation->value))
            return true;
        complain("--expect: \"%s\": \"%s\" must be %s", text, value,
                 units[figure_rows[figure].unit]);
        return false;
    }
    complain("--expect: \"%s\" is no expectation: a figure, one of = != < <= > >=, and a value",
             text);
    return false;
}

bool run_expect_read(const char *text, struct run_expectations *expectations)
{
    struct al_parse_item item;

    while (al_parse_next_item(&text, &item)) {
        size_t count = expectations->count;
        struct run_expectation *list = allocate((count + 1) * sizeof(*list));

        if (!read_one(without_blanks(item.start, item.length), &list[count]))
            return false;
        if (count)
            memcpy(list, expectations->list, count * sizeof(*list));
        expectations->list = list;
        expectations->count = count + 1;
    }
    return true;
}

struct run_figures run_figures_unknown(void)
{
    struct run_figures figures;

    for (size_t i = 0; i < RUN_FIGURES; i++)
        figures.value[i] = -1;
    return figures;
}

/* -- judging ------------------------------------------------------------------------------------
 */

static bool holds(const struct run_expectation *expectation, double measured)
{
    double wanted = expectation->value;

    if (measured < 0)
        return false;
    switch (expectation->operator) {
    case RUN_EQUAL:
        return measured >= wanted && measured <= wanted;
    case RUN_NOT_EQUAL:
        return measured < wanted || measured > wanted;
    case RUN_LESS:
        return measured < wanted;
    case RUN_AT_MOST:
        return measured <= wanted;
    case RUN_MORE:
        return measured > wanted;
    case RUN_AT_LEAST:
        return measured >= wanted;
    }
    return false;
}

/* Percentages are never shown as better than they are. */
static const char *number_of(enum run_figure figure, double value)
{
    if (value < 0)
        return NULL;
    if (figure_rows[figure].unit == PERCENT)
        return text_of("%.2f", (double)(int64_t)(value * 100) / 100);
    return text_of("%.0f", value);
}

static const char *shown(enum run_figure figure, double value)
{
    char bytes[64];
    struct al_text text = al_text_over(bytes, sizeof(bytes));
    const char *number = number_of(figure, value);

    if (!number)
        return "not known";
    if (figure_rows[figure].unit == PERCENT)
        return text_of("%s%%", number);
    if (figure_rows[figure].unit == COUNT)
        return number;
    al_text_size(&text, (uint64_t)value);
    return text_of("%s (%s)", number, bytes);
}

struct run_verdict run_expect_judge(const struct run_expectations *expectations,
                                    const struct run_figures *figures, const char *program)
{
    struct run_verdict verdict = {.program = program, .count = expectations->count};

    verdict.list = allocate((verdict.count + 1) * sizeof(*verdict.list));
    for (size_t i = 0; i < verdict.count; i++) {
        const struct run_expectation *expectation = &expectations->list[i];
        double measured = figures->value[expectation->figure];
        bool good = holds(expectation, measured);

        verdict.list[i] = (struct run_judged){
            .expected = expectation->text,
            .name = figure_rows[expectation->figure].name,
            .measured = shown(expectation->figure, measured),
            .number = number_of(expectation->figure, measured),
            .unit = unit_names[figure_rows[expectation->figure].unit],
            .holds = good,
        };
        verdict.failed += !good;
    }
    return verdict;
}

void run_verdict_print(const struct run_verdict *verdict, FILE *to, bool colour)
{
    (void)fprintf(to, "  %-24s %-24s\n", "expected", "measured");
    for (size_t i = 0; i < verdict->count; i++) {
        const struct run_judged *judged = &verdict->list[i];

        (void)fprintf(to, "  %-24s %-24s %s%s%s\n", judged->expected, judged->measured,
                      !colour         ? ""
                      : judged->holds ? "\033[32m"
                                      : "\033[31m",
                      judged->holds ? "ok" : "FAILED", colour ? "\033[0m" : "");
    }
}
