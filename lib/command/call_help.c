#include "call.h"

#include "command.h"

#include <stdio.h>
#include <string.h>

/* A line of a usual terminal. */
enum { INDENT = 6, WIDTH = 78 };

/* Of UTF-8, where each character here takes one column. */
static int columns(const char *text, int length)
{
    int count = 0;

    for (int i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* A newline in the text is one in what is printed; lines that are too long are broken. */
static void print_filled(const char *text, int indent)
{
    int column = 0;

    while (*text) {
        int length = (int)strcspn(text, " \n");
        int width = columns(text, length);

        if (column && column + 1 + width > WIDTH) {
            (void)putchar('\n');
            column = 0;
        }
        if (width) {
            (void)printf("%*s%.*s", column ? 1 : indent, "", length, text);
            column += (column ? 1 : indent) + width;
        }
        text += length;
        if (*text == '\n') {
            (void)putchar('\n');
            column = 0;
            text++;
        }
        text += strspn(text, " ");
    }
    if (column)
        (void)putchar('\n');
}

static void print_option(const struct call_option *option)
{
    (void)printf("  --%s", option->name);
    if (option->letter)
        (void)printf(", -%c", option->letter);
    if (option->optional)
        (void)printf("[=%s]", option->value);
    else if (option->value)
        (void)printf(" %s", option->value);
    (void)putchar('\n');
    print_filled(option->help, INDENT);
}

static void print_section(const struct call_section *section)
{
    (void)printf("\n%s:\n\n", section->title);
    for (const struct call_option *row = call_section_options(section); row->name; row++)
        if (!row->hidden)
            print_option(row);
}

int call_help_print(const struct call *call)
{
    (void)printf("usage: autolock %s %s\n\n", call->name, call->usage);
    print_filled(call->about, 0);
    for (const struct call_section *section = call->sections; section->title; section++)
        print_section(section);
    print_section(&call_common);
    (void)fputs("\nExits with:\n\n", stdout);
    for (const struct call_status *status = call->statuses; status->status; status++) {
        (void)printf("  %s\n", status->status);
        print_filled(status->when, INDENT);
    }
    return fflush(stdout) || ferror(stdout) ? STATUS_FAILED : 0;
}
