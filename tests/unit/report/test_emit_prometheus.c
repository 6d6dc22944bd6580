/* The report for Prometheus: text exposition format 0.0.4. */
#include "downgrades.h"
#include "emit.h"
#include "families.h"
#include "sample.h"

#include <stdio.h>

static char buffer[AL_REPORT_BYTES];

static const char *emit(void)
{
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_emit_prometheus(&text, &sample);
    ck_assert(!text.cut);
    return buffer;
}

#define LABELS "program=\"program\",pid=\"4711\",mode=\"all\""

static void expect(const char *lines)
{
    const char *found = strstr(emit(), lines);

    ck_assert_msg(found && (found == buffer || found[-1] == '\n'), "no \"%s\" in:\n%s", lines,
                  buffer);
}

static unsigned lines_beginning(const char *text, const char *prefix)
{
    unsigned count = 0;

    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        count += strncmp(line, prefix, strlen(prefix)) == 0;
    return count;
}

/* The name of the metric that a line is about, without a summary's suffix. */
static size_t name_length(const char *line)
{
    size_t length = strcspn(line, "{ ");

    if (length > 4 && strncmp(line + length - 4, "_sum", 4) == 0)
        return length - 4;
    if (length > 6 && strncmp(line + length - 6, "_count", 6) == 0)
        return length - 6;
    return length;
}

START_TEST(what_the_run_was)
{
    expect("# HELP autolock_info what the run was, always 1\n"
           "# TYPE autolock_info gauge\n"
           "autolock_info{" LABELS ",version=\"" AL_VERSION "\",ppid=\"1\","
           "flags=\"current,future\",kinds=\"heap,anon\",backend=\"kernel\",ended=\"exit\"} 1\n");
}
END_TEST

START_TEST(a_family_of_each_type)
{
    sample.field[AL_FIELD_failures_EPERM] = 1;
    sample.field[AL_FIELD_syscalls_mlock2_count] = 3;
    sample.field[AL_FIELD_syscalls_mlock2_time_ns] = 1500000000;
    sample.field[AL_FIELD_syscalls_mlock2_p50_ns] = 250;
    sample.field[AL_FIELD_syscalls_mlock2_p99_ns] = 1000000000;
    sample.field[AL_FIELD_syscalls_mlock2_p999_ns] = 1499999999;
    sample.field[AL_FIELD_locked_kernel_bytes] = 8388608;
    expect(
        "# HELP autolock_failures_total system calls of the library that were to lock memory and "
        "failed\n"
        "# TYPE autolock_failures_total counter\n"
        "autolock_failures_total{" LABELS ",errno=\"EPERM\"} 1\n");
    expect("# TYPE autolock_syscall_seconds summary\n"
           "autolock_syscall_seconds_count{" LABELS ",call=\"mlock2\"} 3\n"
           "autolock_syscall_seconds_sum{" LABELS ",call=\"mlock2\"} 1.5\n"
           "autolock_syscall_seconds{" LABELS ",call=\"mlock2\",quantile=\"0.5\"} 0.00000025\n"
           "autolock_syscall_seconds{" LABELS ",call=\"mlock2\",quantile=\"0.99\"} 1\n"
           "autolock_syscall_seconds{" LABELS ",call=\"mlock2\",quantile=\"0.999\"} 1.499999999\n");
    expect("# TYPE autolock_locked_kernel_bytes gauge\n"
           "autolock_locked_kernel_bytes{" LABELS "} 8388608\n");
}
END_TEST

/* HELP and TYPE once, then all samples: readers refuse a metric that begins a second time. */
START_TEST(metrics_stand_together)
{
    const char *text;

    al_downgrade_add("reason");
    text = emit();
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        bool help = strncmp(line, "# HELP ", 7) == 0;
        char begin[128];

        if (!help)
            continue;
        snprintf(begin, sizeof(begin), "# TYPE %.*s", (int)strcspn(line + 7, " ") + 1, line + 7);
        ck_assert_uint_eq(lines_beginning(text, begin), 1);
        ck_assert_int_eq(strncmp(strchr(line, '\n') + 1, begin, strlen(begin)), 0);
    }
    for (const char *line = text, *name = ""; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "# TYPE ", 7) == 0)
            name = line + 7;
        if (*line != '#')
            ck_assert_msg(name_length(line) == strcspn(name, " ") &&
                              strncmp(line, name, name_length(line)) == 0,
                          "%.80s stands behind the type of %.80s", line, name);
    }
}
END_TEST

