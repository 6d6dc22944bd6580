/* Files of any length, and lines that are longer than the buffer. */
#include "lines.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static char visited[1 << 16];
static unsigned most;

static bool note(char *line, void *data)
{
    ck_assert_ptr_eq(data, &most);
    strcat(strcat(visited, line), "|");
    return --most != 0;
}

static const char *lines_of(const char *text, size_t size, unsigned count)
{
    char buffer[64];

    for (int file = AL_LINES_LIST; file <= AL_LINES_TEXT; file++) {
        unit_write_path("lines", text);
        most = count;
        visited[0] = '\0';
        ck_assert_int_eq(
            al_lines_each("lines", (enum al_lines_file)file, buffer, size, note, &most), 0);
    }
    return visited;
}

START_TEST(each_line)
{
    ck_assert_str_eq(lines_of("one\ntwo\n\nthree\n", 64, 100), "one|two||three|");
    ck_assert_str_eq(lines_of("one\ntwo\n\nthree\n", 8, 100), "one|two||three|");
    ck_assert_str_eq(lines_of("", 8, 100), "");
}
END_TEST

START_TEST(a_line_without_its_end)
{
    ck_assert_str_eq(lines_of("one\ntwo", 64, 100), "one|two|");
    ck_assert_str_eq(lines_of("1234567", 8, 100), "1234567|");
}
END_TEST

START_TEST(of_a_long_line_the_beginning)
{
    ck_assert_str_eq(lines_of("a\n0123456789abcdefghijk\nb\n", 8, 100), "a|0123456|b|");
    ck_assert_str_eq(lines_of("0123456789abcdefghijk", 8, 100), "0123456|");
    ck_assert_str_eq(lines_of("0123456\n8\n", 8, 100), "0123456|8|");
}
END_TEST

START_TEST(until_it_is_enough)
{
    ck_assert_str_eq(lines_of("one\ntwo\nthree\n", 64, 2), "one|two|");
    ck_assert_str_eq(lines_of("0123456789\ntwo\n", 8, 1), "0123456|");
}
END_TEST

START_TEST(no_such_file)
{
    char buffer[8];

    errno = 1234;
    ck_assert_int_eq(al_lines_each("missing", AL_LINES_LIST, buffer, sizeof(buffer), note, &most),
                     -ENOENT);
    ck_assert_int_eq(al_lines_each(".", AL_LINES_LIST, buffer, sizeof(buffer), note, &most),
                     -EISDIR);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lines");

    unit_in_directory(tests);
    tcase_add_test(tests, each_line);
    tcase_add_test(tests, a_line_without_its_end);
    tcase_add_test(tests, of_a_long_line_the_beginning);
    tcase_add_test(tests, until_it_is_enough);
    tcase_add_test(tests, no_such_file);
    return unit_run(tests);
}
