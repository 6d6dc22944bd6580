/*
 * A snapshot as text. Each format ends with a newline; none allocates. Async-signal safe.
 */
#ifndef AL_EMIT_H
#define AL_EMIT_H

#include "snapshot.h"
#include "text.h"

#define AL_SCHEMA             "autolock/1"

/* The longest report: in JSON a path, a command line and a program's name of control bytes, each of
 * which is written as six; for Prometheus such a name, each byte written as three, in each sample.
 */
#define AL_REPORT_BYTES       ((size_t)192 * 1024)

/* What suffices for text and JSON, unless there are long names. */
#define AL_REPORT_USUAL_BYTES ((size_t)8 * 1024)

/* One JSON object on one line, schema AL_SCHEMA, every key present (docs/report.md). */
void al_emit_json(struct al_text *text, const struct al_snapshot *snapshot);

/* Prometheus' text exposition format, version 0.0.4: the families of families.h. */
void al_emit_prometheus(struct al_text *text, const struct al_snapshot *snapshot);

/* A few lines that a person reads in ten seconds. */
void al_emit_text(struct al_text *text, const struct al_snapshot *snapshot);

#endif
