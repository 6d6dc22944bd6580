/*
 * Programs that do what they like with their descriptors before they end.
 *
 *     descriptors close_2             closes standard error
 *     descriptors reuse DIRECTORY     closes all, and opens files of its own in their place
 *     descriptors exhaust             leaves no descriptor free
 *     descriptors count               prints how many files it can open
 *     descriptors numbers             prints which numbers the first files get
 *     descriptors daemon FIFO         goes into the background, closes 0 to 2, waits for the FIFO
 *     descriptors takes_ours          has its standard error where the library keeps its own, in a
 * child too descriptors fill [alarms]       ends while its standard error is full and nobody reads;
 *                                     alarms: and signals keep arriving
 */
#include "expect.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { FILES = 300 };

static void write_whole(int fd, const char *bytes)
{
    expect(write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
}

static void reuse(const char *directory)
{
    expect(syscall(436 /* close_range */, 0, ~0U, 0) == 0);
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        int fd;

        snprintf(path, sizeof(path), "%s/%d", directory, i);
        fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
        if (fd != i)
            _exit(1);
        if (write(fd, "data\n", 5) != 5)
            _exit(1);
    }
}

static void exhaust(void)
{
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    expect(errno == EMFILE);
}

static void count(void)
{
    int files = 0;

    while (open("/dev/null", O_RDONLY) >= 0)
        files++;
    dprintf(STDOUT_FILENO, "%d\n", files);
}

static void numbers(void)
{
    int first = open("/dev/null", O_RDONLY);
    int second = open("/dev/null", O_RDONLY);

    dprintf(STDOUT_FILENO, "%d %d\n", first, second);
}

static void become_daemon(const char *fifo)
{
    char byte;
    int fd;

    for (int i = 0; i < 2; i++) {
        pid_t child = fork();

        expect(child >= 0);
        if (child)
            _exit(0);
        expect(i || setsid() > 0);
    }
    write_whole(STDOUT_FILENO, "daemon runs\n");
    for (int i = 0; i < 3; i++)
        close(i);
    fd = open(fifo, O_RDONLY);
    /* Until the other end is closed. */
    while (fd >= 0 && read(fd, &byte, 1) > 0)
        ;
}

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

static void fill(bool alarms)
{
    static const char zeros[4096];
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    expect(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK) == 0);
    while (write(STDERR_FILENO, zeros, sizeof(zeros)) > 0)
        ;
    while (write(STDERR_FILENO, zeros, 1) > 0)
        ;
    if (errno != EAGAIN || fcntl(STDERR_FILENO, F_SETFL, flags))
        _exit(1);
    if (alarms) {
        struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
        struct itimerval timer = {{0, 1000}, {0, 1000}};

        if (sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &timer, NULL))
            _exit(1);
    }
    write_whole(STDOUT_FILENO, "full\n");
}

static void take_ours(void)
{
    enum { FROM = 192, MOST = 1024 };
    int ours = FROM;
    int status;
    pid_t child;

    while (ours < MOST && fcntl(ours, F_GETFD) < 0)
        ours++;
    expect(ours < MOST);
    expect(dup2(STDERR_FILENO, ours) == ours);
    child = fork();
    if (child == 0) {
        write_whole(ours, "child\n");
        _exit(0);
    }
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
    write_whole(ours, "parent\n");
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(how, "close_2") == 0)
        expect(close(2) == 0);
    else if (strcmp(how, "reuse") == 0)
        reuse(argv[2]);
    else if (strcmp(how, "exhaust") == 0)
        exhaust();
    else if (strcmp(how, "count") == 0)
        count();
    else if (strcmp(how, "numbers") == 0)
        numbers();
    else if (strcmp(how, "daemon") == 0)
        become_daemon(argv[2]);
    else if (strcmp(how, "takes_ours") == 0)
        take_ours();
    else if (strcmp(how, "fill") == 0)
        fill(argc > 2);
    else
        expect(false);
    return 0;
}
