#include "report_read.h"

#include "command.h"
#include "live.h"
#include "memory.h"
#include "page.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum {
    LINE_BYTES_MAX = 1 << 20,   /* the longest report is less than a fifth of it */
    PAGE_BYTES_MAX = 256 << 20, /* of some thousand processes it is a tenth of that */
    COMPLAINTS_MAX = 3          /* a file of another kind is wrong in each line */
};

struct input {
    const char *name;
    FILE *file;
    size_t number;
    struct report_list *list;
    size_t reports;
    size_t wrong; /* lines */
};

static const char *shown_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

/* -- JSON Lines ---------------------------------------------------------------------------------
 */

static void wrong_line(struct input *input, size_t line, const char *why)
{
    if (++input->wrong <= COMPLAINTS_MAX)
        complain("%s:%zu: not a report: %s", shown_name(input->name), line, why);
}

static bool is_blank(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)bytes[i]))
            return false;
    return true;
}

static void take_line(struct input *input, size_t number, const char *bytes, size_t length)
{
    char text[256];
    const char *why = text;
    struct report_entry entry = {.file = input->number};

    if (is_blank(bytes, length))
        return;
    entry.report = json_read(bytes, length, text, sizeof(text));
    if (entry.report)
        why = report_wrong(entry.report);
    if (why) {
        json_decref(entry.report);
        wrong_line(input, number, why);
        return;
    }
    report_list_add(input->list, &entry);
    input->reports++;
}

/* However long a line is, no more than the longest report is kept of it. */
static void read_lines(struct input *input)
{
    char *line = allocate(LINE_BYTES_MAX);
    size_t length = 0;
    size_t number = 1;
    bool ended = false;

    while (!ended) {
        int c = getc_unlocked(input->file);

        ended = c == EOF;
        if (c != '\n' && !ended) {
            if (length < LINE_BYTES_MAX)
                line[length] = (char)c;
            length++;
            continue;
        }
        if (length > LINE_BYTES_MAX)
            wrong_line(input, number, "it is longer than any report");
        else
            take_line(input, number, line, length);
        length = 0;
        number++;
    }
    free(line);
    if (input->wrong > COMPLAINTS_MAX)
        complain("%s: %zu more lines are not reports", shown_name(input->name),
                 input->wrong - COMPLAINTS_MAX);
}

/* -- a page -------------------------------------------------------------------------------------
 */

/* All of the file, terminated, or NULL: it is too long. */
static char *read_whole(FILE *file)
{
    size_t room = 1 << 16;
    size_t length = 0;
    char *bytes = allocate(room);

    for (;;) {
        char *more;

        length += fread(bytes + length, 1, room - length - 1, file);
        if (length + 1 < room)
            break;
        if (room >= PAGE_BYTES_MAX) {
            free(bytes);
            return NULL;
        }
        more = allocate(2 * room);
        memcpy(more, bytes, length);
        free(bytes);
        bytes = more;
        room *= 2;
    }
    bytes[length] = '\0';
    return bytes;
}

static const char *take_page(struct input *input, char *bytes, json_t **ret_runs)
{
    static char text[256];
    char *data = strstr(bytes, PAGE_DATA_BEGIN);
    char *end = data ? strstr(data += strlen(PAGE_DATA_BEGIN), PAGE_DATA_END) : NULL;
    json_t *document;
    const char *why;
    size_t index;
    json_t *run;

    if (!end)
        return "it has no data of reports in it";
    document = json_read(data, (size_t)(end - data), text, sizeof(text));
    if (!document)
        return text_of("the data in it is damaged: %s", text);
    why = page_wrong(document);
    if (why)
        return why;
    *ret_runs = json_object_get(document, "runs");
    json_array_foreach(*ret_runs, index, run)
    {
        size_t at;
        json_t *process;

        json_array_foreach(json_object_get(run, "processes"), at, process)
        {
            struct report_entry entry = {.report = json_object_get(process, "report"),
                                         .histograms = json_object_get(process, "histograms"),
                                         .began_ns = json_read_integer(process, "began_ns"),
                                         .file = input->number};

            if (entry.began_ns < 0)
                entry.began_ns = 0;
            report_list_add(input->list, &entry);
            input->reports++;
        }
    }
    return NULL;
}

static bool read_page(struct input *input, json_t **ret_runs)
{
    char *bytes = read_whole(input->file);
    const char *why = bytes ? take_page(input, bytes, ret_runs) : "it is longer than any page";

    free(bytes);
    if (why)
        complain("%s: not a report: %s", shown_name(input->name), why);
    return !why;
}

