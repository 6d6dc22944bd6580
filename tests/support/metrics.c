/*
 * The metrics of the report for Prometheus, as a table in Markdown: read from a report that the
 * library itself has written, so that it has every metric there is.
 */
#include "metrics.h"

#include "downgrades.h"
#include "emit.h"

#include <stdio.h>
#include <string.h>

static const char *write_report(void)
{
    static struct al_config config;
    static char bytes[AL_REPORT_BYTES];
    static struct al_snapshot snapshot;
    struct al_run run = {.config = &config, .program = "program", .backend = "kernel"};
    char problem_bytes[64];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    (void)al_config_read(&config, NULL, &problems);
    al_downgrade_add("reason");
    snapshot.run = &run;
    snapshot.head = &al_live.head;
    snapshot.ended = "exit";
    al_emit_prometheus(&text, &snapshot);
    return bytes;
}

static bool is_among(const char *list, const char *name, size_t length)
{
    for (const char *at = list; (at = strstr(at, name)); at++)
        if ((at == list || at[-1] == '`') && strncmp(at, name, length) == 0 && at[length] == '`')
            return true;
    return false;
}

/* Adds the labels of one sample that are not there yet; the first three are on every sample. */
static void add_labels(char *list, size_t size, const char *sample)
{
    const char *at = strchr(sample, '{') + 1;

    for (unsigned i = 0; *at != '}'; i++) {
        char name[40];
        size_t length = strcspn(at, "=");

        snprintf(name, sizeof(name), "%.*s", (int)length, at);
        if (i >= 3 && !is_among(list, name, length))
            snprintf(list + strlen(list), size - strlen(list), "%s`%s`", *list ? ", " : "", name);
        at = strchr(at + length + 2, '"') + 1;
        at += *at == ',';
    }
}

void print_metrics(void)
{
    const char *line = write_report();

    puts("| metric | type | labels besides | meaning |");
    puts("| --- | --- | --- | --- |");
    while (*line) {
        const char *name = line + strlen("# HELP ");
        const char *help = strchr(name, ' ') + 1;
        const char *type = strchr(strstr(help, "\n# TYPE ") + strlen("\n# TYPE "), ' ') + 1;
        char labels[256] = "";

        for (line = strchr(type, '\n') + 1; *line && *line != '#'; line = strchr(line, '\n') + 1)
            add_labels(labels, sizeof(labels), line);
        printf("| `%.*s` | %.*s | %s | %.*s |\n", (int)strcspn(name, " "), name,
               (int)strcspn(type, "\n"), type, labels, (int)strcspn(help, "\n"), help);
    }
}
