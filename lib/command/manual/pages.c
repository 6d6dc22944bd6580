#include "manual.h"
#include "markdown.h"

#include "memory.h"

#include <ctype.h>
#include <string.h>

/* -- lines --------------------------------------------------------------------------------------
 */

/* A character that is no ASCII, by its number; returns what is behind it. */
static const char *put_wide(FILE *out, const char *at)
{
    unsigned first = (unsigned char)*at++;
    unsigned character = first >= 0xF0 ? first & 7 : first >= 0xE0 ? first & 15 : first & 31;

    while (((unsigned char)*at & 0xC0) == 0x80)
        character = character << 6 | ((unsigned char)*at++ & 0x3F);
    (void)fprintf(out, "\\[u%04X]", character);
    return at;
}

void manual_put_plain(FILE *out, const char *text)
{
    while (*text) {
        if ((unsigned char)*text >= 0x80) {
            text = put_wide(out, text);
            continue;
        }
        if (*text == '\\')
            (void)fputs("\\e", out);
        else if (strchr("-'`^~\"", *text))
            (void)fputs(*text == '-'    ? "\\-"
                        : *text == '\'' ? "\\(aq"
                        : *text == '`'  ? "\\(ga"
                        : *text == '^'  ? "\\(ha"
                        : *text == '~'  ? "\\(ti"
                                        : "\\(dq",
                        out);
        else
            (void)fputc(*text, out);
        text++;
    }
}

void manual_put_line(FILE *out, const char *text)
{
    /* A line that begins with a dot would be a request. */
    (void)fputs(*text == '.' || *text == ' ' ? "\\&" : "", out);
    manual_put_plain(out, text);
    (void)fputc('\n', out);
}

void manual_put_title(FILE *out, const char *name, int section, const char *about)
{
    (void)fprintf(out, ".TH %s %d \"%s\" \"autolock %s\"\n.nh\n.SH NAME\n%s \\- %s\n", name,
                  section, AL_VERSION_DATE, AL_VERSION, name, about);
}

/* -- what is in the tables ----------------------------------------------------------------------
 */

static void put_option(FILE *out, const struct call_option *option)
{
    (void)fputs(".TP\n\\fB", out);
    manual_put_plain(out, text_of("--%s", option->name));
    if (option->letter)
        (void)fprintf(out, "\\fR, \\fB\\-%c", option->letter);
    (void)fputs("\\fR", out);
    if (option->value) {
        (void)fputs(option->optional ? "[=\\fI" : " \\fI", out);
        manual_put_plain(out, option->value);
        (void)fputs(option->optional ? "\\fR]" : "\\fR", out);
    }
    (void)fputc('\n', out);
    manual_put_line(out, option->help);
}

static void put_section(FILE *out, const struct call_section *section)
{
    (void)fputs(".SS \"", out);
    manual_put_plain(out, section->title);
    (void)fputs("\"\n", out);
    for (const struct call_option *row = call_section_options(section); row->name; row++)
        if (!row->hidden)
            put_option(out, row);
}

static void put_statuses(FILE *out, const struct call *call)
{
    (void)fputs(".SS \"Exit status\"\n", out);
    for (const struct call_status *status = call->statuses; status->status; status++) {
        (void)fputs(".TP\n", out);
        manual_put_line(out, status->status);
        manual_put_line(out, status->when);
    }
}

/* What a document says of a call, without what was printed from the tables. */
static void put_document(FILE *out, const char *document, const char *call)
{
    static const char *const subjects[] = {"Options", "Exit status", "option", "status", NULL};
    const char *heading = text_of("autolock %s", call);

    while (document) {
        struct markdown_section section = markdown_section_at(document);

        if (markdown_is(section.heading, heading)) {
            (void)fputs(".SS \"More of it\"\n", out);
            markdown_put(out, section.body, subjects);
        }
        document = section.next;
    }
}