START_TEST(every_row_and_option_is_a_sample)
{
    unsigned samples = 0;

    for (const char *line = emit(); *line; line = strchr(line, '\n') + 1)
        samples += *line != '#';
    /* and what the run was, and the number of downgrades */
    ck_assert_uint_eq(samples, AL_FIELD_TOTAL + al_option_count + 2);
}
END_TEST

START_TEST(each_sample_says_whose_it_is)
{
    for (const char *line = emit(); *line; line = strchr(line, '\n') + 1)
        if (*line != '#')
            ck_assert_int_eq(strncmp(strchr(line, '{'), "{" LABELS, strlen("{" LABELS)), 0);
}
END_TEST

START_TEST(unlimited_is_infinite)
{
    sample.field[AL_FIELD_memory_limit_bytes] = UINT64_MAX;
    expect("autolock_memory_limit_bytes{" LABELS "} +Inf\n");
    sample.field[AL_FIELD_memory_limit_bytes] = UINT64_MAX - 1;
    expect("autolock_memory_limit_bytes{" LABELS "} 18446744073709551614\n");
    expect("autolock_option_bytes{" LABELS ",option=\"max_size\"} +Inf\n");
}
END_TEST

START_TEST(options)
{
    sample_configure("AUTOLOCK_HEAP_RESERVE=64K");
    expect("autolock_option_bytes{" LABELS ",option=\"heap_reserve\"} 65536\n");
    sample_configure("AUTOLOCK_ARENAS=3");
    expect("autolock_option_number{" LABELS ",option=\"arenas\"} 3\n");
    sample_configure("AUTOLOCK_BUDGET=75%");
    expect("autolock_option_info{" LABELS ",option=\"budget\",value=\"75%\"} 1\n");
    sample_configure("AUTOLOCK_STATS_FILE=/a \"b\".prom");
    expect("autolock_option_info{" LABELS
           ",option=\"stats_file\",value=\"/a \\\"b\\\".prom\"} 1\n");
}
END_TEST

START_TEST(strings_that_are_hard)
{
    sample_run.program = "a\"b\\c\nd\xff";
    expect("autolock_forks_total{program=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\",pid=\"4711\",");
}
END_TEST

START_TEST(downgrades)
{
    ck_assert_ptr_null(strstr(emit(), "autolock_downgrade_seconds"));
    expect("autolock_downgrades_total{" LABELS "} 0\n");
    al_downgrade_add("the same");
    al_downgrade_add("the same");
    expect("autolock_downgrades_total{" LABELS "} 2\n");
    expect("autolock_downgrade_seconds{" LABELS ",index=\"1\",reason=\"the same\"} ");
    ck_assert_uint_eq(lines_beginning(emit(), "autolock_downgrade_seconds{"), 2);
    for (unsigned i = 0; i < 100; i++)
        al_downgrade_add("more");
    expect("autolock_downgrades_total{" LABELS "} 102\n");
    ck_assert_uint_eq(lines_beginning(emit(), "autolock_downgrade_seconds{"), AL_DOWNGRADES_MAX);
}
END_TEST

/* Everything as long as it can be: a list, paths, and in each sample a name, of which each
 * byte is written as three. */
START_TEST(the_longest_report)
{
    sample_run.program = unit_repeat('\xff', 255);
    sample.pid = sample.ppid = INT32_MIN;
    sample_configure("AUTOLOCK_MODE=observe");
    memset(sample_config.stats_file, '\xff', sizeof(sample_config.stats_file) - 1);
    memset(sample_config.live_dir, '\xff', sizeof(sample_config.live_dir) - 1);
    memset(sample_config.programs, '\xff', sizeof(sample_config.programs) - 1);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        sample.field[i] = UINT64_MAX - 1;
    for (unsigned i = 0; i < AL_DOWNGRADES_MAX; i++)
        al_downgrade_add(unit_repeat('r', 200));
    expect("# TYPE autolock_execs_total counter\nautolock_execs_total{");
    ck_assert_str_eq(buffer + strlen(buffer) - strlen("} 18446744073709551614\n"),
                     "} 18446744073709551614\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("emit_prometheus");

    tcase_add_checked_fixture(tests, sample_fill, NULL);
    tcase_add_test(tests, what_the_run_was);
    tcase_add_test(tests, a_family_of_each_type);
    tcase_add_test(tests, metrics_stand_together);
    tcase_add_test(tests, every_row_and_option_is_a_sample);
    tcase_add_test(tests, each_sample_says_whose_it_is);
    tcase_add_test(tests, unlimited_is_infinite);
    tcase_add_test(tests, options);
    tcase_add_test(tests, strings_that_are_hard);
    tcase_add_test(tests, downgrades);
    tcase_add_test(tests, the_longest_report);
    return unit_run(tests);
}
