/*
 * Of one snapshot, each number that the JSON report has is in the one for Prometheus, where its
 * names say. Every number of the sample is another one, so that none can stand for its neighbour.
 */
#include "downgrades.h"
#include "emit.h"
#include "sample.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static char json_bytes[AL_REPORT_BYTES];
static char metrics[AL_REPORT_BYTES];

static json_t *emit(void)
{
    struct al_text text = al_text_over(json_bytes, sizeof(json_bytes));
    json_t *report;

    al_emit_json(&text, &sample);
    report = json_loads(json_bytes, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(report);
    text = al_text_over(metrics, sizeof(metrics));
    al_emit_prometheus(&text, &sample);
    ck_assert(!text.cut);
    return report;
}

/* By hand, and not by the library's formatter. */
static const char *written(const char *key, json_int_t value)
{
    static char text[64];
    size_t length = strlen(key);

    if (value == -1)
        return "+Inf";
    if (length < 3 || strcmp(key + length - 3, "_ns") != 0) {
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, value);
        return text;
    }
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT ".%09" JSON_INTEGER_FORMAT,
             value / 1000000000, value % 1000000000);
    length = strlen(text);
    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[length - 1] = '\0';
    return text;
}

/* Samples with this value, if any; the line of the last one goes to `ret_line`. */
static unsigned lines_with_value(const char *value, char *ret_line, size_t size)
{
    char end[80];
    unsigned count = 0;

    snprintf(end, sizeof(end), "} %s", value);
    for (char *line = metrics; *line; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "\n");

        if (*line == '#' || length < strlen(end) ||
            memcmp(line + length - strlen(end), end, strlen(end)) != 0)
            continue;
        ck_assert_uint_lt(length, size);
        memcpy(ret_line, line, length);
        ret_line[length] = '\0';
        count++;
    }
    return count;
}

/* Whether a piece of the line, bounded by no letters or digits, is the word. */
static bool has_word(const char *line, const char *word, size_t length)
{
    for (const char *at = line; (at = strchr(at, *word)); at++)
        if (strncmp(at, word, length) == 0 && strchr("_\"", at[-1]) &&
            (strchr("_\"{", at[length]) || strncmp(at + length, "s_", 2) == 0))
            return true;
    return false;
}

/* The innermost object's name, and of the key what is no unit, no statistic, and no more in a
 * label. */
static void expect_words(const char *line, const char *object, const char *key)
{
    static const struct {
        const char *key;
        const char *sign;
    } signs[] = {{"p50_ns", "quantile=\"0.5\""},
                 {"p99_ns", "quantile=\"0.99\""},
                 {"p999_ns", "quantile=\"0.999\""},
                 {"max_ns", "_max_seconds{"},
                 {"time_ns", "_sum{"},
                 {"count", "_count{"},
                 {"slow_time_ns", "_sum{"},
                 {"slow_count", "_count{"},
                 {"total_bytes", "locked_bytes_total{"}};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (strcmp(key, signs[i].key) == 0) {
            ck_assert_msg(strstr(line, signs[i].sign) != NULL, "%s.%s is %s", object, key, line);
            return;
        }
    }
    for (size_t length; *key; key += length + (key[length] == '_')) {
        length = strcspn(key, "_");
        ck_assert_msg(has_word(line, key, length), "%s.%s is %s", object, key, line);
    }
}

