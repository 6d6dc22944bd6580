#include "text.h"
#include "unit.h"

#include <string.h>

/* Where a text may not write to, behind its buffer. */
static const char guard = '#';

static char buffer[256];
static struct al_text text;

static void begin(size_t size)
{
    memset(buffer, guard, sizeof(buffer));
    text = al_text_over(buffer, size);
}

static void expect(const char *wanted)
{
    ck_assert_str_eq(buffer, wanted);
    ck_assert_uint_eq(text.length, strlen(wanted));
    ck_assert(!text.cut);
}

#define EXPECT(call, wanted)                                                                       \
    do {                                                                                           \
        begin(sizeof(buffer));                                                                     \
        call;                                                                                      \
        expect(wanted);                                                                            \
    } while (0)

START_TEST(a_new_text_is_empty)
{
    begin(sizeof(buffer));
    expect("");
}
END_TEST

START_TEST(strings_follow_each_other)
{
    begin(sizeof(buffer));
    al_text_string(&text, "one");
    al_text_char(&text, ' ');
    al_text_bytes(&text, "two three", 3);
    al_text_string(&text, "");
    al_text_bytes(&text, "", 0);
    expect("one two");
}
END_TEST

START_TEST(numbers)
{
    EXPECT(al_text_u64(&text, 0), "0");
    EXPECT(al_text_u64(&text, 10), "10");
    EXPECT(al_text_u64(&text, UINT64_MAX), "18446744073709551615");
    EXPECT(al_text_i64(&text, 0), "0");
    EXPECT(al_text_i64(&text, -1), "-1");
    EXPECT(al_text_i64(&text, INT64_MAX), "9223372036854775807");
    EXPECT(al_text_i64(&text, INT64_MIN), "-9223372036854775808");
}
END_TEST

