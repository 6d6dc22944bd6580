#include "procfs.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct al_memory_status parsed(const char *status)
{
    struct al_memory_status result;

    memset(&result, 0xAA, sizeof(result));
    al_memory_status_parse(status, &result);
    return result;
}

START_TEST(a_status_as_the_kernel_writes_it)
{
    struct al_memory_status status = parsed("Name:\tprogram\n"
                                            "PPid:\t4711\n"
                                            "Groups:\t0 1 2 \n"
                                            "VmPeak:\t   10240 kB\n"
                                            "VmSize:\t    9000 kB\n"
                                            "VmLck:\t     128 kB\n"
                                            "VmPin:\t      99 kB\n"
                                            "VmHWM:\t    4096 kB\n"
                                            "VmRSS:\t    2048 kB\n"
                                            "VmSwap:\t       8 kB\n"
                                            "HugetlbPages:\t 2048 kB\n"
                                            "Threads:\t1\n");

    ck_assert_uint_eq(status.parent, 4711);
    ck_assert_uint_eq(status.peak_virtual, 10240 << 10);
    ck_assert_uint_eq(status.virtual, 9000 << 10);
    ck_assert_uint_eq(status.locked, 128 << 10);
    ck_assert_uint_eq(status.resident, 2048 << 10);
    ck_assert_uint_eq(status.peak_resident, 4096 << 10);
    ck_assert_uint_eq(status.swapped, 8 << 10);
    ck_assert_uint_eq(status.huge, 2 << 20);
}
END_TEST

START_TEST(what_is_missing_is_nothing)
{
    struct al_memory_status status = parsed("");

    ck_assert_uint_eq(status.peak_virtual | status.locked | status.resident, 0);
    ck_assert_uint_eq(status.peak_resident | status.swapped, 0);
    status = parsed("Name:\tkernel thread\nVmRSS:\t 4 kB\n");
    ck_assert_uint_eq(status.resident, 4096);
    ck_assert_uint_eq(status.locked, 0);
}
END_TEST

START_TEST(only_whole_names_at_the_beginning_of_a_line)
{
    struct al_memory_status status = parsed("Name:\tVmLck:   7 kB\n"
                                            "VmLckX:\t 7 kB\n"
                                            "XVmLck:\t 7 kB\n"
                                            "VmLck \t 7 kB\n"
                                            "vmlck:\t 7 kB\n"
                                            "VmLck:\t 1 kB\n");

    ck_assert_uint_eq(status.locked, 1024);
}
END_TEST

START_TEST(a_text_that_breaks_off)
{
    ck_assert_uint_eq(parsed("VmLck:\t 12").locked, 12 << 10);
    ck_assert_uint_eq(parsed("VmLck:\t ").locked, 0);
    ck_assert_uint_eq(parsed("VmLck:").locked, 0);
    ck_assert_uint_eq(parsed("VmLck").locked, 0);
    ck_assert_uint_eq(parsed("\n\n\nVmLck:1\n\n").locked, 1024);
    ck_assert_uint_eq(parsed("\n").locked, 0);
    ck_assert_uint_eq(parsed("VmLck:\t 1099511627776 kB\n").locked, (uint64_t)1 << 50);
    ck_assert_uint_eq(parsed("VmLck:\t x kB\n").locked, 0);
}
END_TEST

START_TEST(of_this_process)
{
    struct al_memory_status status;

    memset(&status, 0xAA, sizeof(status));
    errno = 1234;
    ck_assert_int_eq(al_memory_status_read(&status), 0);
    ck_assert_int_eq(errno, 1234);
    ck_assert_uint_gt(status.resident, 100 << 10);
    ck_assert_uint_ge(status.peak_resident, status.resident);
    ck_assert_uint_gt(status.peak_virtual, status.resident);
    ck_assert_uint_eq(status.resident % 1024, 0);
    ck_assert_uint_eq(status.parent, (uint64_t)getppid());
}
END_TEST

/* argv[0] of the test, as it was given, begins the line. */
START_TEST(the_command_line)
{
    char line[4096];
    char cut[5] = "####";

    ck_assert_int_eq(al_command_line_read(line, sizeof(line)), 0);
    ck_assert_ptr_nonnull(strstr(line, "unit_report_procfs"));
    ck_assert_int_eq(al_command_line_read(cut, sizeof(cut)), 0);
    ck_assert_uint_eq(strlen(cut), 4);
    ck_assert_int_eq(strncmp(cut, line, 4), 0);
    ck_assert_int_eq(al_command_line_read(cut, 1), 0);
    ck_assert_str_eq(cut, "");
}
END_TEST

static const char *self;

/* Runs this program again with other arguments; it prints its command line (see main). */
static char *command_line_of(char *const arguments[])
{
    int ends[2];
    pid_t child;
    char *line;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        setenv("PRINT_COMMAND_LINE", "1", 1);
        execv(self, arguments);
        _exit(127);
    }
    close(ends[1]);
    line = unit_read_fd(ends[0]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    return line;
}

START_TEST(arguments_are_joined_by_blanks)
{
    ck_assert_str_eq(command_line_of((char *const[]){"a", "b c", "", "d\n", NULL}), "a b c  d\n");
    ck_assert_str_eq(command_line_of((char *const[]){"a", "", "", NULL}), "a");
}
END_TEST

START_TEST(a_long_command_line_is_cut)
{
    char *argument = unit_repeat('x', 100000);
    char *wanted = unit_repeat('x', 2047);

    wanted[1] = ' ';
    ck_assert_str_eq(command_line_of((char *const[]){"x", argument, NULL}), wanted);
}
END_TEST

static int print_command_line(void)
{
    char line[2048];

    if (al_command_line_read(line, sizeof(line)))
        return 1;
    return write(STDOUT_FILENO, line, strlen(line)) == (ssize_t)strlen(line) ? 0 : 1;
}

int main(int argc, char *argv[])
{
    TCase *tests = tcase_create("procfs");

    (void)argc;
    if (getenv("PRINT_COMMAND_LINE"))
        return print_command_line();
    self = realpath(argv[0], NULL);
    tcase_add_test(tests, a_status_as_the_kernel_writes_it);
    tcase_add_test(tests, what_is_missing_is_nothing);
    tcase_add_test(tests, only_whole_names_at_the_beginning_of_a_line);
    tcase_add_test(tests, a_text_that_breaks_off);
    tcase_add_test(tests, of_this_process);
    tcase_add_test(tests, the_command_line);
    tcase_add_test(tests, arguments_are_joined_by_blanks);
    tcase_add_test(tests, a_long_command_line_is_cut);
    return unit_run(tests);
}
