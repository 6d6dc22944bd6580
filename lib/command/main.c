#include "call.h"
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
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

void complain(const char *format, ...)
{
    va_list arguments;

    (void)fprintf(stderr, "autolock%s%s: ", *command_call ? " " : "", command_call);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
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
