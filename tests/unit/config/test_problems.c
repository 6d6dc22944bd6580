/* What is said about an environment that is wrong: one line a problem. */
#include "options.h"
#include "unit.h"

#include <string.h>

static char problem_bytes[1 << 16];

#define READ(...) read_environment((char *const[]){__VA_ARGS__, NULL})

static const char *read_environment(char *const environment[])
{
    static struct al_config config;
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    ck_assert_uint_gt(al_config_read(&config, environment, &problems), 0);
    ck_assert(!problems.cut);
    return problem_bytes;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

START_TEST(a_bad_word)
{
    ck_assert_str_eq(READ("AUTOLOCK_ON_FAILURE=panic"),
                     "libautolock: AUTOLOCK_ON_FAILURE=\"panic\": must be one of warn, fail, "
                     "ignore; using warn\n");
    ck_assert_str_eq(READ("AUTOLOCK_ON_FAILURE=wran"),
                     "libautolock: AUTOLOCK_ON_FAILURE=\"wran\": must be one of warn, fail, ignore "
                     "(did you mean warn?); using warn\n");
}
END_TEST

START_TEST(a_bad_item_of_a_list)
{
    ck_assert_str_eq(READ("AUTOLOCK_FLAGS=current, onfualt"),
                     "libautolock: AUTOLOCK_FLAGS=\"current, onfualt\": must be a comma-separated "
                     "list of current, future, onfault (did you mean onfault?); using "
                     "current,future\n");
}
END_TEST

START_TEST(an_unknown_name)
{
    ck_assert_str_eq(READ("AUTOLOCK_MODUS=all"),
                     "libautolock: AUTOLOCK_MODUS: no such option (did you mean AUTOLOCK_MODE?)\n");
    ck_assert_str_eq(READ("AUTOLOCK_mode=all"),
                     "libautolock: AUTOLOCK_mode: no such option (did you mean AUTOLOCK_MODE?)\n");
}
END_TEST

START_TEST(an_unknown_name_like_no_other)
{
    const char *said = READ("AUTOLOCK_SOMETHING_ELSE=1");

    ck_assert_ptr_eq(
        strstr(said, "libautolock: AUTOLOCK_SOMETHING_ELSE: no such option; known are "), said);
    for (size_t i = 0; i < al_option_count; i++)
        ck_assert_ptr_nonnull(strstr(said, al_options[i].name));
    ck_assert_uint_eq(lines_of(said), 1);
}
END_TEST

START_TEST(an_empty_name)
{
    ck_assert_ptr_nonnull(strstr(READ("AUTOLOCK_=1"), "AUTOLOCK_: no such option"));
}
END_TEST

START_TEST(contradictions)
{
    ck_assert_str_eq(READ("AUTOLOCK_FLAGS=onfault"),
                     "libautolock: AUTOLOCK_FLAGS=\"onfault\": onfault says how, not when: add "
                     "current, future or both; using current,future,onfault\n");
    ck_assert_str_eq(READ("AUTOLOCK_STATS=off", "AUTOLOCK_STATS_FILE=r"),
                     "libautolock: AUTOLOCK_STATS_FILE=\"r\": is not written with "
                     "AUTOLOCK_STATS=off\n");
}
END_TEST

START_TEST(a_bad_size)
{
    ck_assert_str_eq(READ("AUTOLOCK_MIN_SIZE=64KB"),
                     "libautolock: AUTOLOCK_MIN_SIZE=\"64KB\": must be a size in bytes, optionally "
                     "with K, M, G or T; using 0\n");
    ck_assert_str_eq(READ("AUTOLOCK_MAX_SIZE=nine"),
                     "libautolock: AUTOLOCK_MAX_SIZE=\"nine\": must be a size in bytes, optionally "
                     "with K, M, G or T, or none (did you mean none?); using none\n");
}
END_TEST

START_TEST(a_bad_budget)
{
    static const char *const wrong[] = {"0%",  "101%", "50%%", "1.5G",
                                        "all", "-1",   "%",    "18446744073709551616"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char variable[64] = "AUTOLOCK_BUDGET=";
        const char *said = READ(strcat(variable, wrong[i]));

        ck_assert_ptr_nonnull(strstr(said, wrong[i]));
        ck_assert_ptr_nonnull(strstr(said, "; using auto\n"));
        ck_assert_uint_eq(lines_of(said), 1);
    }
    ck_assert_str_eq(READ("AUTOLOCK_BUDGET=unlimted"),
                     "libautolock: AUTOLOCK_BUDGET=\"unlimted\": must be auto, unlimited, "
                     "1% to 100%, or a size in bytes, optionally with K, M, G or T (did you "
                     "mean unlimited?); using auto\n");
}
END_TEST

START_TEST(control_bytes_do_not_reach_the_terminal)
{
    const char *said = READ("AUTOLOCK_MODE=a\x1b[2J\nb\x7f", "AUTOLOCK_\x1b]0;x\a=1");

    ck_assert_uint_eq(lines_of(said), 2);
    for (const char *at = said; *at; at++)
        ck_assert((*at >= 0x20 && *at < 0x7F) || *at == '\n');
    ck_assert_ptr_nonnull(strstr(said, "\"a\\x1b[2J\\x0ab\\x7f\""));
}
END_TEST

START_TEST(huge_names_and_values_are_cut)
{
    static const char mode[] = "AUTOLOCK_MODE=";
    char *value = unit_repeat('v', 1 << 20);
    char *name = unit_repeat('N', 1 << 20);

    memcpy(value, mode, sizeof(mode) - 1);
    memcpy(name, "AUTOLOCK_", 9);
    strcpy(name + (1 << 20) - 2, "=");
    ck_assert_uint_lt(strlen(READ(value, name)), 500);
    ck_assert_uint_eq(lines_of(problem_bytes), 2);
    ck_assert_ptr_nonnull(strstr(problem_bytes, "vvv...\""));
    ck_assert_ptr_nonnull(strstr(problem_bytes, "NNN..."));
}
END_TEST

START_TEST(ten_problems_are_shown)
{
    char *environment[13] = {NULL};

    for (size_t i = 0; i < 10; i++)
        environment[i] = (char *)"AUTOLOCK_UNKNOWN=";
    ck_assert_uint_eq(lines_of(read_environment(environment)), 10);
    ck_assert_ptr_null(strstr(problem_bytes, "more"));

    environment[10] = (char *)"AUTOLOCK_MODE=nonsense";
    environment[11] = (char *)"AUTOLOCK_FLAGS=onfault";
    ck_assert_uint_eq(lines_of(read_environment(environment)), 11);
    ck_assert_ptr_nonnull(
        strstr(problem_bytes, "\nlibautolock: 2 more such problems in the environment\n"));
}
END_TEST

/* One that does not fit is cut, and nothing is written behind the buffer. */
START_TEST(a_small_buffer)
{
    char *const environment[] = {(char *)"AUTOLOCK_MODE=lock", NULL};
    char small[16];
    struct al_text problems = al_text_over(small, sizeof(small));
    struct al_config config;

    ck_assert_uint_eq(al_config_read(&config, environment, &problems), 1);
    ck_assert(problems.cut);
    ck_assert_str_eq(small, "libautolock: AU");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("problems");

    tcase_add_test(tests, a_bad_word);
    tcase_add_test(tests, a_bad_item_of_a_list);
    tcase_add_test(tests, an_unknown_name);
    tcase_add_test(tests, an_unknown_name_like_no_other);
    tcase_add_test(tests, an_empty_name);
    tcase_add_test(tests, contradictions);
    tcase_add_test(tests, a_bad_size);
    tcase_add_test(tests, a_bad_budget);
    tcase_add_test(tests, control_bytes_do_not_reach_the_terminal);
    tcase_add_test(tests, huge_names_and_values_are_cut);
    tcase_add_test(tests, ten_problems_are_shown);
    tcase_add_test(tests, a_small_buffer);
    return unit_run(tests);
}
