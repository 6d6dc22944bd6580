#include "columns.h"

#include "memory.h"
#include "parse.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t columns_of_output(void)
{
    struct winsize window;
    const char *columns = getenv("COLUMNS");
    uint64_t number;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col)
        return window.ws_col;
    return columns && al_parse_count(columns, 1, 10000, &number) == 0 ? (size_t)number : 0;
}

static uint32_t code_point(const char *text, unsigned bytes)
{
    const unsigned char *at = (const unsigned char *)text;

    if (bytes < 2)
        return *at;
    uint32_t point = *at & (0xffU >> (bytes + 1));

    for (unsigned i = 1; i < bytes; i++)
        point = point << 6 | (at[i] & 0x3fU);
    return point;
}

/*
 * Marks that stand over the character before them take none, and those of East Asia two, as do
 * pictures: by blocks, which is as near as terminals come to one another.
 */
static size_t columns_of_point(uint32_t point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
        size_t columns;
    } blocks[] = {
        {0x0300, 0x036f, 0},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0}, {0xfe00, 0xfe0f, 0},
        {0xfe20, 0xfe2f, 0},   {0x1100, 0x115f, 2},   {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2},
        {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (point >= blocks[i].first && point <= blocks[i].last)
            return blocks[i].columns;
    return 1;
}

/* The next character, and how wide it is. */
static unsigned next(const char *text, size_t *ret_columns)
{
    unsigned bytes = al_text_utf8(text);

    if (!bytes)
        bytes = 1;
    *ret_columns = columns_of_point(code_point(text, bytes));
    return bytes;
}

size_t columns_of(const char *text)
{
    size_t sum = 0;
    size_t columns;

    while (*text) {
        text += next(text, &columns);
        sum += columns;
    }
    return sum;
}

const char *columns_cut(const char *text, size_t columns)
{
    const char *at = text;
    size_t taken = 0;

    if (columns_of(text) <= columns)
        return text;
    if (columns == 0)
        return "";
    for (;;) {
        size_t more;
        unsigned bytes = next(at, &more);

        if (taken + more > columns - 1)
            break;
        taken += more;
        at += bytes;
    }
    return text_of("%.*s…", (int)(at - text), text);
}

/* Control characters, and those that change the direction of what follows. */
static bool is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void columns_print(struct al_text *to, const char *text)
{
    while (*text) {
        unsigned bytes = al_text_utf8(text);

        if (!bytes || is_harmful(code_point(text, bytes)))
            al_text_string(to, "\xef\xbf\xbd");
        else
            al_text_bytes(to, text, bytes);
        text += bytes ? bytes : 1;
    }
}

const char *columns_printable(const char *text)
{
    size_t room = 3 * strlen(text) + 1;
    char *printable = allocate(room);
    struct al_text to = al_text_over(printable, room);

    columns_print(&to, text);
    return printable;
}
