/* Where a report goes, and what is said when it cannot go there. */
#include "deliver.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct al_config config;
static struct al_run run;
static struct al_stderr err;
static int caught;

static void begin(void)
{
    char problem_bytes[64];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    al_config_read(&config, NULL, &problems);
    run = (struct al_run){
        .pid = getpid(), .config = &config, .program = "program", .backend = "none"};
    caught = unit_catch_stderr();
    err = al_stderr_keep();
}

/* Delivers to `path` (NULL: standard error); returns what standard error got. */
static const char *deliver(enum al_stats stats, const char *path)
{
    config.stats = stats;
    strcpy(config.stats_file, path ? path : "");
    al_deliver(&err, &run, "exit");
    return unit_read_fd(caught);
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void expect_reports(const char *path, unsigned count)
{
    const char *text = unit_read_path(path);

    ck_assert_uint_eq(lines_of(text), count);
    ck_assert_int_eq(strncmp(text, "{\"schema\":\"autolock/1\"", 22), 0);
    ck_assert_str_eq(text + strlen(text) - 3, "}}\n");
}

/* A whole report for Prometheus, from its first line to its last. */
static void expect_metrics(const char *text)
{
    const char *last = strstr(text, "\nautolock_execs_total{program=\"program\",");

    ck_assert_msg(strncmp(text, "# HELP autolock_info ", 21) == 0, "%.200s", text);
    ck_assert_ptr_nonnull(last);
    ck_assert_str_eq(strchr(last + 1, '\n'), "\n");
}

/* One line that says why, and the report behind it. */
static void expect_refused(const char *path, const char *wanted_line)
{
    const char *said = deliver(AL_STATS_JSON, path);
    const char *report = strchr(said, '\n') + 1;

    ck_assert_msg(strncmp(said, wanted_line, strlen(wanted_line)) == 0, "%s", said);
    ck_assert_uint_eq(lines_of(said), 2);
    ck_assert_int_eq(strncmp(report, "{\"schema\"", 9), 0);

    said = deliver(AL_STATS_PROMETHEUS, path);
    ck_assert_msg(strncmp(said, wanted_line, strlen(wanted_line)) == 0, "%s", said);
    expect_metrics(strchr(said, '\n') + 1);
}

START_TEST(no_report)
{
    ck_assert_str_eq(deliver(AL_STATS_OFF, NULL), "");
    ck_assert_str_eq(deliver(AL_STATS_OFF, "unwanted"), "");
    ck_assert_int_eq(access("unwanted", F_OK), -1);
}
END_TEST

START_TEST(to_standard_error)
{
    const char *text = deliver(AL_STATS_TEXT, NULL);
    const char *json;

    ck_assert_int_eq(strncmp(text, "libautolock ", 12), 0);
    ck_assert_ptr_nonnull(strstr(text, ": program["));
    json = deliver(AL_STATS_JSON, NULL);
    ck_assert_uint_eq(lines_of(json), 1);
    ck_assert_ptr_nonnull(strstr(json, "\"program\":\"program\""));
    ck_assert_ptr_nonnull(strstr(json, "\"ended\":\"exit\""));
}
END_TEST

START_TEST(to_a_file_again_and_again)
{
    ck_assert_str_eq(deliver(AL_STATS_JSON, "file"), "");
    expect_reports("file", 1);
    ck_assert_str_eq(deliver(AL_STATS_JSON, "file"), "");
    expect_reports("file", 2);
}
END_TEST

START_TEST(metrics_to_standard_error)
{
    expect_metrics(deliver(AL_STATS_PROMETHEUS, NULL));
}
END_TEST

START_TEST(metrics_in_the_place_of_others)
{
    ck_assert_str_eq(deliver(AL_STATS_JSON, "replaced.prom"), "");
    ck_assert_str_eq(deliver(AL_STATS_PROMETHEUS, "replaced.prom"), "");
    expect_metrics(unit_read_path("replaced.prom"));
    ck_assert_str_eq(deliver(AL_STATS_PROMETHEUS, "replaced.prom"), "");
    expect_metrics(unit_read_path("replaced.prom"));
}
END_TEST

/* A descriptor for the directory and one for the file: the last that is free, and our own. */
START_TEST(metrics_with_the_last_descriptor)
{
    int last = -1;

    ck_assert_int_eq(mkdir("tight", 0700), 0);
    for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;)
        last = fd;
    close(last);
    ck_assert_str_eq(deliver(AL_STATS_PROMETHEUS, "tight/file"), "");
    ck_assert_int_eq(err.duplicate, -1);
    close(last - 1);
    expect_metrics(unit_read_path("tight/file"));
}
END_TEST

START_TEST(text_to_a_file)
{
    ck_assert_str_eq(deliver(AL_STATS_TEXT, "text"), "");
    ck_assert_int_eq(strncmp(unit_read_path("text"), "libautolock ", 12), 0);
}
END_TEST

