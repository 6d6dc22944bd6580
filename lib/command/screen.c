#include "screen.h"

#include "screen_keys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other page of the terminal, without a cursor, and lines that end at its edge; and back. */
static const char enter_text[] = "\033[?1049h\033[?25l\033[?7l";
static const char leave_text[] = "\033[m\033[?7h\033[?25h\033[?1049l";

static bool is_ours; /* the terminal is as we want it */
static bool has_keys;
static struct termios before;

static volatile sig_atomic_t ended_by; /* 0: nothing has */
static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t changed;

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

enum { ENDING = sizeof(ending) / sizeof(ending[0]) };

/* -- what it is ------------------------------------------------------------------------------- */

bool screen_is_there(void)
{
    const char *sort = getenv("TERM");

    return isatty(STDOUT_FILENO) && sort && *sort && strcmp(sort, "dumb") != 0;
}

bool screen_has_colour(void)
{
    const char *none = getenv("NO_COLOR");

    return screen_is_there() && !(none && *none);
}

struct screen_size screen_size(void)
{
    struct winsize size = {0};

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return (struct screen_size){.rows = size.ws_row ? size.ws_row : 24,
                                .columns = size.ws_col ? size.ws_col : 80};
}

/* -- entering and leaving --------------------------------------------------------------------- */

static bool write_all(const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);

        if (written < 0 && errno != EINTR)
            return false;
        /* Who has stopped the output of the terminal can still end us. */
        if (written < 0 && ended_by)
            return false;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return true;
}

/* In the background this stops us, until we are in the foreground. */
static void enter(void)
{
    struct termios mode;

    has_keys = tcgetattr(STDIN_FILENO, &mode) == 0;
    if (has_keys) {
        before = mode;
        mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        mode.c_cc[VMIN] = 0;
        mode.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    }
    is_ours = true;
    (void)write_all(enter_text, sizeof(enter_text) - 1);
}

/* In the background somebody else has it, and has made it as he wants it. */
static bool is_foreground(void)
{
    pid_t group = tcgetpgrp(STDOUT_FILENO);

    return group < 0 || group == getpgrp();
}

static void leave(void)
{
    if (!is_ours)
        return;
    is_ours = false;
    if (!is_foreground())
        return;
    (void)write_all(leave_text, sizeof(leave_text) - 1);
    if (has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

/* -- signals ---------------------------------------------------------------------------------- */

static void note_end(int number)
{
    ended_by = number;
}

static void note_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

static void note_change(int number)
{
    (void)number;
    changed = 1;
}

static void handle(int number, void (*handler)(int))
{
    /* Without SA_RESTART: what waits is to see it. */
    struct sigaction action = {.sa_handler = handler};
    struct sigaction old;

    /* What was ignored stays so, as nohup wants it. */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return;
    (void)sigaction(number, &action, NULL);
}

void screen_begin(void)
{
    for (size_t i = 0; i < ENDING; i++)
        handle(ending[i], note_end);
    handle(SIGTSTP, note_stop);
    handle(SIGWINCH, note_change);
    handle(SIGCONT, note_change);
    enter();
}

void screen_end(void)
{
    leave();
    for (size_t i = 0; i < ENDING; i++)
        (void)signal(ending[i], SIG_DFL);
}

void screen_end_by_signal(void)
{
    int number = ended_by;

    leave();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* As if there were no handler; it goes on behind it when we are continued. */
static void stop(void)
{
    stop_asked = 0;
    leave();
    (void)signal(SIGTSTP, SIG_DFL);
    (void)raise(SIGTSTP);
    handle(SIGTSTP, note_stop);
    enter();
}

/* After a SIGSTOP, which nobody sees coming, somebody else has had the terminal meanwhile. */
static void change(void)
{
    changed = 0;
    enter();
}

/* -- drawing ---------------------------------------------------------------------------------- */

/* The end of as much of the line as fits. */
static const char *cut(const char *line, unsigned columns)
{
    unsigned column = 0;

    while (*line && *line != '\n') {
        if (*line == '\033') {
            line += strcspn(line, "m\n");
            line += *line == 'm';
            continue;
        }
        /* The further bytes of a character take no room. */
        if (((unsigned char)*line & 0xC0) != 0x80 && column++ == columns)
            break;
        line++;
    }
    return line;
}

static void draw_lines(FILE *to, const char *text, size_t first, unsigned rows, unsigned columns)
{
    const char *line = text;

    for (; first && *line; first--) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    for (unsigned row = 0; row < rows; row++) {
        (void)fprintf(to, "\033[%u;1H%.*s\033[m\033[K", row + 1, (int)(cut(line, columns) - line),
                      line);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

bool screen_draw(const char *text, size_t first, const char *bar)
{
    struct screen_size size = screen_size();
    unsigned rows = size.rows > 1 ? size.rows - 1 : 1;
    char *bytes = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&bytes, &length);
    bool drawn;

    if (!to)
        return false;
    draw_lines(to, text, first, rows, size.columns);
    if (size.rows > 1)
        (void)fprintf(to, "\033[%u;1H\033[7m%.*s\033[m\033[K", size.rows,
                      (int)(cut(bar, size.columns) - bar), bar);
    drawn = fclose(to) == 0 && write_all(bytes, length);
    free(bytes);
    return drawn || ended_by;
}

/* -- waiting ---------------------------------------------------------------------------------- */

static enum screen_event take_signals(void)
{
    if (ended_by)
        return SCREEN_SIGNAL;
    if (stop_asked)
        stop();
    else if (changed)
        change();
    else
        return SCREEN_NOTHING;
    return SCREEN_CHANGED;
}

static void block(sigset_t *ret_before)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < ENDING; i++)
        (void)sigaddset(&set, ending[i]);
    (void)sigaddset(&set, SIGTSTP);
    (void)sigaddset(&set, SIGWINCH);
    (void)sigaddset(&set, SIGCONT);
    (void)sigprocmask(SIG_BLOCK, &set, ret_before);
}

/* Lets signals in only while it waits: one that comes before is not slept over. */
static int wait_for_keys(int milliseconds)
{
    struct pollfd keys = {.fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN};
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    sigset_t unblocked;
    int ready = 0;

    block(&unblocked);
    if (!ended_by && !stop_asked && !changed)
        ready = ppoll(&keys, 1, &time, &unblocked);
    (void)sigprocmask(SIG_SETMASK, &unblocked, NULL);
    return ready;
}

enum screen_event screen_wait(int milliseconds)
{
    enum screen_event event = screen_keys_next();
    int ready;

    if (event != SCREEN_NOTHING)
        return event;
    ready = wait_for_keys(milliseconds);
    event = take_signals();
    if (event != SCREEN_NOTHING || ready <= 0)
        return event;
    if (!screen_keys_read(STDIN_FILENO))
        return SCREEN_ENDED;
    event = screen_keys_next();
    /* A key that means nothing is none: what was waited for goes on a little late. */
    return event == SCREEN_NOTHING ? SCREEN_CHANGED : event;
}
