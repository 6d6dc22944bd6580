/* No signal reaches the program because of what the library writes. */
#include "io.h"
#include "sys.h"
#include "unit.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

static bool made;

static volatile sig_atomic_t handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
}

static void handle(int number)
{
    struct sigaction action = {.sa_handler = count_signal};

    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

static bool is_blocked(int number)
{
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, number);
}

static bool is_pending(int number)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, number);
}

static void set_mask(int how, int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

/* A pipe whose reader is gone. */
static int broken_pipe(void)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    return ends[1];
}

/* Writes 200 bytes to a file that takes 100. (libcheck notes what goes on in a file of its own: no
 * assertion while the limit is there.) */
static int write_past_limit(void)
{
    char *bytes = unit_repeat('x', 200);
    int fd = al_io_open_append("limited", &made);
    struct rlimit before;
    struct rlimit limit;
    int result;

    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &limit);
    result = al_io_write(fd, bytes, 200);
    setrlimit(RLIMIT_FSIZE, &before);
    return result;
}

static void expect_untouched(int number)
{
    ck_assert_int_eq(handled, 0);
    ck_assert(!is_pending(number));
    ck_assert(!is_blocked(number));
    /* What comes afterwards is the program's again. */
    raise(number);
    ck_assert_int_eq(handled, 1);
}

START_TEST(a_broken_pipe_raises_nothing)
{
    handle(SIGPIPE);
    errno = 1234;
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
    ck_assert_int_eq(errno, 1234);
    expect_untouched(SIGPIPE);
}
END_TEST

START_TEST(the_default_action_does_not_happen)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigaction(SIGPIPE, &action, NULL);
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
}
END_TEST

START_TEST(an_ignored_signal_stays_ignored)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &action, NULL);
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
    sigaction(SIGPIPE, NULL, &action);
    ck_assert(action.sa_handler == SIG_IGN);
    ck_assert(!is_pending(SIGPIPE));
}
END_TEST

START_TEST(a_blocked_signal_is_not_left_pending)
{
    handle(SIGPIPE);
    set_mask(SIG_BLOCK, SIGPIPE);
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
    ck_assert(is_blocked(SIGPIPE));
    ck_assert(!is_pending(SIGPIPE));
    set_mask(SIG_UNBLOCK, SIGPIPE);
    ck_assert_int_eq(handled, 0);
}
END_TEST

START_TEST(a_signal_that_was_pending_stays_pending)
{
    handle(SIGPIPE);
    set_mask(SIG_BLOCK, SIGPIPE);
    raise(SIGPIPE);
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
    ck_assert(is_pending(SIGPIPE));
    ck_assert_int_eq(handled, 0);
    set_mask(SIG_UNBLOCK, SIGPIPE);
    ck_assert_int_eq(handled, 1);
}
END_TEST

START_TEST(other_signals_stay_as_they_are)
{
    handle(SIGUSR1);
    set_mask(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    ck_assert_int_eq(al_io_write(broken_pipe(), "x", 1), -EPIPE);
    ck_assert_int_eq(al_io_write(STDERR_FILENO, "", 0), 0);
    ck_assert(is_blocked(SIGUSR1));
    ck_assert(is_pending(SIGUSR1));
}
END_TEST

START_TEST(a_file_size_limit_raises_nothing)
{
    handle(SIGXFSZ);
    ck_assert_int_eq(write_past_limit(), -EFBIG);
    expect_untouched(SIGXFSZ);
    /* Half a line is taken back. */
    ck_assert_uint_eq(strlen(unit_read_path("limited")), 0);
}
END_TEST

START_TEST(a_file_size_limit_leaves_what_was_pending)
{
    handle(SIGXFSZ);
    set_mask(SIG_BLOCK, SIGXFSZ);
    raise(SIGXFSZ);
    ck_assert_int_eq(write_past_limit(), -EFBIG);
    ck_assert(is_pending(SIGXFSZ));
}
END_TEST

/* The session's leader on a terminal that stops background writers; its child is one. */
static void write_from_background(int terminal)
{
    struct termios settings;
    int status = -1;
    pid_t writer;

    if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) || tcgetattr(terminal, &settings))
        _exit(2);
    settings.c_lflag |= TOSTOP;
    if (tcsetattr(terminal, TCSANOW, &settings))
        _exit(3);
    writer = fork();
    if (writer == 0) {
        setpgid(0, 0);
        _exit(al_io_write(terminal, "report", 6) ? 4 : 0);
    }
    if (waitpid(writer, &status, WUNTRACED) != writer || WIFSTOPPED(status))
        _exit(5);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
}

START_TEST(a_background_writer_is_not_stopped)
{
    char got[8] = "";
    int master;
    int terminal;
    int status;
    pid_t leader;

    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    leader = fork();
    if (leader == 0)
        write_from_background(terminal);
    ck_assert_int_eq(waitpid(leader, &status, 0), leader);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_eq(read(master, got, sizeof(got)), 6);
    ck_assert_str_eq(got, "report");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("io_signals");

    unit_in_directory(tests);
    tcase_add_test(tests, a_broken_pipe_raises_nothing);
    tcase_add_test(tests, the_default_action_does_not_happen);
    tcase_add_test(tests, an_ignored_signal_stays_ignored);
    tcase_add_test(tests, a_blocked_signal_is_not_left_pending);
    tcase_add_test(tests, a_signal_that_was_pending_stays_pending);
    tcase_add_test(tests, other_signals_stay_as_they_are);
    tcase_add_test(tests, a_file_size_limit_raises_nothing);
    tcase_add_test(tests, a_file_size_limit_leaves_what_was_pending);
    tcase_add_test(tests, a_background_writer_is_not_stopped);
    return unit_run(tests);
}
