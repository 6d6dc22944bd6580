#include "lines.h"

#include "io.h"
#include "sys.h"

#include <fcntl.h>
#include <string.h>

/* What has been read of the file and not yet visited. */
struct window {
    char *buffer;
    size_t size; /* without the terminator */
    size_t length;
    bool cut; /* the rest of a line that has been visited is still coming */
};

/* Visits the complete lines; false if `visit` has had enough. */
static bool visit_complete(struct window *window, bool (*visit)(char *line, void *data), void *data)
{
    char *line = window->buffer;
    char *newline;
    bool more = true;

    while (more && (newline = memchr(line, '\n', window->length))) {
        size_t used = (size_t)(newline + 1 - line);

        *newline = '\0';
        more = window->cut || visit(line, data);
        window->cut = false;
        window->length -= used;
        line = newline + 1;
    }
    memmove(window->buffer, line, window->length);
    window->buffer[window->length] = '\0';
    return more;
}

/* Visits what is there of a line that is longer than the window, or has no newline. */
static bool visit_rest(struct window *window, bool (*visit)(char *line, void *data), void *data)
{
    bool more = window->cut || visit(window->buffer, data);

    window->cut = true;
    window->length = 0;
    return more;
}

int al_lines_each(const char *path, enum al_lines_file file, char *buffer, size_t size,
                  bool (*visit)(char *line, void *data), void *data)
{
    struct window window = {.buffer = buffer, .size = size - 1};
    int fd = al_io_open_read(path);
    long got = fd;
    bool more = true;

    if (fd < 0)
        return fd;
    while (more) {
        size_t asked = window.size - window.length;

        got = al_sys3(SYS_read, fd, buffer + window.length, asked);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        window.length += (size_t)got;
        more = visit_complete(&window, visit, data);
        if (more && window.length == window.size)
            more = visit_rest(&window, visit, data);
        if (file == AL_LINES_TEXT && (size_t)got < asked)
            break;
    }
    if (more && got >= 0 && window.length)
        (void)visit_rest(&window, visit, data);
    al_io_close(fd);
    return got < 0 ? (int)got : 0;
}
