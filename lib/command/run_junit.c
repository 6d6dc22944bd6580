#include "run_junit.h"

#include "command.h"
#include "markup.h"
#include "memory.h"
#include "replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_attribute(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, " %s=\"", name);
    markup_put(out, value);
    (void)fputc('"', out);
}

static void put_counts(FILE *out, const struct run_verdict *verdict, const struct run_about *about)
{
    put_attribute(out, "tests", text_of("%zu", verdict->count));
    put_attribute(out, "failures", text_of("%zu", verdict->failed));
    put_attribute(out, "errors", "0");
    put_attribute(out, "time", text_of("%.3f", (double)about->took_ms / 1000));
}

static void put_suite_attributes(FILE *out, const struct run_verdict *verdict,
                                 const struct run_about *about)
{
    char began[32];
    char host[256] = "";
    struct tm broken_down;

    put_attribute(out, "name", verdict->program);
    put_counts(out, verdict, about);
    put_attribute(out, "skipped", "0");
    /* Without a zone, as the format has it: it is UTC. */
    if (gmtime_r(&about->began, &broken_down) &&
        strftime(began, sizeof(began), "%Y-%m-%dT%H:%M:%S", &broken_down))
        put_attribute(out, "timestamp", began);
    if (gethostname(host, sizeof(host) - 1) == 0)
        put_attribute(out, "hostname", host);
}

static void put_case(FILE *out, const struct run_judged *judged, const char *class)
{
    const char *message = text_of("expected %s, measured %s", judged->expected, judged->measured);

    (void)fputs("    <testcase", out);
    put_attribute(out, "classname", class);
    put_attribute(out, "name", judged->expected);
    if (judged->holds) {
        (void)fputs("/>\n", out);
        return;
    }
    (void)fputs(">\n      <failure", out);
    put_attribute(out, "type", judged->name);
    put_attribute(out, "message", message);
    (void)fputc('>', out);
    markup_put(out, message);
    (void)fputs("</failure>\n    </testcase>\n", out);
}

/* What a person reads who opens it. */
static void put_output(FILE *out, const struct run_verdict *verdict, const struct run_about *about)
{
    char *text = NULL;
    size_t length = 0;
    FILE *table = open_memstream(&text, &length);

    if (!table)
        return;
    (void)fprintf(table, "%s%s ended %s\n", verdict->program,
                  about->tree ? ", with all that it started," : "", about->ended);
    run_verdict_print(verdict, table, false);
    if (fclose(table) == 0) {
        (void)fputs("    <system-out>", out);
        markup_put(out, text);
        (void)fputs("</system-out>\n", out);
    }
    free(text);
}

static void put_document(FILE *out, const struct run_verdict *verdict,
                         const struct run_about *about)
{
    const char *slash = strrchr(verdict->program, '/');
    /* What is before a dot is a package to those who show it. */
    const char *class = text_of("autolock.%s", slash ? slash + 1 : verdict->program);

    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
    put_attribute(out, "name", "autolock");
    put_counts(out, verdict, about);
    (void)fputs(">\n  <testsuite", out);
    put_suite_attributes(out, verdict, about);
    (void)fputs(">\n", out);
    for (size_t i = 0; i < verdict->count; i++)
        put_case(out, &verdict->list[i], class);
    put_output(out, verdict, about);
    (void)fputs("  </testsuite>\n</testsuites>\n", out);
}

bool run_junit_write(const char *path, const struct run_verdict *verdict,
                     const struct run_about *about)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    int error = -ENOMEM;

    if (out) {
        put_document(out, verdict, about);
        error = fclose(out) ? -ENOMEM : 0;
    }
    if (!error)
        error = al_replace(text_of("%s", path), bytes, length);
    free(bytes);
    if (error)
        complain("--junit %s: %s", path, strerror(-error));
    return !error;
}
