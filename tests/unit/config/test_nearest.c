#include "nearest.h"
#include "unit.h"

static const char *nearest_of(const char *typed, const char *const candidates[])
{
    struct al_nearest nearest = AL_NEAREST_NONE;

    for (; *candidates; candidates++)
        al_nearest_offer(&nearest, typed, *candidates);
    return nearest.best;
}

static const char *const names[] = {"MODE",       "FLAGS", "ON_FAILURE", "STATS",
                                    "STATS_FILE", "LOG",   NULL};

START_TEST(a_name_mistyped)
{
    ck_assert_str_eq(nearest_of("MODE", names), "MODE");
    ck_assert_str_eq(nearest_of("MODES", names), "MODE");
    ck_assert_str_eq(nearest_of("MOD", names), "MODE");
    ck_assert_str_eq(nearest_of("MOED", names), "MODE");
    ck_assert_str_eq(nearest_of("FLAG", names), "FLAGS");
    ck_assert_str_eq(nearest_of("STATFILE", names), "STATS_FILE");
    ck_assert_str_eq(nearest_of("ONFAILURE", names), "ON_FAILURE");
    ck_assert_str_eq(nearest_of("LOGS", names), "LOG");
}
END_TEST

START_TEST(case_does_not_count)
{
    ck_assert_str_eq(nearest_of("mode", names), "MODE");
    ck_assert_str_eq(nearest_of("Stats-File", names), "STATS_FILE");
}
END_TEST

START_TEST(the_nearest_of_several)
{
    ck_assert_str_eq(nearest_of("STATS_FIL", names), "STATS_FILE");
    ck_assert_str_eq(nearest_of("STAT", names), "STATS");
}
END_TEST

START_TEST(the_first_of_two_that_are_as_near)
{
    static const char *const two[] = {"ab", "ac", NULL};

    ck_assert_str_eq(nearest_of("ad", two), "ab");
}
END_TEST

START_TEST(what_is_like_no_other)
{
    ck_assert_ptr_null(nearest_of("", names));
    ck_assert_ptr_null(nearest_of("X", names));
    ck_assert_ptr_null(nearest_of("PREFETCH", names));
    ck_assert_ptr_null(nearest_of("\xff\xfe\x80", names));
}
END_TEST

/* A third of the word may be wrong, and of a short one not so much that the meaning turns. */
START_TEST(a_short_word_is_not_its_opposite)
{
    static const char *const modes[] = {"all", "observe", "off", NULL};

    ck_assert_ptr_null(nearest_of("on", modes));
    ck_assert_ptr_null(nearest_of("FOO", names));
    ck_assert_str_eq(nearest_of("of", modes), "off");
    ck_assert_str_eq(nearest_of("al", modes), "all");
}
END_TEST

START_TEST(no_candidates)
{
    ck_assert_ptr_null(nearest_of("MODE", names + 6));
}
END_TEST

START_TEST(the_longest_that_is_compared)
{
    char *longest = unit_repeat('n', AL_NEAREST_MAX);
    char *longer = unit_repeat('n', AL_NEAREST_MAX + 1);
    const char *const longest_only[] = {longest, NULL};
    const char *const longer_only[] = {longer, NULL};

    ck_assert_ptr_eq(nearest_of(longest, longest_only), longest);
    ck_assert_ptr_null(nearest_of(longer, longest_only));
    ck_assert_ptr_null(nearest_of(longest, longer_only));
    ck_assert_ptr_null(nearest_of(unit_repeat('n', 1000000), longest_only));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("nearest");

    tcase_add_test(tests, a_name_mistyped);
    tcase_add_test(tests, case_does_not_count);
    tcase_add_test(tests, the_nearest_of_several);
    tcase_add_test(tests, the_first_of_two_that_are_as_near);
    tcase_add_test(tests, what_is_like_no_other);
    tcase_add_test(tests, a_short_word_is_not_its_opposite);
    tcase_add_test(tests, no_candidates);
    tcase_add_test(tests, the_longest_that_is_compared);
    return unit_run(tests);
}
