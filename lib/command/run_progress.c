#include "run_progress.h"

#include "memory.h"
#include "now.h"
#include "reader.h"
#include "run_counts.h"
#include "text.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { DRAWN_EACH_MS = 1000, COLUMNS_UNKNOWN = 80, LINE_BYTES = 256, ROOM_WITHIN_MS = 50 };

struct progress {
    const struct run_gate_options *options;
    int64_t began_ms; /* 0: the program has not been executed yet */
    bool warmed_up;   /* the time is over; what follows was counted then, if it could be */
    bool warm;
    double major_at_warmup;
    bool drawn;
};

/* -- the terminal ------------------------------------------------------------------------------
 */

bool run_progress_can_be_seen(void)
{
    const char *sort = getenv("TERM");

    return isatty(STDERR_FILENO) == 1 && sort && *sort && strcmp(sort, "dumb") != 0;
}

static size_t columns(void)
{
    struct winsize size = {0};

    (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    return size.ws_col ? size.ws_col : COLUMNS_UNKNOWN;
}

/* In the background the line is the shell's, or another program's. */
static bool is_ours(void)
{
    pid_t group = tcgetpgrp(STDERR_FILENO);

    return group < 0 || group == getpgrp();
}

/*
 * Who has stopped the terminal's output (^S) must not stop the command: then nothing is drawn.
 * While the program is writing there is no room either, but soon.
 */
static bool put(const char *bytes, size_t length)
{
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};

    return is_ours() && poll(&terminal, 1, ROOM_WITHIN_MS) == 1 && terminal.revents == POLLOUT &&
           write(STDERR_FILENO, bytes, length) > 0;
}

/* Over what is there. Behind it a blank: what the program writes now comes there. */
static bool put_line(const char *line)
{
    char bytes[LINE_BYTES + 16];

    (void)snprintf(bytes, sizeof(bytes), "\r%s \033[K", line);
    return put(bytes, strlen(bytes));
}

static void wipe(struct progress *progress)
{
    static const char text[] = "\r\033[K";

    if (progress->drawn)
        (void)put(text, sizeof(text) - 1);
    progress->drawn = false;
}

/* -- the line ----------------------------------------------------------------------------------
 */

struct line {
    char bytes[LINE_BYTES];
    struct al_text text;
    size_t room; /* columns for it */
};

/* A figure is there as a whole, or not at all: cut, it would be another one. */
static bool add_part(struct line *line, const char *part)
{
    size_t length = strlen(part) + (line->text.length ? 2 : 0);

    if (line->text.length + length > line->room)
        return false;
    if (line->text.length)
        al_text_string(&line->text, ", ");
    al_text_string(&line->text, part);
    return true;
}

/* `whole`: 0, it is not known, or has no room. */
static bool add_time_of(struct line *line, bool warming_up, int64_t now, int64_t whole)
{
    int digits = whole % 1000 == 0 ? 0 : whole % 100 == 0 ? 1 : 3;
    char of[48] = "";
    char part[128];

    if (whole)
        (void)snprintf(of, sizeof(of), " of %.*f", digits, (double)whole / 1000);
    if (warming_up)
        (void)snprintf(part, sizeof(part), "warm-up %" PRId64 ".%" PRId64 "%s s", now / 1000,
                       now % 1000 / 100, of);
    else
        (void)snprintf(part, sizeof(part), "%" PRId64 "%s s", now / 1000, of);
    return add_part(line, part);
}

static void add_time(struct line *line, const struct run_gate_options *options, int64_t now)
{
    bool warming_up = options->warmup_ms > now;
    int64_t whole = warming_up ? options->warmup_ms : options->duration_ms;

    if (!add_time_of(line, warming_up, now, whole))
        (void)add_time_of(line, warming_up, now, 0);
}

static void add_faults(struct line *line, const struct progress *progress,
                       const struct run_counts *counts)
{
    bool by_mark = progress->options->warmup_ms == RUN_WARMUP_MARK;
    double faults = by_mark ? counts->major_after_mark : counts->major_after_lock;
    const char *since = by_mark ? "the mark, or the lock" : "the lock";
    char short_part[64];
    char part[128];

    if (progress->warmed_up) {
        faults = counts->major - progress->major_at_warmup;
        since = "the warm-up";
    }
    (void)snprintf(short_part, sizeof(short_part), "%.0f major fault%s", faults,
                   faults > 0 && faults < 2 ? "" : "s");
    (void)snprintf(part, sizeof(part), "%s since %s", short_part, since);
    if (!add_part(line, part))
        (void)add_part(line, short_part);
}

static void add_locked(struct line *line, const struct run_counts *counts)
{
    char bytes[64];
    struct al_text part = al_text_over(bytes, sizeof(bytes));

    al_text_size(&part, (uint64_t)counts->locked);
    al_text_string(&part, " locked");
    (void)add_part(line, bytes);
}

/* `counts`: NULL, they are not known. */
static void draw(struct progress *progress, const struct run_counts *counts, int64_t now)
{
    size_t width = columns();
    /* Without the last column, at which some terminals begin a new line, and without the blank. */
    struct line line = {.room = width > 2 ? width - 2 : 0};

    line.text = al_text_over(line.bytes, sizeof(line.bytes));
    add_time(&line, progress->options, now);
    if (counts && line.text.length && progress->options->warmup_ms <= now) {
        if (!progress->warmed_up || progress->warm)
            add_faults(&line, progress, counts);
        add_locked(&line, counts);
    }
    if (line.text.length)
        progress->drawn |= put_line(line.bytes);
    else
        wipe(progress);
}

/* -- the watch ---------------------------------------------------------------------------------
 */

/* What the program and the kernel count; not what takes a walk through all of its memory. */
static bool count(pid_t pid, struct run_counts *ret_counts)
{
    static struct al_reading reading;

    if (al_reader_read_process(pid, &reading))
        return false;
    *ret_counts = run_counts_of(&reading);
    return true;
}

/* Until the next full second, the end of the warm-up, or the end. */
static int until_next(const struct run_gate_options *options, int64_t now)
{
    int64_t next = DRAWN_EACH_MS - now % DRAWN_EACH_MS;

    if (options->warmup_ms > now && options->warmup_ms - now < next)
        next = options->warmup_ms - now;
    if (options->duration_ms > now && options->duration_ms - now < next)
        next = options->duration_ms - now;
    return (int)next;
}

/* Nothing is drawn at the very beginning: of what is over soon nothing is seen. */
static int look(pid_t pid, void *data)
{
    struct progress *progress = data;
    const struct run_gate_options *options = progress->options;
    struct run_counts counts;
    int64_t now = now_ms();
    bool counted;

    if (!progress->began_ms)
        progress->began_ms = now;
    now -= progress->began_ms;
    if (options->duration_ms && now >= options->duration_ms) {
        wipe(progress);
        return -1;
    }
    if (!now)
        return until_next(options, now);
    counted = count(pid, &counts);
    if (options->warmup_ms > 0 && now >= options->warmup_ms && !progress->warmed_up) {
        progress->warmed_up = true;
        progress->warm = counted;
        progress->major_at_warmup = counted ? counts.major : 0;
    }
    draw(progress, counted ? &counts : NULL, now);
    return until_next(options, now);
}

static void make_room(void *data)
{
    wipe(data);
}

struct run_watch run_progress_watch(const struct run_gate_options *options)
{
    struct progress *progress = allocate(sizeof(*progress));

    progress->options = options;
    return (struct run_watch){.look = look, .make_room = make_room, .data = progress};
}
