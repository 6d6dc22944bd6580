/* Strings as Prometheus wants the value of a label: three bytes are escaped, and all is UTF-8. */
#include "text.h"
#include "unit.h"

static void expect(const char *string, const char *wanted)
{
    char buffer[64];
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_text_label(&text, string);
    ck_assert_str_eq(buffer, wanted);
}

START_TEST(plain)
{
    expect("", "\"\"");
    expect("plain/text 'a'={},", "\"plain/text 'a'={},\"");
}
END_TEST

START_TEST(what_is_escaped)
{
    expect("a\"b\\c\nd", "\"a\\\"b\\\\c\\nd\"");
    expect("\\n", "\"\\\\n\"");
}
END_TEST

START_TEST(other_control_bytes_stay)
{
    expect("\x01\t\r\x1f\x7f", "\"\x01\t\r\x1f\x7f\"");
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced)
{
    expect("gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x92", "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x92\"");
    expect("\x80", "\"\xEF\xBF\xBD\"");
    expect("\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    expect("\xE2\x82\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\"");
    expect("\xC3\n", "\"\xEF\xBF\xBD\\n\"");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("text_label");

    tcase_add_test(tests, plain);
    tcase_add_test(tests, what_is_escaped);
    tcase_add_test(tests, other_control_bytes_stay);
    tcase_add_test(tests, what_is_not_utf8_is_replaced);
    return unit_run(tests);
}
