/* Globs: what matches, and that no pattern takes for ever. */
#include "glob_match.h"
#include "unit.h"

#include <string.h>

static bool matches(const char *glob, const char *text)
{
    return al_glob_matches(glob, strlen(glob), text);
}

START_TEST(plain_text)
{
    ck_assert(matches("redis", "redis"));
    ck_assert(!matches("redis", "redis-server"));
    ck_assert(!matches("redis-server", "redis"));
    ck_assert(!matches("redis", "Redis"));
    ck_assert(matches("", ""));
    ck_assert(!matches("", "a"));
}
END_TEST

START_TEST(stars)
{
    ck_assert(matches("*", ""));
    ck_assert(matches("*", "anything/at all"));
    ck_assert(matches("python*", "python3.11"));
    ck_assert(matches("python*", "python"));
    ck_assert(!matches("python*", "pytho"));
    ck_assert(matches("*-server", "redis-server"));
    ck_assert(!matches("*-server", "redis-server2"));
    ck_assert(matches("a*b*c", "a-b-b-c"));
    ck_assert(!matches("a*b*c", "a-c-b"));
    ck_assert(matches("**a**", "a"));
    ck_assert(matches("/opt/*", "/opt/app/bin/server"));
}
END_TEST

START_TEST(one_byte)
{
    ck_assert(matches("gcc-1?", "gcc-12"));
    ck_assert(!matches("gcc-1?", "gcc-1"));
    ck_assert(!matches("?", ""));
    ck_assert(matches("*?", "a"));
    ck_assert(!matches("*?", ""));
}
END_TEST

START_TEST(brackets)
{
    ck_assert(matches("[a-c]x", "bx"));
    ck_assert(!matches("[a-c]x", "dx"));
    ck_assert(!matches("[!a-c]x", "bx"));
    ck_assert(matches("[!a-c]x", "dx"));
    ck_assert(!matches("[!a]", ""));
    ck_assert(matches("[]]", "]"));
    ck_assert(matches("[!]]", "a"));
    ck_assert(!matches("[!]]", "]"));
    ck_assert(matches("[a-]", "-"));
    ck_assert(matches("[-a]", "-"));
    ck_assert(matches("[0-9][0-9]", "42"));
    ck_assert(matches("*[0-9]", "gcc-12"));
    ck_assert(!matches("[z-a]", "m"));
    ck_assert(matches("[\x80-\xff]", "\xc3"));
}
END_TEST

START_TEST(a_bracket_that_is_not_closed)
{
    ck_assert(matches("[", "["));
    ck_assert(matches("[a", "[a"));
    ck_assert(matches("[!", "[!"));
    ck_assert(matches("[]", "[]"));
    ck_assert(!matches("[a", "a"));
}
END_TEST

START_TEST(escapes)
{
    ck_assert(matches("\\*", "*"));
    ck_assert(!matches("\\*", "a"));
    ck_assert(matches("\\[a\\]", "[a]"));
    ck_assert(matches("\\", "\\"));
    ck_assert(matches("\\\\", "\\"));
}
END_TEST

/* Nothing behind `length` is looked at. */
START_TEST(the_end_of_the_glob)
{
    ck_assert(al_glob_matches("ab,c", 2, "ab"));
    ck_assert(al_glob_matches("a[b]", 2, "a["));
    ck_assert(al_glob_matches("*x", 1, "anything"));
    ck_assert(al_glob_matches("a\\b", 2, "a\\"));
}
END_TEST

/* Each of these would take more steps than there is time for, if every star were tried anew. */
START_TEST(patterns_that_would_take_for_ever)
{
    enum { STARS = 2000, LENGTH = 4000 };
    char *glob = unit_repeat('*', 2 * STARS + 1);
    char *text = unit_repeat('a', LENGTH);

    for (size_t i = 0; i < STARS; i++)
        glob[2 * i] = 'a';
    ck_assert(matches(glob, text));
    glob[2 * STARS] = 'b';
    ck_assert(!matches(glob, text));
    ck_assert(!matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
    ck_assert(!matches("*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*?*?*?*?*0", text));
    ck_assert(matches(unit_repeat('*', LENGTH), text));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("glob_match");

    tcase_add_test(tests, plain_text);
    tcase_add_test(tests, stars);
    tcase_add_test(tests, one_byte);
    tcase_add_test(tests, brackets);
    tcase_add_test(tests, a_bracket_that_is_not_closed);
    tcase_add_test(tests, escapes);
    tcase_add_test(tests, the_end_of_the_glob);
    tcase_add_test(tests, patterns_that_would_take_for_ever);
    return unit_run(tests);
}