START_TEST(thousands_are_separated)
{
    EXPECT(al_text_count(&text, 0), "0");
    EXPECT(al_text_count(&text, 999), "999");
    EXPECT(al_text_count(&text, 1000), "1,000");
    EXPECT(al_text_count(&text, 1234567), "1,234,567");
    EXPECT(al_text_count(&text, UINT64_MAX), "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(sizes_for_people)
{
    EXPECT(al_text_size(&text, 0), "0 B");
    EXPECT(al_text_size(&text, 1023), "1023 B");
    EXPECT(al_text_size(&text, 1024), "1.0 KiB");
    EXPECT(al_text_size(&text, 1536), "1.5 KiB");
    EXPECT(al_text_size(&text, (1 << 20) - 1), "1023.9 KiB");
    EXPECT(al_text_size(&text, 1 << 20), "1.0 MiB");
    EXPECT(al_text_size(&text, 242745344), "231.5 MiB");
    EXPECT(al_text_size(&text, (uint64_t)1 << 40), "1.0 TiB");
    EXPECT(al_text_size(&text, UINT64_MAX), "15.9 EiB");
}
END_TEST

START_TEST(file_names)
{
    EXPECT(al_text_file_name(&text, "a b.c", 80), "a b.c");
    EXPECT(al_text_file_name(&text, "../a\n\x7f", 80), ".._a__");
    EXPECT(al_text_file_name(&text, "\xC3\xBC\xFF\xE2\x82", 80), "\xC3\xBC___");
    EXPECT(al_text_file_name(&text, "abc", 2), "ab");
    EXPECT(al_text_file_name(&text, "a\xC3\xBC", 2), "a");
}
END_TEST

START_TEST(seconds_are_exact)
{
    EXPECT(al_text_seconds(&text, 0), "0");
    EXPECT(al_text_seconds(&text, 1), "0.000000001");
    EXPECT(al_text_seconds(&text, 10), "0.00000001");
    EXPECT(al_text_seconds(&text, 999999999), "0.999999999");
    EXPECT(al_text_seconds(&text, 1000000000), "1");
    EXPECT(al_text_seconds(&text, 1020300000), "1.0203");
    EXPECT(al_text_seconds(&text, 60000000000), "60");
    EXPECT(al_text_seconds(&text, UINT64_MAX), "18446744073.709551615");
}
END_TEST

START_TEST(durations_for_people)
{
    EXPECT(al_text_duration(&text, 0), "0 ns");
    EXPECT(al_text_duration(&text, 999), "999 ns");
    EXPECT(al_text_duration(&text, 1000), "1.0 us");
    EXPECT(al_text_duration(&text, 1999), "1.9 us");
    EXPECT(al_text_duration(&text, 3141592), "3.1 ms");
    EXPECT(al_text_duration(&text, 999999999), "999.9 ms");
    EXPECT(al_text_duration(&text, 60000000000), "60.0 s");
    EXPECT(al_text_duration(&text, UINT64_MAX), "18446744073.7 s");
}
END_TEST

START_TEST(sizes_as_options_are_written)
{
    EXPECT(al_text_exact_size(&text, 0), "0");
    EXPECT(al_text_exact_size(&text, 100), "100");
    EXPECT(al_text_exact_size(&text, 1023), "1023");
    EXPECT(al_text_exact_size(&text, 1024), "1K");
    EXPECT(al_text_exact_size(&text, 1025), "1025");
    EXPECT(al_text_exact_size(&text, 64 * 1024), "64K");
    EXPECT(al_text_exact_size(&text, 3 << 20), "3M");
    EXPECT(al_text_exact_size(&text, (uint64_t)5 << 30), "5G");
    EXPECT(al_text_exact_size(&text, (uint64_t)1 << 40), "1T");
    EXPECT(al_text_exact_size(&text, (uint64_t)1 << 50), "1024T");
    EXPECT(al_text_exact_size(&text, UINT64_MAX), "18446744073709551615");
}
END_TEST

START_TEST(padding_is_at_least_one_blank)
{
    EXPECT(al_text_pad(&text, 0), " ");
    EXPECT(al_text_pad(&text, 1), " ");
    EXPECT(al_text_pad(&text, 3), "   ");

    begin(sizeof(buffer));
    al_text_string(&text, "abc");
    al_text_pad(&text, 3);
    al_text_char(&text, '|');
    al_text_pad(&text, 8);
    expect("abc |   ");
}
END_TEST

START_TEST(padding_counts_from_the_line)
{
    begin(sizeof(buffer));
    al_text_string(&text, "a long first line\nb");
    al_text_pad(&text, 4);
    al_text_char(&text, '|');
    expect("a long first line\nb   |");
}
END_TEST

START_TEST(padding_ends_with_the_buffer)
{
    begin(8);
    al_text_pad(&text, 1000000);
    ck_assert(text.cut);
    ck_assert_str_eq(buffer, "       ");
}
END_TEST

START_TEST(what_fits_exactly_is_not_cut)
{
    begin(8);
    al_text_string(&text, "1234567");
    expect("1234567");
    ck_assert_int_eq(buffer[8], guard);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
    begin(8);
    al_text_string(&text, "12345678");
    ck_assert(text.cut);
    ck_assert_str_eq(buffer, "1234567");
    ck_assert_uint_eq(text.length, 7);
    ck_assert_int_eq(buffer[8], guard);
}
END_TEST

START_TEST(a_cut_text_stays_as_it_is)
{
    begin(4);
    al_text_u64(&text, 123456);
    al_text_char(&text, 'x');
    al_text_json(&text, "x");
    al_text_size(&text, UINT64_MAX);
    al_text_printable(&text, "\n", 1);
    al_text_pad(&text, 10);
    ck_assert(text.cut);
    ck_assert_str_eq(buffer, "123");
    ck_assert_int_eq(buffer[4], guard);
}
END_TEST

START_TEST(a_buffer_of_one_byte_holds_nothing)
{
    begin(1);
    expect("");
    al_text_char(&text, 'x');
    ck_assert(text.cut);
    ck_assert_str_eq(buffer, "");
    ck_assert_int_eq(buffer[1], guard);
}
END_TEST

START_TEST(printable_shows_control_bytes)
{
    EXPECT(al_text_printable(&text, "", 10), "");
    EXPECT(al_text_printable(&text, "plain \"text\"", 20), "plain \"text\"");
    EXPECT(al_text_printable(&text, "a\nb\tc\x1b[31m\x7f", 20), "a\\x0ab\\x09c\\x1b[31m\\x7f");
    EXPECT(al_text_printable(&text, "gr\xc3\xbc\xc3\x9f", 20), "gr\xc3\xbc\xc3\x9f");
    EXPECT(al_text_printable(&text,
                             "a\xc2\x9b"
                             "b\x9b"
                             "c\xff",
                             20),
           "a\\xc2\\x9bb\\x9bc\\xff");
    EXPECT(al_text_printable(&text, "a\xe2\x80\xae z\xe2\x81\xa6", 20),
           "a\\xe2\\x80\\xae z\\xe2\\x81\\xa6");
    EXPECT(al_text_printable(&text, "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", 20),
           "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
    EXPECT(al_text_printable(&text, "\xc2\xa0\xe2\x80\xa6\xf0\x9f\x98\x80", 20),
           "\xc2\xa0\xe2\x80\xa6\xf0\x9f\x98\x80");
}
END_TEST

START_TEST(printable_ends_at_its_limit)
{
    EXPECT(al_text_printable(&text, "12345", 6), "12345");
    EXPECT(al_text_printable(&text, "12345", 5), "12345");
    EXPECT(al_text_printable(&text, "12345", 4), "1234...");
    EXPECT(al_text_printable(&text, "12345", 0), "...");
    EXPECT(al_text_printable(&text, "", 0), "");
    /* Never within a character. */
    EXPECT(al_text_printable(&text,
                             "1\xc3\xbc"
                             "2",
                             2),
           "1...");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("text");

    tcase_add_test(tests, a_new_text_is_empty);
    tcase_add_test(tests, strings_follow_each_other);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, thousands_are_separated);
    tcase_add_test(tests, sizes_for_people);
    tcase_add_test(tests, file_names);
    tcase_add_test(tests, seconds_are_exact);
    tcase_add_test(tests, durations_for_people);
    tcase_add_test(tests, sizes_as_options_are_written);
    tcase_add_test(tests, padding_is_at_least_one_blank);
    tcase_add_test(tests, padding_counts_from_the_line);
    tcase_add_test(tests, padding_ends_with_the_buffer);
    tcase_add_test(tests, what_fits_exactly_is_not_cut);
    tcase_add_test(tests, what_does_not_fit_is_cut);
    tcase_add_test(tests, a_cut_text_stays_as_it_is);
    tcase_add_test(tests, a_buffer_of_one_byte_holds_nothing);
    tcase_add_test(tests, printable_shows_control_bytes);
    tcase_add_test(tests, printable_ends_at_its_limit);
    return unit_run(tests);
}
