#include "parse.h"
#include "unit.h"

#include <errno.h>

static const struct al_word words[] = {{"one", 1}, {"two", 2}, {"four", 4}, {"", 0}};

static const uint64_t untouched = 123456789;

static void expect_size(const char *value, uint64_t wanted)
{
    uint64_t size = untouched;

    ck_assert_msg(al_parse_size(value, 0, UINT64_MAX, &size) == 0, "%s", value);
    ck_assert_uint_eq(size, wanted);
}

static void expect_no_size(const char *value, uint64_t min, uint64_t max, int error)
{
    uint64_t size = untouched;

    ck_assert_msg(al_parse_size(value, min, max, &size) == error, "%s", value);
    ck_assert_uint_eq(size, untouched);
}

START_TEST(sizes)
{
    expect_size("0", 0);
    expect_size("1", 1);
    expect_size("007", 7);
    expect_size("4096", 4096);
    expect_size("18446744073709551615", UINT64_MAX);
}
END_TEST

START_TEST(sizes_with_units)
{
    expect_size("0K", 0);
    expect_size("64K", 64 << 10);
    expect_size("64k", 64 << 10);
    expect_size("3M", 3 << 20);
    expect_size("3m", 3 << 20);
    expect_size("5G", (uint64_t)5 << 30);
    expect_size("5g", (uint64_t)5 << 30);
    expect_size("2T", (uint64_t)2 << 40);
    expect_size("2t", (uint64_t)2 << 40);
    expect_size("16777215T", (uint64_t)16777215 << 40);
}
END_TEST

START_TEST(what_is_no_size)
{
    static const char *const junk[] = {
        "",    " ",  "K",   "x",   "-1", "+1",  " 1",   "1 ",  "1 K", "1KB", "1KiB", "1.5M", "0x10",
        "1e3", "1P", "1KK", "1\n", "K1", "50%", "auto", "--1", "1,0", "1_0", "\xff", "1\xff"};

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        expect_no_size(junk[i], 0, UINT64_MAX, -EINVAL);
}
END_TEST

START_TEST(sizes_that_overflow)
{
    expect_no_size("18446744073709551616", 0, UINT64_MAX, -ERANGE);
    expect_no_size("99999999999999999999999999", 0, UINT64_MAX, -ERANGE);
    expect_no_size("16777216T", 0, UINT64_MAX, -ERANGE);
    expect_no_size("18014398509481984K", 0, UINT64_MAX, -ERANGE);
    expect_no_size("18446744073709551615K", 0, UINT64_MAX, -ERANGE);
}
END_TEST

START_TEST(sizes_out_of_bounds)
{
    uint64_t size;

    ck_assert_int_eq(al_parse_size("4K", 4096, 8192, &size), 0);
    ck_assert_int_eq(al_parse_size("8192", 4096, 8192, &size), 0);
    expect_no_size("4095", 4096, 8192, -ERANGE);
    expect_no_size("8193", 4096, 8192, -ERANGE);
    expect_no_size("0", 1, UINT64_MAX, -ERANGE);
}
END_TEST

START_TEST(percents)
{
    static const char *const junk[] = {"",    "%",    "50",  "50 %", " 50%",
                                       "-1%", "5.5%", "1K%", "50%%", "x%"};
    unsigned percent = 7;

    ck_assert_int_eq(al_parse_percent("1%", &percent), 0);
    ck_assert_uint_eq(percent, 1);
    ck_assert_int_eq(al_parse_percent("007%", &percent), 0);
    ck_assert_uint_eq(percent, 7);
    ck_assert_int_eq(al_parse_percent("100%", &percent), 0);
    ck_assert_uint_eq(percent, 100);
    ck_assert_int_eq(al_parse_percent("0%", &percent), -ERANGE);
    ck_assert_int_eq(al_parse_percent("101%", &percent), -ERANGE);
    ck_assert_int_eq(al_parse_percent("4294967297%", &percent), -ERANGE);
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        ck_assert_msg(al_parse_percent(junk[i], &percent) == -EINVAL, "%s", junk[i]);
    ck_assert_uint_eq(percent, 100);
}
END_TEST

