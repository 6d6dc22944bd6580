/*
 * A snapshot as text. Both formats end with a newline; neither allocates. Async-signal safe.
 */
#ifndef AL_EMIT_H
#define AL_EMIT_H

#include "snapshot.h"
#include "text.h"

#define AL_SCHEMA       "autolock/1"

/* The longest report: a path, a command line and a program's name of control bytes, each of which
 * is six in JSON, and all fields. */
#define AL_REPORT_BYTES (96 * 1024)

/* One JSON object on one line, schema AL_SCHEMA, every key present (docs/report.md). */
void al_emit_json(struct al_text *text, const struct al_snapshot *snapshot);

/* A few lines that a person reads in ten seconds. */
void al_emit_text(struct al_text *text, const struct al_snapshot *snapshot);

#endif
