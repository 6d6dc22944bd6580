/* The table of options, and values as they are shown. */
#include "nearest.h"
#include "options.h"
#include "parse.h"
#include "unit.h"

#include <string.h>

static struct al_config config;
static char buffer[AL_OPTION_PATH_SIZE + 16];

static const struct al_option *option_named(const char *name)
{
    for (size_t i = 0; i < al_option_count; i++)
        if (strcmp(al_options[i].name, name) == 0)
            return &al_options[i];
    ck_abort_msg("no option %s", name);
}

static const char *printed(const struct al_option *option)
{
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_option_print(&text, option, &config);
    return buffer;
}

static const char *allowed(const struct al_option *option)
{
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_option_print_allowed(&text, option);
    return buffer;
}

static void read_one(const char *variable)
{
    char *environment[] = {(char *)variable, NULL};
    char problem_bytes[1024];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    ck_assert_msg(al_config_read(&config, environment, &problems) == 0, "%s", problem_bytes);
}

START_TEST(names_are_told_apart)
{
    for (size_t i = 0; i < al_option_count; i++) {
        ck_assert_uint_eq(strspn(al_options[i].name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"),
                          strlen(al_options[i].name));
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(al_options[i].name, al_options[j].name);
    }
}
END_TEST

/* The parser notes what it has seen in 64 bits, compares names up to a length, and cuts the items
 * of a list: none that was cut may be a word. */
START_TEST(limits_of_the_table)
{
    ck_assert_uint_gt(al_option_count, 0);
    ck_assert_uint_le(al_option_count, 64);
    for (size_t i = 0; i < al_option_count; i++) {
        ck_assert_uint_le(strlen(al_options[i].name), AL_NEAREST_MAX);
        ck_assert_uint_gt(strlen(al_option_help(&al_options[i])), 0);
        for (const struct al_word *word = al_option_words(&al_options[i]); *word->word; word++)
            ck_assert_uint_lt(strlen(word->word), AL_PARSE_ITEM_SIZE - 1);
    }
}
END_TEST

/* What is shown is what the variable takes: each default comes out as it stands in the table. */
START_TEST(every_default_is_in_force)
{
    char problem_bytes[1024];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    memset(&config, 0xAA, sizeof(config));
    ck_assert_uint_eq(al_config_read(&config, NULL, &problems), 0);
    ck_assert_str_eq(problem_bytes, "");
    for (size_t i = 0; i < al_option_count; i++)
        ck_assert_str_eq(printed(&al_options[i]), al_options[i].default_text);
}
END_TEST

/* Every word of every option is accepted, and shown as it was written. */
START_TEST(every_word_is_taken)
{
    for (size_t i = 0; i < al_option_count; i++) {
        const struct al_option *option = &al_options[i];

        for (const struct al_word *word = al_option_words(option); *word->word; word++) {
            char variable[128] = AL_OPTION_PREFIX;

            /* It is a contradiction by itself. */
            if (strcmp(word->word, "onfault") == 0)
                continue;
            strcat(strcat(strcat(variable, option->name), "="), word->word);
            read_one(variable);
            ck_assert_str_eq(printed(option), word->word);
        }
    }
}
END_TEST

START_TEST(a_set_is_shown_in_the_tables_order)
{
    read_one("AUTOLOCK_FLAGS=onfault, current");
    ck_assert_str_eq(printed(option_named("FLAGS")), "current,onfault");
}
END_TEST

START_TEST(a_path_is_shown_whole)
{
    char *variable = unit_repeat('p', strlen("AUTOLOCK_STATS_FILE=") + AL_OPTION_PATH_SIZE - 1);

    memcpy(variable, "AUTOLOCK_STATS_FILE=", strlen("AUTOLOCK_STATS_FILE="));
    read_one(variable);
    ck_assert_str_eq(printed(option_named("STATS_FILE")), strchr(variable, '=') + 1);
}
END_TEST

START_TEST(a_budget_is_shown_as_it_was_written)
{
    static const char *const values[] = {"auto", "unlimited", "1%",  "75%",
                                         "100%", "0",         "64K", "3G"};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char variable[64] = "AUTOLOCK_BUDGET=";

        read_one(strcat(variable, values[i]));
        ck_assert_str_eq(printed(option_named("BUDGET")), values[i]);
    }
    read_one("AUTOLOCK_BUDGET=75%");
    ck_assert_uint_eq(config.budget.sort, AL_BUDGET_PERCENT);
    ck_assert_uint_eq(config.budget.amount, 75);
    read_one("AUTOLOCK_BUDGET=64K");
    ck_assert_uint_eq(config.budget.sort, AL_BUDGET_SIZE);
    ck_assert_uint_eq(config.budget.amount, 65536);
}
END_TEST

START_TEST(what_is_allowed)
{
    struct al_option size = *option_named("MIN_SIZE");

    size.max = 1 << 20;
    ck_assert_str_eq(allowed(option_named("ON_FAILURE")), "one of warn, fail, ignore");
    ck_assert_str_eq(allowed(option_named("FLAGS")),
                     "a comma-separated list of current, future, onfault");
    ck_assert_str_eq(allowed(option_named("STATS_FILE")), "a file name shorter than 4096 bytes");
    ck_assert_str_eq(allowed(option_named("BUDGET")),
                     "auto, unlimited, 1% to 100%, or a size in bytes, optionally with "
                     "K, M, G or T");
    ck_assert_str_eq(allowed(&size), "a size in bytes, optionally with K, M, G or T, from 0 to 1M");
    ck_assert_str_eq(allowed(option_named("HUGEPAGES")),
                     "one of 0, 1, no, yes, off, on, false, true");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("options");

    tcase_add_test(tests, names_are_told_apart);
    tcase_add_test(tests, limits_of_the_table);
    tcase_add_test(tests, every_default_is_in_force);
    tcase_add_test(tests, every_word_is_taken);
    tcase_add_test(tests, a_set_is_shown_in_the_tables_order);
    tcase_add_test(tests, a_path_is_shown_whole);
    tcase_add_test(tests, a_budget_is_shown_as_it_was_written);
    tcase_add_test(tests, what_is_allowed);
    return unit_run(tests);
}
