/*
 * The tables of options and of the report's fields as the documentation has them, in Markdown:
 *
 *     tables options        every option
 *     tables metrics        every metric of the report for Prometheus
 *     tables OBJECT         the fields of one object of the report; by_kind and syscalls are one
 *                           table for all that is in them
 *     tables live_…         where the live counters stand (tables_live.h)
 *     tables --objects      the names of all objects
 *     tables --live         the names of the tables of the live counters
 */
#include "fields.h"
#include "metrics.h"
#include "options.h"
#include "tables_live.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A cell's text: a bar would end the cell. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void print_options(void)
{
    puts("| variable | values | default | meaning |");
    puts("| --- | --- | --- | --- |");
    for (size_t i = 0; i < al_option_count; i++) {
        const struct al_option *option = &al_options[i];
        char buffer[512];
        struct al_text allowed = al_text_over(buffer, sizeof(buffer));

        al_option_print_allowed(&allowed, option);
        printf("| `" AL_OPTION_PREFIX "%s` | ", option->name);
        print_cell(buffer);
        if (*option->default_text)
            printf(" | `%s` | ", option->default_text);
        else
            printf(" | none | ");
        print_cell(al_option_help(option));
        puts(" |");
    }
}

/* The top-level object that a row stands in. */
static const char *object_of(const struct al_field_row *row)
{
    return *al_field_outer(row) ? al_field_outer(row) : al_field_inner(row);
}

/* Whether both rows say the same of objects that stand in one object. */
static bool is_alike(const struct al_field_row *a, const struct al_field_row *b)
{
    return strcmp(al_field_outer(a), al_field_outer(b)) == 0 && strcmp(a->key, b->key) == 0 &&
           strcmp(al_field_help(a), al_field_help(b)) == 0;
}

static bool has_one_before(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (*al_field_outer(&al_fields[i]) && is_alike(&al_fields[i], &al_fields[index]))
            return true;
    return false;
}

/* The objects of which `row` is true: "`mlock2`, `munlock`". */
static void print_inner(const struct al_field_row *row)
{
    const char *before = "| ";

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        if (!is_alike(&al_fields[i], row))
            continue;
        printf("%s`%s`", before, al_field_inner(&al_fields[i]));
        before = ", ";
    }
    putchar(' ');
}

static const char *unit_name(enum al_unit unit)
{
    switch (unit) {
    case AL_UNIT_BYTES:
        return "bytes";
    case AL_UNIT_NS:
        return "ns";
    case AL_UNIT_COUNT:
        break;
    }
    return "count";
}

static bool print_object(const char *object)
{
    bool found = false;

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *row = &al_fields[i];

        if (strcmp(object_of(row), object) != 0 || has_one_before(i))
            continue;
        if (!found)
            puts(*al_field_outer(row)
                     ? "| objects in it | key | unit | meaning |\n| --- | --- | --- | --- |"
                     : "| key | unit | meaning |\n| --- | --- | --- |");
        found = true;
        if (*al_field_outer(row))
            print_inner(row);
        printf("| `%s` | %s | ", row->key, unit_name(row->unit));
        print_cell(al_field_help(row));
        puts(" |");
    }
    return found;
}

/* The block shows the library's own words, each behind the variables that led to them. */
static void print_problems(void)
{
    static const char *const wrong[] = {
        "AUTOLOCK_MODE=obsrve",   "AUTOLOCK_FLAGS=current, onfualt",
        "AUTOLOCK_MIN_SIZE=64KB", "AUTOLOCK_STAT=json",
        "AUTOLOCK_PREFETCH=1",    "AUTOLOCK_FLAGS=onfault",
    };

    puts("```");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *environment[] = {(char *)wrong[i], NULL};
        const char *value = strchr(wrong[i], '=') + 1;
        const char *quote = strchr(value, ' ') ? "'" : "";
        static struct al_config config;
        char buffer[1024];
        struct al_text problems = al_text_over(buffer, sizeof(buffer));

        (void)al_config_read(&config, environment, &problems);
        printf("$ %.*s%s%s%s program\n", (int)(value - wrong[i]), wrong[i], quote, value, quote);
        fputs(buffer, stdout);
    }
    puts("```");
}

static void print_ids(void)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *row = &al_fields[i];
        const char *dot = *al_field_outer(row) ? "." : "";
        const char *underscore = *al_field_outer(row) ? "_" : "";

        printf("%s%s%s.%s ", al_field_outer(row), dot, al_field_inner(row), row->key);
        printf("%s%s%s_%s\n", al_field_outer(row), underscore, al_field_inner(row), row->key);
    }
}

static void print_objects(void)
{
    const char *last = "";

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const char *object = object_of(&al_fields[i]);

        if (strcmp(object, last) != 0)
            puts(object);
        last = object;
    }
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fputs("usage: tables options|problems|metrics|OBJECT|live_…|--objects|--live|--ids\n",
              stderr);
        return 64;
    }
    if (strcmp(argv[1], "options") == 0) {
        print_options();
    } else if (strcmp(argv[1], "--objects") == 0) {
        print_objects();
    } else if (strcmp(argv[1], "problems") == 0) {
        print_problems();
    } else if (strcmp(argv[1], "metrics") == 0) {
        print_metrics();
    } else if (strcmp(argv[1], "--ids") == 0) {
        print_ids();
    } else if (strcmp(argv[1], "--live") == 0) {
        tables_live_names();
    } else if (!tables_live_print(argv[1]) && !print_object(argv[1])) {
        fprintf(stderr, "tables: no object %s in the report\n", argv[1]);
        return 65;
    }
    return 0;
}
