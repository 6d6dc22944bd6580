/* The JSON report, read back by a JSON library that is strict about syntax, UTF-8 and duplicates.
 */
#include "downgrades.h"
#include "emit.h"
#include "sample.h"

#include <jansson.h>

static char buffer[AL_REPORT_BYTES];
static size_t length;

static json_t *emit(void)
{
    struct al_text text = al_text_over(buffer, sizeof(buffer));
    json_error_t error;
    json_t *report;

    al_emit_json(&text, &sample);
    ck_assert(!text.cut);
    length = text.length;
    report = json_loads(buffer, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(report != NULL, "%s at %d: %s", error.text, error.position, buffer);
    return report;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    ck_assert_msg(value != NULL, "no string %s", key);
    return value;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(json_is_integer(value), "no integer %s", key);
    return json_integer_value(value);
}

START_TEST(one_object_on_one_line)
{
    json_t *report = emit();

    ck_assert(json_is_object(report));
    ck_assert_ptr_eq(strchr(buffer, '\n'), buffer + length - 1);
}
END_TEST

/* The names that are promised (docs/report.md), and no others. */
START_TEST(top_level_keys)
{
    static const char *const keys[] = {
        "schema", "version",    "pid",      "ppid",   "program", "command",  "mode",     "flags",
        "kinds",  "ended",      "backend",  "config", "calls",   "locked",   "by_kind",  "skipped",
        "need",   "downgrades", "syscalls", "faults", "memory",  "failures", "children", "hooks"};
    json_t *report = emit();

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert_msg(json_object_get(report, keys[i]) != NULL, "no %s", keys[i]);
    ck_assert_uint_eq(json_object_size(report), sizeof(keys) / sizeof(keys[0]));
}
END_TEST

START_TEST(what_the_run_was)
{
    json_t *report = emit();

    ck_assert_str_eq(string_of(report, "schema"), "autolock/1");
    ck_assert_str_eq(string_of(report, "version"), AL_VERSION);
    ck_assert_int_eq(number_of(report, "pid"), 4711);
    ck_assert_int_eq(number_of(report, "ppid"), 1);
    ck_assert_str_eq(string_of(report, "program"), "program");
    ck_assert_str_eq(string_of(report, "command"), "program --option");
    ck_assert_str_eq(string_of(report, "mode"), "all");
    ck_assert_str_eq(string_of(report, "backend"), "kernel");
    ck_assert_str_eq(string_of(report, "ended"), "exit");
    ck_assert(json_is_array(json_object_get(report, "flags")));
    ck_assert(json_is_array(json_object_get(report, "kinds")));
}
END_TEST

START_TEST(every_option_is_in_the_config)
{
    json_t *config;

    sample_configure("AUTOLOCK_FLAGS=future,onfault");
    config = json_object_get(emit(), "config");
    ck_assert_uint_eq(json_object_size(config), al_option_count);
    ck_assert_str_eq(string_of(config, "mode"), "all");
    ck_assert_str_eq(string_of(config, "on_failure"), "warn");
    ck_assert_str_eq(string_of(config, "stats_file"), "");
    ck_assert(json_equal(json_object_get(config, "flags"), json_pack("[ss]", "future", "onfault")));
    ck_assert(json_equal(json_object_get(config, "flags"), json_object_get(emit(), "flags")));
}
END_TEST

START_TEST(every_row_is_in_its_place)
{
    json_t *report = emit();

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *row = &al_fields[i];
        json_t *outer =
            *al_field_outer(row) ? json_object_get(report, al_field_outer(row)) : report;

        ck_assert_int_eq(number_of(json_object_get(outer, al_field_inner(row)), row->key),
                         (json_int_t)(1000 + i));
    }
}
END_TEST

START_TEST(no_object_has_other_rows)
{
    json_t *report = emit();
    size_t rows = 0;
    const char *name;
    const char *inner_name;
    json_t *object;
    json_t *inner;

    json_object_del(report, "config");
    json_object_foreach(report, name, object)
    {
        if (!json_is_object(object))
            continue;
        json_object_foreach(object, inner_name, inner) rows +=
            json_is_object(inner) ? json_object_size(inner) : 1;
    }
    ck_assert_uint_eq(rows, AL_FIELD_TOTAL);
}
END_TEST

