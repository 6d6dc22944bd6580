/* Standard error as it was at the start, whatever the program does with its descriptors. */
#include "deliver.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int caught;
static struct al_stderr err;

static void keep(void)
{
    caught = unit_catch_stderr();
    err = al_stderr_keep();
}

static void expect_written(void)
{
    ck_assert_int_eq(al_stderr_write(&err, "line\n", 5), 0);
    ck_assert_str_eq(unit_read_fd(caught), "line\n");
}

static void expect_gone(void)
{
    ck_assert_int_eq(al_stderr_write(&err, "line\n", 5), -EBADF);
    ck_assert_str_eq(unit_read_fd(caught), "");
}

/* The program's own file under a number that was standard error's; nothing must come in. */
static void take_number(int fd)
{
    int own = open("own", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_eq(dup2(own, fd), fd);
    if (own != fd)
        close(own);
}

static void expect_own_file_empty(void)
{
    ck_assert_str_eq(unit_read_path("own"), "");
}

START_TEST(unchanged)
{
    expect_written();
}
END_TEST

START_TEST(the_duplicate_is_out_of_the_way)
{
    ck_assert_int_ge(err.duplicate, 192);
    ck_assert(fcntl(err.duplicate, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(closed)
{
    close(STDERR_FILENO);
    expect_written();
}
END_TEST

START_TEST(replaced)
{
    take_number(STDERR_FILENO);
    expect_written();
    expect_own_file_empty();
}
END_TEST

START_TEST(the_duplicate_closed)
{
    close(err.duplicate);
    expect_written();
}
END_TEST

START_TEST(the_duplicate_replaced)
{
    take_number(err.duplicate);
    expect_written();
    expect_own_file_empty();
}
END_TEST

START_TEST(both_closed)
{
    close(err.duplicate);
    close(STDERR_FILENO);
    expect_gone();
}
END_TEST

START_TEST(both_replaced)
{
    take_number(err.duplicate);
    take_number(STDERR_FILENO);
    expect_gone();
    expect_own_file_empty();
}
END_TEST

START_TEST(released)
{
    int duplicate = err.duplicate;

    al_stderr_release(&err);
    ck_assert_int_eq(fcntl(duplicate, F_GETFD), -1);
    expect_written();
    al_stderr_release(&err);
    close(STDERR_FILENO);
    expect_gone();
}
END_TEST

START_TEST(released_after_the_number_was_taken)
{
    int duplicate = err.duplicate;

    take_number(duplicate);
    al_stderr_release(&err);
    ck_assert_int_ge(fcntl(duplicate, F_GETFD), 0);
    expect_written();
}
END_TEST

START_TEST(closed_from_the_beginning)
{
    al_stderr_release(&err);
    close(STDERR_FILENO);
    err = al_stderr_keep();
    ck_assert_int_eq(err.duplicate, -1);
    take_number(STDERR_FILENO);
    expect_gone();
    expect_own_file_empty();
    al_stderr_release(&err);
    ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFD), 0);
}
END_TEST

static void keep_with_descriptors(rlim_t number)
{
    struct rlimit limit = {number, number};

    al_stderr_release(&err);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    err = al_stderr_keep();
}

START_TEST(with_few_descriptors)
{
    keep_with_descriptors(100);
    ck_assert_int_ge(err.duplicate, 64);
    keep_with_descriptors(65);
    ck_assert_int_eq(err.duplicate, 64);
    /* Each of the lower ones is the program's. */
    keep_with_descriptors(64);
    ck_assert_int_eq(err.duplicate, -1);
    keep_with_descriptors(5);
    ck_assert_int_eq(err.duplicate, -1);
    expect_written();
}
END_TEST

START_TEST(without_a_descriptor_left)
{
    keep_with_descriptors(3);
    ck_assert_int_eq(err.duplicate, -1);
    expect_written();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("stderr");

    unit_in_directory(tests);
    tcase_add_checked_fixture(tests, keep, NULL);
    tcase_add_test(tests, unchanged);
    tcase_add_test(tests, the_duplicate_is_out_of_the_way);
    tcase_add_test(tests, closed);
    tcase_add_test(tests, replaced);
    tcase_add_test(tests, the_duplicate_closed);
    tcase_add_test(tests, the_duplicate_replaced);
    tcase_add_test(tests, both_closed);
    tcase_add_test(tests, both_replaced);
    tcase_add_test(tests, released);
    tcase_add_test(tests, released_after_the_number_was_taken);
    tcase_add_test(tests, closed_from_the_beginning);
    tcase_add_test(tests, with_few_descriptors);
    tcase_add_test(tests, without_a_descriptor_left);
    return unit_run(tests);
}
