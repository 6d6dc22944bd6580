#include "call.h"
#include "columns.h"
#include "command.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const struct call *call;
    call_function *function;
} calls[] = {
#define AL_CALL(name) {&call_##name, command_##name},
#include "calls.def"
#undef AL_CALL
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

const char *command_call = "";

/* Names and values in it may hold anything, and whoever reads it may obey it: it stays one line. */
static void print_line(const char *text)
{
    size_t room = 3 * strlen(text) + 64;
    char *bytes = malloc(room);
    struct al_text line;

    if (!bytes) {
        (void)fputs("autolock: out of memory\n", stderr);
        return;
    }
    line = al_text_over(bytes, room);
    al_text_string(&line, "autolock");
    al_text_string(&line, *command_call ? " " : "");
    al_text_string(&line, command_call);
    al_text_string(&line, ": ");
    columns_print(&line, text);
    al_text_char(&line, '\n');
    (void)fwrite(line.at, 1, line.length, stderr);
    free(bytes);
}

void complain(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    print_line(text ? text : format);
    free(text);
}

static void print_usage(FILE *to)
{
    (void)fputs("usage: autolock CALL [OPTION…]\n\n", to);
    for (size_t i = 0; i < CALLS; i++)
        (void)fprintf(to, "  %-8s %s\n", calls[i].call->name, calls[i].call->does);
    (void)fputs("\nautolock CALL --help says more of each; autolock --version its version.\n", to);
}

/* What cannot be written is no success. */
static int written(FILE *to)
{
    return fflush(to) || ferror(to) ? STATUS_FAILED : 0;
}

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_usage(stdout);
        return written(stdout);
    }
    if (strcmp(name, "--version") == 0) {
        puts("autolock " AL_VERSION);
        return written(stdout);
    }
    for (size_t i = 0; i < CALLS; i++) {
        if (strcmp(name, calls[i].call->name) != 0)
            continue;
        command_call = calls[i].call->name;
        return calls[i].function(count - 1, arguments + 1);
    }
    if (*name)
        complain("no call \"%s\"", name);
    print_usage(stderr);
    return STATUS_USAGE;
}
