/*
 * Writes what a process counts, or has counted, in the format asked for:
 *
 *     read_live json|text|prometheus PID|FILE
 *
 * Exits with 0; 1, and says why, if it is not to be had; 2 if it is called wrongly.
 */
#include "emit.h"
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct al_reading reading;
static char bytes[AL_REPORT_BYTES];

typedef void emitter(struct al_text *text, const struct al_snapshot *snapshot);

static emitter *emitter_of(const char *format)
{
    if (strcmp(format, "json") == 0)
        return al_emit_json;
    if (strcmp(format, "text") == 0)
        return al_emit_text;
    if (strcmp(format, "prometheus") == 0)
        return al_emit_prometheus;
    return NULL;
}

int main(int argc, char **argv)
{
    struct al_text report = al_text_over(bytes, sizeof(bytes));
    emitter *emit = argc == 3 ? emitter_of(argv[1]) : NULL;
    char *end;
    long pid;
    int error;

    if (!emit) {
        (void)fprintf(stderr, "read_live json|text|prometheus PID|FILE\n");
        return 2;
    }
    pid = strtol(argv[2], &end, 10);
    error = *end ? al_reader_read_file(argv[2], &reading)
                 : al_reader_read_process((pid_t)pid, &reading);
    if (error) {
        (void)fprintf(stderr, "read_live: %s: %s\n", argv[2], strerror(-error));
        return 1;
    }
    if (!reading.complete)
        (void)fprintf(stderr, "read_live: %s: what some threads counted is missing\n", argv[2]);
    emit(&report, &reading.snapshot);
    return fwrite(report.at, 1, report.length, stdout) == report.length ? 0 : 1;
}
