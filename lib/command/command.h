/*
 * The command `autolock`: one file for each of its calls, found by the table in main.c.
 */
#ifndef AL_COMMAND_H
#define AL_COMMAND_H

#include <stdbool.h>

/* Exit statuses, as in the manual. What a program ends with is its own, above all. */
enum {
    STATUS_FAILED = 1,
    STATUS_USAGE = 64,         /* EX_USAGE: the command was called wrongly */
    STATUS_DATA = 65,          /* EX_DATAERR: not a report */
    STATUS_UNWRITTEN = 74,     /* EX_IOERR: the answer could not be written */
    STATUS_CONFIGURATION = 78, /* EX_CONFIG */
    STATUS_EXPECTATION = 86,   /* run: what was expected did not hold */
    STATUS_NOT_HELD = 125,     /* run --require: the library did not take hold */
    STATUS_CANNOT_RUN = 126,   /* run: there, but no program */
    STATUS_NOT_FOUND = 127,    /* run: no such program */
    STATUS_SIGNALLED = 128     /* run: by this signal */
};

/* A call. `arguments` begin with its own name, as argv does; returns the exit status. */
typedef int call_function(int count, char **arguments);

#define AL_CALL(name) call_function command_##name;
#include "calls.def"
#undef AL_CALL

/*
 * "autolock run: …" on standard error, as one line whatever is in it: control characters, newlines
 * too, and bytes that are no UTF-8 are the replacement character.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The name of the call, for complaints. */
extern const char *command_call;

#endif