START_TEST(a_name_made_of_parts)
{
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "program-%d-%%-100%%x%%", getpid());
    ck_assert_str_eq(deliver(AL_STATS_JSON, "%n-%p-%%-100%x%"), "");
    expect_reports(wanted, 1);
}
END_TEST

START_TEST(a_programs_name_stays_in_the_directory)
{
    run.program = "../a/b\n\x7f";
    ck_assert_str_eq(deliver(AL_STATS_JSON, "%n.json"), "");
    expect_reports(".._a_b__.json", 1);
    run.program = "gr\xc3\xbc\xc3\x9f \xff\xc3\xe2\x82/";
    ck_assert_str_eq(deliver(AL_STATS_JSON, "%n.json"), "");
    expect_reports("gr\xc3\xbc\xc3\x9f _____.json", 1);
}
END_TEST

START_TEST(into_a_fifo)
{
    int reader;

    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    expect_refused("fifo",
                   "libautolock: the report cannot be written to \"fifo\": nobody reads it; "
                   "here it is\n");
    reader = open("fifo", O_RDONLY | O_NONBLOCK);
    ck_assert_str_eq(deliver(AL_STATS_JSON, "fifo"), "");
    ck_assert_uint_eq(lines_of(unit_read_fd(reader)), 1);
    ck_assert_str_eq(deliver(AL_STATS_PROMETHEUS, "fifo"), "");
    expect_metrics(unit_read_fd(reader));
}
END_TEST

START_TEST(where_it_cannot_go)
{
    ck_assert_int_eq(symlink("target", "link"), 0);
    ck_assert_int_eq(mkdir("directory", 0700), 0);
    expect_refused("link", "libautolock: the report cannot be written to \"link\": it is a "
                           "symbolic link, which is not followed; here it is\n");
    ck_assert_int_eq(access("target", F_OK), -1);
    expect_refused("directory", "libautolock: the report cannot be written to \"directory\": it is "
                                "a directory; here it is\n");
    expect_refused("missing/file", "libautolock: the report cannot be written to \"missing/file\": "
                                   "no such directory; here it is\n");
    expect_refused("/dev/full", "libautolock: the report cannot be written to \"/dev/full\": no "
                                "space left; here it is\n");
    expect_refused("/dev/null/file", "libautolock: the report cannot be written to "
                                     "\"/dev/null/file\": a part of the path is no directory; here "
                                     "it is\n");
}
END_TEST

START_TEST(a_name_that_is_too_long)
{
    char *pattern = unit_repeat('d', AL_OPTION_PATH_SIZE - 1);

    expect_refused(pattern, "libautolock: the report cannot be written to \"ddd");
    /* too long only once it is put together */
    for (size_t i = 0; i + 1 < AL_OPTION_PATH_SIZE - 1; i += 2)
        memcpy(pattern + i, "%p", 2);
    expect_refused(pattern, "libautolock: the report cannot be written to \"");
    ck_assert_ptr_nonnull(
        strstr(deliver(AL_STATS_JSON, pattern), "...\": the name is too long; here it is\n"));
}
END_TEST

START_TEST(a_name_of_control_bytes_leaves_the_line_whole)
{
    const char *said = deliver(AL_STATS_JSON, unit_repeat('\x1b', 300));

    ck_assert_uint_eq(lines_of(said), 2);
    ck_assert_ptr_nonnull(strstr(said, "the name is too long; here it is\n{"));
}
END_TEST

START_TEST(nowhere)
{
    close(err.duplicate);
    close(STDERR_FILENO);
    ck_assert_str_eq(deliver(AL_STATS_TEXT, NULL), "");
    ck_assert_str_eq(deliver(AL_STATS_JSON, "missing/file"), "");
    ck_assert_str_eq(deliver(AL_STATS_JSON, "elsewhere"), "");
    expect_reports("elsewhere", 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("deliver");

    unit_in_directory(tests);
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, no_report);
    tcase_add_test(tests, to_standard_error);
    tcase_add_test(tests, to_a_file_again_and_again);
    tcase_add_test(tests, metrics_to_standard_error);
    tcase_add_test(tests, metrics_in_the_place_of_others);
    tcase_add_test(tests, metrics_with_the_last_descriptor);
    tcase_add_test(tests, text_to_a_file);
    tcase_add_test(tests, a_name_made_of_parts);
    tcase_add_test(tests, a_programs_name_stays_in_the_directory);
    tcase_add_test(tests, into_a_fifo);
    tcase_add_test(tests, where_it_cannot_go);
    tcase_add_test(tests, a_name_that_is_too_long);
    tcase_add_test(tests, a_name_of_control_bytes_leaves_the_line_whole);
    tcase_add_test(tests, nowhere);
    return unit_run(tests);
}
