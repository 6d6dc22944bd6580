/* Which programs a list of globs means. */
#include "options.h"
#include "programs.h"
#include "unit.h"

#include <string.h>

static bool includes(const char *list, const char *name)
{
    const char *const names[] = {name, NULL};

    return al_programs_include(list, names, 2);
}

START_TEST(by_base_name)
{
    ck_assert(includes("redis-server", "/usr/bin/redis-server"));
    ck_assert(includes("redis-server", "redis-server"));
    ck_assert(!includes("redis-server", "/usr/bin/redis-cli"));
    ck_assert(!includes("bin*", "/usr/bin/redis-server"));
    ck_assert(includes("*", "/bin/sh"));
}
END_TEST

START_TEST(by_path_if_the_glob_has_a_slash)
{
    ck_assert(includes("/usr/bin/*", "/usr/bin/redis-server"));
    ck_assert(!includes("/usr/bin/*", "/opt/usr/bin/redis-server"));
    ck_assert(includes("*/app/*", "/opt/app/bin/server"));
    ck_assert(!includes("/usr/bin/*", "redis-server"));
}
END_TEST

START_TEST(several)
{
    ck_assert(includes("nginx, redis*", "/usr/bin/redis-server"));
    ck_assert(includes("nginx ,\tredis* ", "/usr/sbin/nginx"));
    ck_assert(!includes("nginx, redis*", "/bin/sh"));
}
END_TEST

START_TEST(excluded)
{
    ck_assert(!includes("!sh", "/bin/sh"));
    ck_assert(includes("!sh", "/bin/bash"));
    ck_assert(!includes("!*sh,!perl", "/bin/bash"));
    ck_assert(includes("!*sh,!perl", "/usr/bin/python3"));
    /* Wherever it stands. */
    ck_assert(!includes("redis*,!*-cli", "/usr/bin/redis-cli"));
    ck_assert(!includes("!*-cli,redis*", "/usr/bin/redis-cli"));
    ck_assert(includes("redis*,!*-cli", "/usr/bin/redis-server"));
    ck_assert(!includes("redis*,!*-cli", "/bin/sh"));
    ck_assert(!includes("!/usr/*", "/usr/bin/perl"));
}
END_TEST

START_TEST(one_of_its_names_is_enough)
{
    const char *const script[] = {"/opt/app/run.py", "/usr/bin/python3.11"};

    ck_assert(al_programs_include("run.py", script, 2));
    ck_assert(al_programs_include("python*", script, 2));
    ck_assert(!al_programs_include("run.py,!python*", script, 2));
    ck_assert(!al_programs_include("perl*", script, 2));
}
END_TEST

START_TEST(no_name)
{
    ck_assert(!includes("a", NULL));
    ck_assert(!includes("*", ""));
    ck_assert(includes("!a", NULL));
}
END_TEST

static unsigned problems_of(const char *variable, const char *wanted_list)
{
    static struct al_config config;
    char *environment[] = {(char *)variable, NULL};
    char bytes[8192];
    struct al_text problems = al_text_over(bytes, sizeof(bytes));
    unsigned count = al_config_read(&config, environment, &problems);

    ck_assert_str_eq(config.programs, wanted_list);
    return count;
}

START_TEST(from_the_environment)
{
    char *longest = unit_repeat('x', strlen("AUTOLOCK_PROGRAMS=") + AL_OPTION_LIST_SIZE - 1);

    ck_assert_uint_eq(problems_of("AUTOLOCK_PROGRAMS=", "*"), 0);
    ck_assert_uint_eq(problems_of("AUTOLOCK_PROGRAMS=a, !b", "a, !b"), 0);
    ck_assert_uint_eq(problems_of("AUTOLOCK_PROGRAMS=a,,b", "*"), 1);
    ck_assert_uint_eq(problems_of("AUTOLOCK_PROGRAMS=a,", "*"), 1);
    ck_assert_uint_eq(problems_of("AUTOLOCK_PROGRAMS=a,!", "*"), 1);
    memcpy(longest, "AUTOLOCK_PROGRAMS=", strlen("AUTOLOCK_PROGRAMS="));
    ck_assert_uint_eq(problems_of(longest, strchr(longest, '=') + 1), 0);
    ck_assert_uint_eq(problems_of(strcat(strcpy(unit_repeat(' ', 8000), longest), "x"), "*"), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("programs");

    tcase_add_test(tests, by_base_name);
    tcase_add_test(tests, by_path_if_the_glob_has_a_slash);
    tcase_add_test(tests, several);
    tcase_add_test(tests, excluded);
    tcase_add_test(tests, one_of_its_names_is_enough);
    tcase_add_test(tests, no_name);
    tcase_add_test(tests, from_the_environment);
    return unit_run(tests);
}