START_TEST(unlimited_is_minus_one)
{
    sample.field[AL_FIELD_memory_limit_bytes] = UINT64_MAX;
    ck_assert_int_eq(number_of(json_object_get(emit(), "memory"), "limit_bytes"), -1);
    sample.field[AL_FIELD_memory_limit_bytes] = INT64_MAX;
    ck_assert_int_eq(number_of(json_object_get(emit(), "memory"), "limit_bytes"), INT64_MAX);
}
END_TEST

START_TEST(strings_that_are_hard)
{
    sample_run.program = "a\"b\\c\n\x01\xff\xed\xa0\x80";
    strcpy(al_live.head.command, "{\"schema\":1}\t\x7f");
    sample_configure("AUTOLOCK_STATS_FILE={\"gr\xc3\xbc\xc3\x9f\xe2\x82");
    json_t *report = emit();

    ck_assert_str_eq(string_of(report, "program"), "a\"b\\c\n\x01\xef\xbf\xbd\xef\xbf\xbd"
                                                   "\xef\xbf\xbd\xef\xbf\xbd");
    ck_assert_str_eq(string_of(report, "command"), "{\"schema\":1}\t\x7f");
    ck_assert_str_eq(string_of(json_object_get(report, "config"), "stats_file"),
                     "{\"gr\xc3\xbc\xc3\x9f\xef\xbf\xbd\xef\xbf\xbd");
}
END_TEST

START_TEST(every_word_of_every_option)
{
    for (size_t i = 0; i < al_option_count; i++) {
        for (const struct al_word *word = al_option_words(&al_options[i]); *word->word; word++) {
            char variable[128] = AL_OPTION_PREFIX;

            strcat(strcat(strcat(variable, al_options[i].name), "="), word->word);
            if (strcmp(al_options[i].name, "FLAGS") == 0)
                strcat(variable, ",current");
            sample_configure(variable);
            (void)emit();
        }
    }
}
END_TEST

START_TEST(downgrades)
{
    json_t *list;

    ck_assert_uint_eq(json_array_size(json_object_get(emit(), "downgrades")), 0);
    al_downgrade_add("first \"reason\"");
    al_downgrade_add("second");
    list = json_object_get(emit(), "downgrades");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(string_of(json_array_get(list, 0), "reason"), "first \"reason\"");
    ck_assert_int_ge(number_of(json_array_get(list, 1), "when_ns"), 0);
    for (unsigned i = 0; i < 100; i++)
        al_downgrade_add("more");
    ck_assert_uint_eq(json_array_size(json_object_get(emit(), "downgrades")), AL_DOWNGRADES_MAX);
}
END_TEST

/* Everything as long as it can be, each byte written as six: still one whole object. */
START_TEST(the_longest_report)
{
    static const char name[] = "AUTOLOCK_STATS_FILE=";
    char *variable = unit_repeat('\x01', sizeof(name) - 1 + AL_OPTION_PATH_SIZE - 1);

    memcpy(variable, name, sizeof(name) - 1);
    sample_configure(variable);
    memset(al_live.head.command, '\x01', sizeof(al_live.head.command) - 1);
    sample_run.program = unit_repeat('\x01', 255);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        sample.field[i] = INT64_MAX;
    for (unsigned i = 0; i < AL_DOWNGRADES_MAX; i++)
        al_downgrade_add(unit_repeat('r', 200));
    (void)emit();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("emit_json");

    tcase_add_checked_fixture(tests, sample_fill, NULL);
    tcase_add_test(tests, one_object_on_one_line);
    tcase_add_test(tests, top_level_keys);
    tcase_add_test(tests, what_the_run_was);
    tcase_add_test(tests, every_option_is_in_the_config);
    tcase_add_test(tests, every_row_is_in_its_place);
    tcase_add_test(tests, no_object_has_other_rows);
    tcase_add_test(tests, unlimited_is_minus_one);
    tcase_add_test(tests, strings_that_are_hard);
    tcase_add_test(tests, every_word_of_every_option);
    tcase_add_test(tests, downgrades);
    tcase_add_test(tests, the_longest_report);
    return unit_run(tests);
}
