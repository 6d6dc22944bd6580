/* Which values of an environment count. */
#include "options.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct al_config config;
static char problem_bytes[4096];

/* Reads the variables given, up to a NULL; returns the number of problems. */
#define READ(...) read_environment((char *const[]){__VA_ARGS__, NULL})

static unsigned read_environment(char *const environment[])
{
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    unsigned count;

    memset(&config, 0xAA, sizeof(config));
    count = al_config_read(&config, environment, &problems);
    ck_assert_int_eq(count > 0, problems.length > 0);
    return count;
}

START_TEST(no_environment)
{
    ck_assert_uint_eq(read_environment(NULL), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT | AL_FLAG_FUTURE);
    ck_assert_str_eq(config.stats_file, "");
    ck_assert_uint_eq(read_environment((char *const[]){NULL}), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
}
END_TEST

START_TEST(every_option)
{
    ck_assert_uint_eq(READ("PATH=/bin", "AUTOLOCK_MODE=observe", "AUTOLOCK_FLAGS=current,onfault",
                           "AUTOLOCK_ON_FAILURE=fail", "HOME=/", "AUTOLOCK_STATS=json",
                           "AUTOLOCK_STATS_FILE=/tmp/%p", "AUTOLOCK_LOG=debug"),
                      0);
    ck_assert_uint_eq(config.mode, AL_MODE_OBSERVE);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT | AL_FLAG_ONFAULT);
    ck_assert_uint_eq(config.on_failure, AL_ON_FAILURE_FAIL);
    ck_assert_uint_eq(config.stats, AL_STATS_JSON);
    ck_assert_str_eq(config.stats_file, "/tmp/%p");
    ck_assert_uint_eq(config.log, AL_LOG_DEBUG);
}
END_TEST

START_TEST(case_of_values_does_not_count)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=OFF", "AUTOLOCK_FLAGS=Current"), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_OFF);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT);
}
END_TEST

START_TEST(an_empty_value_is_the_default)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=", "AUTOLOCK_FLAGS=", "AUTOLOCK_STATS_FILE="), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT | AL_FLAG_FUTURE);
}
END_TEST

START_TEST(the_first_of_two_equal_names_counts)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=off", "AUTOLOCK_MODE=observe"), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_OFF);
    /* also when it is wrong, or empty */
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=wrong", "AUTOLOCK_MODE=observe"), 1);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=off", "AUTOLOCK_MODE=wrong"), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_OFF);
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=", "AUTOLOCK_MODE=observe"), 0);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
}
END_TEST

START_TEST(what_was_given_is_known)
{
    ck_assert_uint_eq(READ("AUTOLOCK_LOG=warn", "AUTOLOCK_MODE="), 0);
    ck_assert_uint_eq(config.given, (uint64_t)1 << AL_OPTION_ID_LOG);
}
END_TEST

START_TEST(sizes)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MIN_SIZE=4K", "AUTOLOCK_MAX_SIZE=1G"), 0);
    ck_assert_uint_eq(config.min_size, 4096);
    ck_assert_uint_eq(config.max_size, 1 << 30);
    ck_assert_uint_eq(READ("AUTOLOCK_MAX_SIZE=None"), 0);
    ck_assert_uint_eq(config.max_size, UINT64_MAX);
    ck_assert_uint_eq(READ("AUTOLOCK_MIN_SIZE=none", "AUTOLOCK_MAX_SIZE=16E"), 2);
    ck_assert_uint_eq(config.min_size, 0);
    ck_assert_uint_eq(config.max_size, UINT64_MAX);
}
END_TEST

START_TEST(sizes_that_leave_nothing)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MIN_SIZE=2K", "AUTOLOCK_MAX_SIZE=2048"), 0);
    ck_assert_uint_eq(READ("AUTOLOCK_MIN_SIZE=2K", "AUTOLOCK_MAX_SIZE=1K"), 1);
    ck_assert_uint_eq(config.min_size, 2048);
    ck_assert_uint_eq(config.max_size, UINT64_MAX);
}
END_TEST

START_TEST(what_begins_otherwise_is_not_ours)
{
    ck_assert_uint_eq(READ("AUTOLOC", "AUTOLOCK", "AUTOLOCK=x", "autolock_mode=off", "=",
                           "XAUTOLOCK_MODE=off", "AUTOLOCKMODE=off", ""),
                      0);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
}
END_TEST

