/* The report for people. */
#include "downgrades.h"
#include "emit.h"
#include "sample.h"

static char buffer[AL_REPORT_BYTES];

static const char *emit(void)
{
    struct al_text text = al_text_over(buffer, sizeof(buffer));

    al_emit_text(&text, &sample);
    ck_assert(!text.cut);
    return buffer;
}

static void expect(const char *part)
{
    ck_assert_msg(strstr(emit(), part) != NULL, "no \"%s\" in:\n%s", part, buffer);
}

static void expect_no(const char *part)
{
    ck_assert_msg(strstr(emit(), part) == NULL, "a \"%s\" in:\n%s", part, buffer);
}

START_TEST(the_whole_report)
{
    memset(sample.field, 0, sizeof(sample.field));
    sample.field[AL_FIELD_locked_kernel_bytes] = 12 << 20;
    sample.field[AL_FIELD_memory_rss_bytes] = 13 << 20;
    sample.field[AL_FIELD_memory_peak_rss_bytes] = 14 << 20;
    sample.field[AL_FIELD_memory_limit_bytes] = UINT64_MAX;
    sample.field[AL_FIELD_memory_cgroup_limit_bytes] = 64 << 20;
    sample.field[AL_FIELD_faults_minor] = 1234;
    sample.field[AL_FIELD_faults_minor_after_lock] = 34;
    sample.field[AL_FIELD_failures_ENOMEM] = 1;
    sample.field[AL_FIELD_calls_malloc] = 12345;
    sample.field[AL_FIELD_calls_free] = 12000;
    ck_assert_str_eq(
        emit(), "libautolock " AL_VERSION ": program[4711], exit\n"
                "  asked    MODE=all FLAGS=current,future\n"
                "  locked   12.0 MiB as the kernel counts it (VmLck), by mlockall\n"
                "  memory   resident 13.0 MiB (peak 14.0 MiB), swapped 0 B, memlock limit none, "
                "cgroup limit 64.0 MiB\n"
                "  faults   34 minor, 0 major since the lock (in all 1,234 minor, 0 major)\n"
                "  failed   ENOMEM 1\n"
                "  calls    malloc 12,345  free 12,000\n");
}
END_TEST

START_TEST(nothing_happened)
{
    memset(sample.field, 0, sizeof(sample.field));
    expect("  failed   nothing\n");
    expect("  calls    none\n");
    expect(", memlock limit 0 B, cgroup limit 0 B\n");
    sample.field[AL_FIELD_memory_cgroup_limit_bytes] = UINT64_MAX;
    expect(", memlock limit 0 B\n");
}
END_TEST

START_TEST(each_call_and_failure_is_named)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        if (strcmp(al_field_inner(&al_fields[i]), "calls") == 0 ||
            strcmp(al_field_inner(&al_fields[i]), "failures") == 0)
            expect(al_fields[i].key);
}
END_TEST

START_TEST(lines_are_not_too_long)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        sample.field[i] = 999999999999;
    for (const char *line = emit(); *line; line = strchr(line, '\n') + 1)
        ck_assert_int_le(strchr(line, '\n') - line, 140);
}
END_TEST

START_TEST(an_option_that_is_not_the_default)
{
    sample_configure("AUTOLOCK_LOG=debug");
    expect("MODE=all FLAGS=current,future LOG=debug\n");
}
END_TEST

START_TEST(a_long_option_is_seen_to_be_cut)
{
    static const char name[] = "AUTOLOCK_STATS_FILE=";
    char *variable = unit_repeat('p', 1000);

    expect_no("...");
    memcpy(variable, name, sizeof(name) - 1);
    sample_configure(variable);
    expect("ppp...\n");
}
END_TEST

static void spend(enum al_field count, enum al_field time_ns, enum al_field max_ns, uint64_t calls)
{
    sample.field[count] = calls;
    sample.field[time_ns] = calls * 100000;
    sample.field[max_ns] = calls * 50000;
}

#define SPEND(call, calls)                                                                         \
    spend(AL_FIELD_syscalls_##call##_count, AL_FIELD_syscalls_##call##_time_ns,                    \
          AL_FIELD_syscalls_##call##_max_ns, calls)

START_TEST(what_locking_took)
{
    memset(sample.field, 0, sizeof(sample.field));
    expect_no("locking");
    SPEND(msync, 1);
    expect("  locking  1 call, 100.0 us, longest 50.0 us\n");
    SPEND(mlock2, 1000);
    SPEND(munlock, 20);
    SPEND(mlockall, 3);
    SPEND(madvise, 4);
    expect("  locking  1,028 calls, 102.8 ms, longest 50.0 ms\n");
    sample_run.backend = "none";
    expect_no("locking");
}
END_TEST

START_TEST(nothing_is_locked)
{
    sample_run.backend = "none";
    expect("(VmLck), nothing is locked\n");
    expect_no("by mlockall");
}
END_TEST

START_TEST(only_observed)
{
    sample_run.backend = "none";
    sample_configure("AUTOLOCK_MODE=observe");
    sample.field[AL_FIELD_need_memlock_bytes] = 100 << 20;
    expect("(VmLck), only observed; to lock all takes a limit of 100.0 MiB\n");
}
END_TEST

START_TEST(what_became_less)
{
    al_downgrade_add("future not locked");
    al_downgrade_add("onfault not had");
    expect("  less     future not locked\n  less     onfault not had\n");
}
END_TEST

START_TEST(control_bytes_do_not_reach_the_terminal)
{
    sample_run.program = "a\x1b[2J\n";
    sample_configure("AUTOLOCK_STATS_FILE=x\x1b]0;y\a");
    for (const char *at = emit(); *at; at++)
        ck_assert(*at >= 0x20 || *at == '\n');
    expect(": a\\x1b[2J\\x0a[4711], exit\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("emit_text");

    tcase_add_checked_fixture(tests, sample_fill, NULL);
    tcase_add_test(tests, the_whole_report);
    tcase_add_test(tests, nothing_happened);
    tcase_add_test(tests, each_call_and_failure_is_named);
    tcase_add_test(tests, lines_are_not_too_long);
    tcase_add_test(tests, an_option_that_is_not_the_default);
    tcase_add_test(tests, a_long_option_is_seen_to_be_cut);
    tcase_add_test(tests, what_locking_took);
    tcase_add_test(tests, nothing_is_locked);
    tcase_add_test(tests, only_observed);
    tcase_add_test(tests, what_became_less);
    tcase_add_test(tests, control_bytes_do_not_reach_the_terminal);
    return unit_run(tests);
}
