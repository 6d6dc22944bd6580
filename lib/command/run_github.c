#include "run_github.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- annotations --------------------------------------------------------------------------------
 */

/* Of a command's value these mean something; of its parameters two more. */
static void put_escaped(const char *text, const char *special)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            (void)fprintf(stderr, "%%%02X", (unsigned char)*text);
        else
            (void)fputc(*text, stderr);
    }
}

static void annotate(const char *program, const struct run_judged *judged)
{
    (void)fputs("::error title=autolock%3A ", stderr);
    put_escaped(program, "%\r\n:,");
    (void)fputs("::expected ", stderr);
    put_escaped(judged->expected, "%\r\n");
    (void)fputs(", measured ", stderr);
    put_escaped(judged->measured, "%\r\n");
    (void)fputc('\n', stderr);
}

/* -- the summary --------------------------------------------------------------------------------
 */

/* What Markdown and HTML take for theirs is a character's number. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_{}[]<>()#+!|&~$@:", *text))
            (void)fprintf(out, "&#%d;", *text);
        else
            (void)fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

static void put_summary(FILE *out, const struct run_verdict *verdict, const struct run_about *about)
{
    (void)fputs("### autolock: ", out);
    put_plain(out, verdict->program);
    (void)fprintf(out, "\n\n%s: %zu of %zu expectations %s%s; the program ended %s.\n\n",
                  verdict->failed ? "Failed" : "Passed",
                  verdict->failed ? verdict->failed : verdict->count, verdict->count,
                  verdict->failed ? "failed" : "hold",
                  about->tree ? ", of the program and all that it started" : "", about->ended);
    (void)fputs("| expected | measured | |\n| --- | --- | --- |\n", out);
    for (size_t i = 0; i < verdict->count; i++) {
        (void)fputs("| ", out);
        put_plain(out, verdict->list[i].expected);
        (void)fputs(" | ", out);
        put_plain(out, verdict->list[i].measured);
        (void)fprintf(out, " | %s |\n", verdict->list[i].holds ? "ok" : "**FAILED**");
    }
    (void)fputc('\n', out);
}

/* The file is that of the job's step, and whatever else the step does adds to it as well. */
static void summarize(const char *path, const struct run_verdict *verdict,
                      const struct run_about *about)
{
    FILE *out = fopen(path, "ae");
    bool written = false;

    if (out) {
        put_summary(out, verdict, about);
        written = !ferror(out);
        written &= fclose(out) == 0;
    }
    if (!written)
        complain("GITHUB_STEP_SUMMARY %s: %s", path, strerror(errno));
}

void run_github_tell(const struct run_verdict *verdict, const struct run_about *about)
{
    const char *actions = getenv("GITHUB_ACTIONS");
    const char *summary = getenv("GITHUB_STEP_SUMMARY");

    if (!actions || strcmp(actions, "true") != 0)
        return;
    for (size_t i = 0; i < verdict->count; i++)
        if (!verdict->list[i].holds)
            annotate(verdict->program, &verdict->list[i]);
    if (summary && *summary)
        summarize(summary, verdict, about);
}