START_TEST(flags)
{
    static const struct al_word good[] = {{"0", 0},     {"1", 1},   {"no", 0},    {"yes", 1},
                                          {"off", 0},   {"on", 1},  {"false", 0}, {"true", 1},
                                          {"False", 0}, {"YES", 1}, {"oN", 1},    {"OFF", 0}};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unsigned flag = 7;

        ck_assert_msg(al_parse_flag(good[i].word, &flag) == 0, "%s", good[i].word);
        ck_assert_uint_eq(flag, good[i].value);
    }
}
END_TEST

START_TEST(what_is_no_flag)
{
    static const char *const junk[] = {"",  "2",    "00", "01", "y", "n",
                                       "t", "yess", " 1", "1 ", "-1"};

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        unsigned flag = 7;

        ck_assert_msg(al_parse_flag(junk[i], &flag) == -EINVAL, "%s", junk[i]);
        ck_assert_uint_eq(flag, 7);
    }
}
END_TEST

START_TEST(one_word)
{
    unsigned value = 7;

    ck_assert_int_eq(al_parse_word("two", words, &value), 0);
    ck_assert_uint_eq(value, 2);
    ck_assert_int_eq(al_parse_word("FouR", words, &value), 0);
    ck_assert_uint_eq(value, 4);
}
END_TEST

START_TEST(what_is_no_word)
{
    static const char *const junk[] = {"",     "on",   "ones",    "three",
                                       " one", "one ", "one,two", "\xef"};

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        unsigned value = 7;

        ck_assert_msg(al_parse_word(junk[i], words, &value) == -EINVAL, "%s", junk[i]);
        ck_assert_uint_eq(value, 7);
    }
}
END_TEST

static void expect_set(const char *value, unsigned wanted)
{
    char bad[AL_PARSE_ITEM_SIZE];
    unsigned mask = 64;

    ck_assert_msg(al_parse_set(value, words, &mask, bad) == 0, "%s", value);
    ck_assert_uint_eq(mask, wanted);
}

static void expect_no_set(const char *value, const char *bad_wanted)
{
    char bad[AL_PARSE_ITEM_SIZE];
    unsigned mask = 64;

    ck_assert_msg(al_parse_set(value, words, &mask, bad) == -EINVAL, "%s", value);
    ck_assert_str_eq(bad, bad_wanted);
    ck_assert_uint_eq(mask, 64);
}

START_TEST(lists)
{
    expect_set("one", 1);
    expect_set("one,two", 3);
    expect_set("two,one,four", 7);
    expect_set("one,one,one", 1);
    expect_set("ONE,Four", 5);
}
END_TEST

START_TEST(lists_with_blanks)
{
    expect_set(" one", 1);
    expect_set("one ", 1);
    expect_set("one, two", 3);
    expect_set("one ,two", 3);
    expect_set("\t one \t,\ttwo  ", 3);
}
END_TEST

START_TEST(what_is_no_list)
{
    expect_no_set("", "");
    expect_no_set(" ", "");
    expect_no_set(",", "");
    expect_no_set("one,", "");
    expect_no_set(",one", "");
    expect_no_set("one,,two", "");
    expect_no_set("one, ,two", "");
    expect_no_set("one two", "one two");
    expect_no_set("one;two", "one;two");
    expect_no_set("one, three ,two", "three");
    expect_no_set("one\n", "one\n");
}
END_TEST

START_TEST(a_long_item_is_cut)
{
    char *item = unit_repeat('x', 100000);
    char *wanted = unit_repeat('x', AL_PARSE_ITEM_SIZE - 1);

    expect_no_set(item, wanted);
    expect_no_set(wanted, wanted);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("parse");

    tcase_add_test(tests, sizes);
    tcase_add_test(tests, sizes_with_units);
    tcase_add_test(tests, what_is_no_size);
    tcase_add_test(tests, sizes_that_overflow);
    tcase_add_test(tests, sizes_out_of_bounds);
    tcase_add_test(tests, percents);
    tcase_add_test(tests, flags);
    tcase_add_test(tests, what_is_no_flag);
    tcase_add_test(tests, one_word);
    tcase_add_test(tests, what_is_no_word);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, lists_with_blanks);
    tcase_add_test(tests, what_is_no_list);
    tcase_add_test(tests, a_long_item_is_cut);
    return unit_run(tests);
}
