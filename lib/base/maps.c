#include "maps.h"

#include "io.h"
#include "sys.h"

#include <fcntl.h>
#include <string.h>

/* On the stack, which may be a coroutine's: of a long path only the beginning is kept. */
enum { LINE_BYTES = 512 };

static bool parse_hex(const char **at, uintptr_t *ret_value, char end)
{
    uintptr_t value = 0;
    const char *begin = *at;

    for (;; (*at)++) {
        char c = **at;

        if (c >= '0' && c <= '9')
            value = value << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uintptr_t)(c - 'a' + 10);
        else
            break;
    }
    if (*at == begin || **at != end)
        return false;
    (*at)++;
    *ret_value = value;
    return true;
}

bool al_mapping_parse(char *line, struct al_mapping *ret_mapping)
{
    const char *at = line;

    if (!parse_hex(&at, &ret_mapping->start, '-') || !parse_hex(&at, &ret_mapping->end, ' '))
        return false;
    if (strnlen(at, 5) < 5)
        return false;
    ret_mapping->readable = at[0] == 'r';
    ret_mapping->writable = at[1] == 'w';
    ret_mapping->executable = at[2] == 'x';
    ret_mapping->shared = at[3] == 's';
    /* offset, device, inode; then the name, if any, behind blanks */
    for (int field = 0; field < 4; field++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    ret_mapping->name = at;
    return true;
}

int al_maps_each(bool (*visit)(const struct al_mapping *mapping, void *data), void *data)
{
    char buffer[LINE_BYTES];
    bool cut = false; /* the rest of a line that has been visited is still coming */
    size_t length = 0;
    long got = al_sys4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    int fd = (int)got;

    if (fd < 0)
        return fd;
    for (;;) {
        char *newline;

        got = al_sys3(SYS_read, fd, buffer + length, sizeof(buffer) - 1 - length);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        buffer[length] = '\0';
        while ((newline = memchr(buffer, '\n', length))) {
            size_t used = (size_t)(newline + 1 - buffer);
            struct al_mapping mapping;

            *newline = '\0';
            if (!cut && al_mapping_parse(buffer, &mapping) && !visit(&mapping, data)) {
                al_io_close(fd);
                return 0;
            }
            cut = false;
            length -= used;
            memmove(buffer, newline + 1, length);
        }
        if (length == sizeof(buffer) - 1) {
            struct al_mapping mapping;

            if (!cut && al_mapping_parse(buffer, &mapping) && !visit(&mapping, data))
                break;
            cut = true;
            length = 0;
        }
    }
    al_io_close(fd);
    return got < 0 ? (int)got : 0;
}
