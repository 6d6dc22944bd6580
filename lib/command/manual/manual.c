#include "manual.h"

#include "command.h"
#include "memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* -- what memory.c needs ------------------------------------------------------------------------
 */

const char *command_call = "";

void complain(const char *format, ...)
{
    va_list arguments;

    (void)fputs("manual: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

/* -- for shells ---------------------------------------------------------------------------------
 */

const struct call *const manual_calls[] = {
#define AL_CALL(name) &call_##name,
#include "calls.def"
#undef AL_CALL
    NULL,
};

/* As many columns as a list of options leaves for what they do. */
enum { SHORT = 72 };

const char *manual_short_help(const struct call_option *option)
{
    const char *help = option->setting ? al_option_help(option->setting) : option->help;
    int length = (int)strcspn(help, ";");
    const char *sentence = strstr(help, ". ");

    if (sentence && sentence - help < length)
        length = (int)(sentence - help);
    if (length <= SHORT)
        return text_of("%.*s", length, help);
    for (length = SHORT; help[length] != ' ';)
        length--;
    while (strchr(" ,:;", help[length - 1]))
        length--;
    return text_of("%.*s…", length, help);
}

void manual_put_quoted(FILE *out, const char *text, const char *special)
{
    (void)fputc('\'', out);
    for (; *text; text++) {
        if (strchr(special, *text))
            (void)fputc('\\', out);
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*text, out);
    }
    (void)fputc('\'', out);
}

/* -- all of them --------------------------------------------------------------------------------
 */

static char *content_of(const char *path)
{
    FILE *in = fopen(path, "re");
    char *content = NULL;
    size_t size = 0;

    if (!in || getdelim(&content, &size, '\0', in) <= 0) {
        complain("%s cannot be read", path);
        exit(STATUS_FAILED);
    }
    (void)fclose(in);
    return content;
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";

    if (strcmp(what, "bash") == 0)
        manual_bash(stdout);
    else if (strcmp(what, "zsh") == 0)
        manual_zsh(stdout);
    else if (strcmp(what, "fish") == 0)
        manual_fish(stdout);
    else if (strcmp(what, "autolock.1") == 0 && count == 3)
        manual_command_page(stdout, content_of(arguments[2]));
    else if (strcmp(what, "libautolock.7") == 0 && count == 3)
        manual_library_page(stdout, content_of(arguments[2]));
    else
        return STATUS_USAGE;
    return fflush(stdout) || ferror(stdout) ? STATUS_FAILED : 0;
}