/* -- a live file --------------------------------------------------------------------------------
 */

static bool read_live(struct input *input)
{
    static struct al_reading reading;
    char path[PATH_MAX];
    struct report_entry entry;
    int error = -ESPIPE;

    /* The reader follows no links. */
    if (strcmp(input->name, "-") != 0)
        error = realpath(input->name, path) ? al_reader_read_file(path, &reading) : -errno;
    if (error == -EBADMSG)
        complain("%s: not a report: a file of counters that is truncated, or of another version's "
                 "layout",
                 input->name);
    else if (error == -ESPIPE)
        complain("%s: a file of counters is read by its name alone", shown_name(input->name));
    else if (error)
        complain("%s: %s", input->name, strerror(-error));
    if (error)
        return false;
    entry = report_of_reading(&reading);
    entry.file = input->number;
    if (!entry.report) {
        complain("%s: not a report: a number in it is none that was counted", input->name);
        json_decref(entry.histograms);
        return false;
    }
    report_list_add(input->list, &entry);
    input->reports++;
    return true;
}

/* -- whichever it is ----------------------------------------------------------------------------
 */

static bool begins(const char *head, size_t length, const char *with)
{
    return length >= strlen(with) && strncasecmp(head, with, strlen(with)) == 0;
}

/* What was looked at is read again from there. */
static size_t look_ahead(FILE *file, char *head, size_t size)
{
    size_t length = 0;
    int c;

    /* One byte back is certain; glibc and musl take more, if they come in order. */
    while (length < size && (c = getc(file)) != EOF)
        head[length++] = (char)c;
    for (size_t i = length; i-- > 0;)
        (void)ungetc((unsigned char)head[i], file);
    return length;
}

static bool read_input(struct input *input, struct report_file *file)
{
    char head[8];
    size_t length = look_ahead(input->file, head, sizeof(head));

    if (length == sizeof(head) && memcmp(head, AL_LIVE_MAGIC, sizeof(head)) == 0)
        return read_live(input);
    if (begins(head, length, "<!docty") || begins(head, length, "<html")) {
        file->is_page = true;
        return read_page(input, &file->runs);
    }
    read_lines(input);
    if (!input->reports && !input->wrong && !ferror(input->file)) {
        complain("%s: not a report: it is empty", shown_name(input->name));
        return false;
    }
    return !input->wrong;
}

/* By a name in some directory, where anybody may have put it; not a pipe of a shell. */
static bool is_somebodys_pipe(int fd, const struct stat *status)
{
    struct statfs system;

    return S_ISFIFO(status->st_mode) && status->st_uid != geteuid() &&
           (fstatfs(fd, &system) || system.f_type != PIPEFS_MAGIC);
}

/* Ready to be read, or why not. */
static const char *prepare(int fd)
{
    struct pollfd want = {.fd = fd, .events = POLLIN};
    struct stat status;

    if (fstat(fd, &status))
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return strerror(EISDIR);
    if (is_somebodys_pipe(fd, &status))
        return "it is somebody else's pipe";
    /* It was opened without a wait for the other end. */
    while (S_ISFIFO(status.st_mode) && poll(&want, 1, -1) < 0 && errno == EINTR)
        ;
    return fcntl(fd, F_SETFL, 0) ? strerror(errno) : NULL;
}

static FILE *open_input(const char *name, const char **ret_why)
{
    int fd;
    FILE *file;

    *ret_why = NULL;
    if (strcmp(name, "-") == 0)
        return stdin;
    fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        *ret_why = strerror(errno);
        return NULL;
    }
    *ret_why = prepare(fd);
    file = *ret_why ? NULL : fdopen(fd, "r");
    if (!file) {
        if (!*ret_why)
            *ret_why = strerror(errno);
        (void)close(fd);
    }
    return file;
}

bool report_read(const char *name, size_t number, struct report_list *list,
                 struct report_file *ret_file)
{
    const char *why;
    struct input input = {
        .name = name, .file = open_input(name, &why), .number = number, .list = list};
    bool good;

    *ret_file = (struct report_file){.name = name};
    if (!input.file) {
        complain("%s: %s", name, why);
        return false;
    }
    good = read_input(&input, ret_file);
    if (ferror(input.file)) {
        complain("%s: %s", shown_name(name), strerror(errno));
        good = false;
    }
    if (input.file != stdin)
        (void)fclose(input.file);
    return good;
}