static void put_call(FILE *out, const struct call *call, const char *document)
{
    (void)fprintf(out, ".SH \"AUTOLOCK ");
    for (const char *at = call->name; *at; at++)
        (void)fputc(toupper((unsigned char)*at), out);
    (void)fputs("\"\n", out);
    manual_put_line(out, text_of("%.*s", (int)strcspn(call->about, "\n"), call->about));
    for (const struct call_section *section = call->sections; section->title; section++)
        put_section(out, section);
    put_statuses(out, call);
    put_document(out, document, call->name);
}

/* -- the pages ----------------------------------------------------------------------------------
 */

static void put_synopsis(FILE *out)
{
    (void)fputs(".SH SYNOPSIS\n", out);
    for (const struct call *const *call = manual_calls; *call; call++) {
        (void)fprintf(out, "%s\\fBautolock %s\\fR ", call == manual_calls ? "" : ".br\n",
                      (*call)->name);
        manual_put_plain(out, (*call)->usage);
        (void)fputc('\n', out);
    }
}

void manual_command_page(FILE *out, const char *command_document)
{
    manual_put_title(out, "autolock", 1, "run programs with their memory locked, and judge it");
    put_synopsis(out);
    (void)fputs(".SH DESCRIPTION\n"
                "The command around libautolock, a library that is preloaded into unmodified\n"
                "programs and keeps their memory in RAM.\n"
                "What it is told by variables is in \\fBlibautolock\\fR(7).\n"
                "The first argument says what is to be done:\n",
                out);
    for (const struct call *const *call = manual_calls; *call; call++) {
        (void)fprintf(out, ".TP\n\\fB%s\\fR\n", (*call)->name);
        manual_put_line(out, (*call)->does);
    }
    (void)fputs(".PP\nEach of them has these options, and \\fBautolock\\fR itself too:\n", out);
    for (const struct call_option *row = call_common.options; row->name; row++)
        put_option(out, row);
    for (const struct call *const *call = manual_calls; *call; call++)
        put_call(out, *call, command_document);
    (void)fputs(".SH SEE ALSO\n"
                ".BR libautolock (7),\n.BR mlock (2),\n.BR capabilities (7),\n.BR ld.so (8)\n",
                out);
}

static void put_variables(FILE *out)
{
    static const struct call_section section = {.settings = true};

    for (const struct call_option *row = call_section_options(&section); row->name; row++) {
        (void)fprintf(out, ".TP\n\\fB" AL_OPTION_PREFIX "%s\\fR\n", row->setting->name);
        manual_put_line(out, row->help);
    }
}

void manual_library_page(FILE *out, const char *configuration_document)
{
    static const char *const subjects[] = {"variable", NULL};
    const char *document = configuration_document;

    manual_put_title(out, "libautolock", 7, "keeps the memory of unmodified programs in RAM");
    (void)fputs(".SH SYNOPSIS\n\\fBLD_PRELOAD=libautolock.so\\fR \\fIprogram\\fR\n.br\n"
                "\\fBautolock run\\fR \\fIprogram\\fR\n",
                out);
    while (document) {
        struct markdown_section section = markdown_section_at(document);
        bool first = section.heading.start == section.heading.end;

        document = section.next;
        /* That is for who builds the library. */
        if (markdown_is(section.heading, "Changing the table"))
            continue;
        (void)fputs(".SH \"", out);
        for (const char *at = section.heading.start; at < section.heading.end; at++)
            (void)fputc(toupper((unsigned char)*at), out);
        (void)fputs(first ? "DESCRIPTION\"\n" : "\"\n", out);
        markdown_put(out, section.body, subjects);
        if (!first)
            continue;
        (void)fputs(".SH ENVIRONMENT\n", out);
        put_variables(out);
    }
    (void)fputs(".SH SEE ALSO\n.BR autolock (1),\n.BR mlock (2),\n.BR mlockall (2),\n"
                ".BR getrlimit (2),\n.BR ld.so (8)\n",
                out);
}