/* The section's word in a metric's name. */
static const char *section_word(const char *section)
{
    static const char *const words[][2] = {
        {"by_kind", "kind"},       {"syscalls", "syscall"},  {"hooks", "hook"},
        {"faults", "page_faults"}, {"children", "autolock"}, {"skipped", "skipped_regions"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(section, words[i][0]) == 0)
            return words[i][1];
    return section;
}

static void expect_number(const char *section, const char *object, const char *key,
                          json_int_t value)
{
    char line[512] = "";
    char begin[64];
    unsigned count = lines_with_value(written(key, value), line, sizeof(line));

    ck_assert_msg(count == 1, "%s.%s.%s %s: %u samples", section, object, key, written(key, value),
                  count);
    snprintf(begin, sizeof(begin), "autolock_%s_", section_word(section));
    ck_assert_msg(strncmp(line, begin, strlen(begin)) == 0 || strcmp(section, "children") == 0,
                  "%s.%s is %s", section, key, line);
    if (strcmp(object, section) != 0)
        ck_assert_msg(has_word(line, object, strlen(object)), "%s.%s.%s is %s", section, object,
                      key, line);
    expect_words(line, object, key);
}

START_TEST(the_numbers_of_the_table)
{
    json_t *report;
    const char *section;
    json_t *object;
    unsigned numbers = 0;

    /* Far from the small numbers of options, and each another one in seconds too. */
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        sample.field[i] = 7000000001 + 1000 * i;
    report = emit();
    json_object_del(report, "config");
    json_object_foreach(report, section, object)
    {
        const char *key;
        json_t *value;

        if (!json_is_object(object))
            continue;
        json_object_foreach(object, key, value)
        {
            const char *inner;
            json_t *number;

            if (json_is_integer(value)) {
                expect_number(section, section, key, json_integer_value(value));
                numbers++;
            }
            json_object_foreach(value, inner, number)
            {
                expect_number(section, key, inner, json_integer_value(number));
                numbers++;
            }
        }
    }
    ck_assert_uint_eq(numbers, AL_FIELD_TOTAL);
}
END_TEST

START_TEST(the_numbers_of_the_head)
{
    json_t *report;
    const char *key;
    json_t *value;
    char wanted[128];

    sample.pid = 71234;
    sample.ppid = 81234;
    report = emit();
    ck_assert_int_eq(json_integer_value(json_object_get(report, "pid")), 71234);
    ck_assert_int_eq(json_integer_value(json_object_get(report, "ppid")), 81234);
    ck_assert_ptr_nonnull(strstr(metrics, "pid=\"71234\""));
    ck_assert_ptr_nonnull(strstr(metrics, "ppid=\"81234\""));
    /* Everything else there is text, a list or an object. */
    json_object_foreach(report, key, value)
        ck_assert_msg(!json_is_number(value) || strstr(key, "pid"), "%s is new", key);
    snprintf(wanted, sizeof(wanted), "version=\"%s\"",
             json_string_value(json_object_get(report, "version")));
    ck_assert_ptr_nonnull(strstr(metrics, wanted));
}
END_TEST

START_TEST(the_numbers_of_the_options)
{
    const char *key;
    json_t *value;
    unsigned numbers = 0;
    json_t *config;

    sample_configure("AUTOLOCK_HEAP_RESERVE=12345");
    config = json_object_get(emit(), "config");
    json_object_foreach(config, key, value)
    {
        char wanted[128];
        const char *line;
        const char *number = json_is_integer(value) ? written(key, json_integer_value(value)) : "1";

        snprintf(wanted, sizeof(wanted), ",option=\"%s\"", key);
        line = strstr(metrics, wanted);
        ck_assert_msg(line != NULL, "no %s", key);
        snprintf(wanted, sizeof(wanted), "} %s\n", number);
        ck_assert_msg(strncmp(strchr(line, '}'), wanted, strlen(wanted)) == 0, "%s: %.200s", key,
                      line);
        numbers += json_is_integer(value);
    }
    ck_assert_uint_gt(numbers, 4);
}
END_TEST

START_TEST(the_numbers_of_the_downgrades)
{
    json_t *list;

    for (unsigned i = 0; i < 5; i++)
        al_downgrade_add("reason");
    list = json_object_get(emit(), "downgrades");
    ck_assert_uint_eq(json_array_size(list), 5);
    for (unsigned i = 0; i < 5; i++) {
        json_int_t when = json_integer_value(json_object_get(json_array_get(list, i), "when_ns"));
        char wanted[128];

        snprintf(wanted, sizeof(wanted), ",index=\"%u\",reason=\"reason\"} %s\n", i,
                 written("when_ns", when));
        ck_assert_ptr_nonnull(strstr(metrics, wanted));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("formats_agree");

    tcase_add_checked_fixture(tests, sample_fill, NULL);
    tcase_add_test(tests, the_numbers_of_the_table);
    tcase_add_test(tests, the_numbers_of_the_head);
    tcase_add_test(tests, the_numbers_of_the_options);
    tcase_add_test(tests, the_numbers_of_the_downgrades);
    return unit_run(tests);
}