/* execve takes any strings; getenv does not see these either. */
START_TEST(a_string_without_a_value_is_passed_over)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MODE", "AUTOLOCK_", "AUTOLOCK_NONSENSE"), 0);
}
END_TEST

START_TEST(a_bad_value_leaves_the_default)
{
    ck_assert_uint_eq(READ("AUTOLOCK_MODE=x", "AUTOLOCK_FLAGS=current,x", "AUTOLOCK_STATS=x",
                           "AUTOLOCK_LOG=x", "AUTOLOCK_ON_FAILURE=x"),
                      5);
    ck_assert_uint_eq(config.mode, AL_MODE_ALL);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT | AL_FLAG_FUTURE);
    ck_assert_uint_eq(config.stats, AL_STATS_TEXT);
    ck_assert_uint_eq(config.log, AL_LOG_WARN);
    ck_assert_uint_eq(config.on_failure, AL_ON_FAILURE_WARN);
}
END_TEST

START_TEST(the_value_begins_at_the_first_equals_sign)
{
    ck_assert_uint_eq(READ("AUTOLOCK_STATS_FILE=a=b="), 0);
    ck_assert_str_eq(config.stats_file, "a=b=");
}
END_TEST

START_TEST(the_longest_path)
{
    static const char name[] = "AUTOLOCK_STATS_FILE=";
    char *variable = unit_repeat('p', sizeof(name) - 1 + AL_OPTION_PATH_SIZE);
    char *last = variable + strlen(variable) - 1;

    memcpy(variable, name, sizeof(name) - 1);
    ck_assert_uint_eq(READ(variable), 1);
    ck_assert_str_eq(config.stats_file, "");
    *last = '\0';
    ck_assert_uint_eq(READ(variable), 0);
    ck_assert_str_eq(config.stats_file, variable + sizeof(name) - 1);
}
END_TEST

START_TEST(onfault_alone_means_always)
{
    ck_assert_uint_eq(READ("AUTOLOCK_FLAGS=onfault"), 1);
    ck_assert_uint_eq(config.flags, AL_FLAG_CURRENT | AL_FLAG_FUTURE | AL_FLAG_ONFAULT);
    ck_assert_uint_eq(READ("AUTOLOCK_FLAGS=onfault,future"), 0);
    ck_assert_uint_eq(config.flags, AL_FLAG_FUTURE | AL_FLAG_ONFAULT);
}
END_TEST

START_TEST(a_file_for_no_report)
{
    ck_assert_uint_eq(READ("AUTOLOCK_STATS=off", "AUTOLOCK_STATS_FILE=report"), 1);
    ck_assert_uint_eq(config.stats, AL_STATS_OFF);
    ck_assert_uint_eq(READ("AUTOLOCK_STATS=off", "AUTOLOCK_STATS_FILE="), 0);
}
END_TEST

START_TEST(a_hundred_thousand_variables)
{
    enum { VARIABLES = 100000 };
    char **environment = calloc(VARIABLES + 2, sizeof(char *));
    char(*name)[32] = calloc(VARIABLES, sizeof(*name));

    for (size_t i = 0; i < VARIABLES; i++) {
        snprintf(name[i], sizeof(name[i]), i % 2 ? "VARIABLE_%zu=x" : "AUTOLOCK_%zu=x", i);
        environment[i] = name[i];
    }
    environment[VARIABLES] = (char *)"AUTOLOCK_MODE=off";
    ck_assert_uint_eq(read_environment(environment), VARIABLES / 2);
    ck_assert_uint_eq(config.mode, AL_MODE_OFF);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("environment");

    tcase_add_test(tests, no_environment);
    tcase_add_test(tests, every_option);
    tcase_add_test(tests, case_of_values_does_not_count);
    tcase_add_test(tests, an_empty_value_is_the_default);
    tcase_add_test(tests, the_first_of_two_equal_names_counts);
    tcase_add_test(tests, what_was_given_is_known);
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, sizes_that_leave_nothing);
    tcase_add_test(tests, what_begins_otherwise_is_not_ours);
    tcase_add_test(tests, a_string_without_a_value_is_passed_over);
    tcase_add_test(tests, a_bad_value_leaves_the_default);
    tcase_add_test(tests, the_value_begins_at_the_first_equals_sign);
    tcase_add_test(tests, the_longest_path);
    tcase_add_test(tests, onfault_alone_means_always);
    tcase_add_test(tests, a_file_for_no_report);
    tcase_add_test(tests, a_hundred_thousand_variables);
    return unit_run(tests);
}
