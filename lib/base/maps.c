#include "maps.h"

#include "lines.h"

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
    if (ret_mapping->start >= ret_mapping->end)
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

struct visitor {
    bool (*visit)(const struct al_mapping *mapping, void *data);
    void *data;
};

static bool visit_line(char *line, void *data)
{
    struct visitor *visitor = data;
    struct al_mapping mapping;

    return !al_mapping_parse(line, &mapping) || visitor->visit(&mapping, visitor->data);
}

int al_maps_each_by(char *buffer, size_t size,
                    bool (*visit)(const struct al_mapping *mapping, void *data), void *data)
{
    struct visitor visitor = {.visit = visit, .data = data};

    return al_lines_each("/proc/self/maps", AL_LINES_LIST, buffer, size, visit_line, &visitor);
}

int al_maps_each(bool (*visit)(const struct al_mapping *mapping, void *data), void *data)
{
    char buffer[LINE_BYTES];

    return al_maps_each_by(buffer, sizeof(buffer), visit, data);
}

bool al_mapping_is_kernels(const struct al_mapping *mapping)
{
    return strncmp(mapping->name, "[v", 2) == 0;
}
