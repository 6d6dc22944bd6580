/* Strings as JSON: RFC 8259 for what is escaped, RFC 3629 for what is UTF-8. */
#include "text.h"
#include "unit.h"

#include <string.h>

static void expect(const char *string, const char *wanted)
{
    char buffer[256];
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_text_json(&text, string);
    ck_assert_str_eq(buffer, wanted);
}

START_TEST(plain)
{
    expect("", "\"\"");
    expect("plain/text 'a'", "\"plain/text 'a'\"");
}
END_TEST

START_TEST(keys)
{
    char buffer[64];
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_text_char(&text, '{');
    al_text_json_key(&text, "a");
    al_text_char(&text, '{');
    al_text_json_key(&text, "b\"");
    al_text_string(&text, "1}");
    al_text_json_key(&text, "c");
    ck_assert_str_eq(buffer, "{\"a\":{\"b\\\"\":1},\"c\":");
}
END_TEST

START_TEST(quotes_and_backslashes)
{
    expect("a\"b\\c", "\"a\\\"b\\\\c\"");
}
END_TEST

START_TEST(control_bytes)
{
    expect("\x01\n\t\x1f", "\"\\u0001\\u000a\\u0009\\u001f\"");
    expect("\x20\x7e", "\" ~\"");
    expect("\x7f", "\"\\u007f\"");
    /* Those that only a terminal takes for some. */
    expect("\xC2\x80\xC2\x9F", "\"\\u0080\\u009f\"");
    expect("\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9", "\"\\u202a\\u202e\\u2066\\u2069\"");
    expect("\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA",
           "\"\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA\"");
}
END_TEST

START_TEST(utf8_stays)
{
    static const char *const good[] = {
        "\xC2\xA0",         /* U+00A0, the first that is no control character */
        "\xDF\xBF",         /* U+07FF */
        "\xE0\xA0\x80",     /* U+0800, the first of three */
        "\xED\x9F\xBF",     /* U+D7FF, the last before the surrogates */
        "\xEE\x80\x80",     /* U+E000, the first behind them */
        "\xEF\xBF\xBF",     /* U+FFFF */
        "\xF0\x90\x80\x80", /* U+10000, the first of four */
        "\xF4\x8F\xBF\xBF", /* U+10FFFF, the last of all */
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char wanted[16] = "\"";

        strcat(strcat(wanted, good[i]), "\"");
        expect(good[i], wanted);
    }
}
END_TEST

/* One replacement for each byte that begins no sequence. */
START_TEST(what_is_not_utf8_is_replaced)
{
    expect("\x80", "\"\\ufffd\"");
    expect("\xBF", "\"\\ufffd\"");
    expect("\xFE\xFF", "\"\\ufffd\\ufffd\"");
    expect("\xF5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    /* overlong: "/" in two and three bytes, U+07FF in three, U+FFFF in four */
    expect("\xC0\xAF", "\"\\ufffd\\ufffd\"");
    expect("\xC1\xBF", "\"\\ufffd\\ufffd\"");
    expect("\xE0\x80\xAF", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xE0\x9F\xBF", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xF0\x8F\xBF\xBF", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    /* surrogates, and beyond U+10FFFF */
    expect("\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xED\xBF\xBF", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xF4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}
END_TEST

START_TEST(a_sequence_that_breaks_off_is_replaced)
{
    expect("\xC3", "\"\\ufffd\"");
    expect("\xE2\x82", "\"\\ufffd\\ufffd\"");
    expect("\xF0\x9F\x98", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xC3(", "\"\\ufffd(\"");
    expect("\xE2\x82\"", "\"\\ufffd\\ufffd\\\"\"");
    expect("\xF0\x9F\xC3\xBC", "\"\\ufffd\\ufffd\xC3\xBC\"");
}
END_TEST

START_TEST(every_byte_alone)
{
    for (int byte = 0x80; byte <= 0xFF; byte++) {
        char string[] = {(char)byte, '\0'};

        expect(string, "\"\\ufffd\"");
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("text_json");

    tcase_add_test(tests, plain);
    tcase_add_test(tests, keys);
    tcase_add_test(tests, quotes_and_backslashes);
    tcase_add_test(tests, control_bytes);
    tcase_add_test(tests, utf8_stays);
    tcase_add_test(tests, what_is_not_utf8_is_replaced);
    tcase_add_test(tests, a_sequence_that_breaks_off_is_replaced);
    tcase_add_test(tests, every_byte_alone);
    return unit_run(tests);
}
