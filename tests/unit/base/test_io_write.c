/* Writing all of it, and giving up where nobody reads. */
#include "io.h"
#include "sys.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>

static bool made;

/* More than any pipe, socket or terminal keeps. */
enum { MUCH = 4 << 20 };

/* Long enough that a machine under load is not taken for a hang. */
enum { TOO_LONG_MS = 10 * AL_IO_PATIENCE_MS };

static char *much(void)
{
    char *bytes = unit_repeat('.', MUCH);

    for (size_t i = 0; i + 8 < MUCH; i += 61)
        bytes[i] = (char)('a' + i % 26);
    return bytes;
}

static uint64_t now_ms(void)
{
    return al_now_ns() / 1000000;
}

static void expect_given_up(int fd, size_t count)
{
    uint64_t begin = now_ms();

    ck_assert_int_eq(al_io_write(fd, unit_repeat('y', count), count), -EAGAIN);
    ck_assert_uint_ge(now_ms() - begin, AL_IO_PATIENCE_MS - 1);
    ck_assert_uint_le(now_ms() - begin, TOO_LONG_MS);
}

START_TEST(a_file_gets_all_of_it)
{
    int fd = al_io_open_append("much", &made);
    char *bytes = much();

    errno = 1234;
    ck_assert_int_eq(al_io_write(fd, bytes, MUCH), 0);
    ck_assert_int_eq(errno, 1234);
    al_io_close(fd);
    ck_assert_str_eq(unit_read_path("much"), bytes);
}
END_TEST

START_TEST(nothing_is_written_at_once)
{
    ck_assert_int_eq(al_io_write(STDERR_FILENO, "", 0), 0);
}
END_TEST

START_TEST(a_bad_descriptor)
{
    errno = 1234;
    ck_assert_int_eq(al_io_write(-1, "x", 1), -EBADF);
    ck_assert_int_eq(al_io_write(open(".", O_RDONLY), "x", 1), -EBADF);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(a_full_device)
{
    ck_assert_int_eq(al_io_write(open("/dev/full", O_WRONLY), "x", 1), -ENOSPC);
}
END_TEST

static void *read_slowly(void *end)
{
    usleep(50000);
    return unit_read_fd(*(int *)end);
}

static void expect_slow_reader_gets_all(int reading, int writing)
{
    char *bytes = much();
    pthread_t reader;
    void *got;

    ck_assert_int_eq(pthread_create(&reader, NULL, read_slowly, &reading), 0);
    ck_assert_int_eq(al_io_write(writing, bytes, MUCH), 0);
    close(writing);
    pthread_join(reader, &got);
    ck_assert_str_eq(got, bytes);
}

START_TEST(a_slow_pipe_gets_all_of_it)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    expect_slow_reader_gets_all(ends[0], ends[1]);
}
END_TEST

START_TEST(a_slow_pipe_that_does_not_block_gets_all_of_it)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    expect_slow_reader_gets_all(ends[0], ends[1]);
}
END_TEST

START_TEST(a_slow_socket_gets_all_of_it)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect_slow_reader_gets_all(ends[0], ends[1]);
}
END_TEST

START_TEST(a_full_pipe_is_given_up)
{
    int ends[2];

    unit_full_pipe(ends);
    errno = 1234;
    expect_given_up(ends[1], 1);
    expect_given_up(ends[1], MUCH);
    ck_assert_int_eq(errno, 1234);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ck_assert_ptr_null(strchr(unit_read_fd(ends[0]), 'y'));
}
END_TEST

START_TEST(a_pipe_that_fills_up_is_given_up)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    expect_given_up(ends[1], MUCH);
}
END_TEST

START_TEST(a_socket_that_fills_up_is_given_up)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect_given_up(ends[1], MUCH);
}
END_TEST

/* A terminal that polls as writable may have room for a few bytes only. */
START_TEST(a_terminal_that_fills_up_is_given_up)
{
    int master;
    int terminal;

    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    expect_given_up(terminal, MUCH);
    ck_assert(!(fcntl(terminal, F_GETFL) & O_NONBLOCK));
}
END_TEST

START_TEST(a_stopped_terminal_is_given_up)
{
    int master;
    int terminal;

    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    ck_assert_int_eq(tcflow(terminal, TCOOFF), 0);
    expect_given_up(terminal, 100);
}
END_TEST

static void ignore_signal(int number)
{
    (void)number;
}

/* A program's timer goes on while it ends. */
START_TEST(a_full_pipe_is_given_up_though_signals_arrive)
{
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    struct itimerval often = {.it_interval = {.tv_usec = 10000}, .it_value = {.tv_usec = 10000}};
    int ends[2];

    unit_full_pipe(ends);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    expect_given_up(ends[1], 1);
}
END_TEST

START_TEST(a_terminal_that_is_gone)
{
    int master;
    int terminal;

    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    close(master);
    ck_assert_int_eq(al_io_write(terminal, "x", 1), -EIO);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("io_write");

    unit_in_directory(tests);
    tcase_add_test(tests, a_file_gets_all_of_it);
    tcase_add_test(tests, nothing_is_written_at_once);
    tcase_add_test(tests, a_bad_descriptor);
    tcase_add_test(tests, a_full_device);
    tcase_add_test(tests, a_slow_pipe_gets_all_of_it);
    tcase_add_test(tests, a_slow_pipe_that_does_not_block_gets_all_of_it);
    tcase_add_test(tests, a_slow_socket_gets_all_of_it);
    tcase_add_test(tests, a_full_pipe_is_given_up);
    tcase_add_test(tests, a_pipe_that_fills_up_is_given_up);
    tcase_add_test(tests, a_socket_that_fills_up_is_given_up);
    tcase_add_test(tests, a_terminal_that_fills_up_is_given_up);
    tcase_add_test(tests, a_stopped_terminal_is_given_up);
    tcase_add_test(tests, a_full_pipe_is_given_up_though_signals_arrive);
    tcase_add_test(tests, a_terminal_that_is_gone);
    return unit_run(tests);
}
