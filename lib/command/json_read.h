/*
 * JSON that comes from elsewhere, read by jansson, within bounds: what is in a value is looked at
 * only by functions that take whatever it is.
 */
#ifndef AL_COMMAND_JSON_READ_H
#define AL_COMMAND_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* There is no such number; a number of a report is never less than -1. */
enum { JSON_READ_NONE = -2 };

/*
 * One value of `length` bytes. NULL: it is none, and `ret_why`, which is fit for a line, says why
 * not. Keys that stand twice, NUL in texts, and what is not UTF-8 are wrong.
 */
json_t *json_read(const char *bytes, size_t length, char *ret_why, size_t why_size);

/* The member at the end of a path of names, as "faults.major", or NULL. */
const json_t *json_read_at(const json_t *value, const char *path);

/* The same of an integer, or JSON_READ_NONE. */
int64_t json_read_integer(const json_t *value, const char *path);

/* The same of a text, "" if there is none. */
const char *json_read_text(const json_t *value, const char *path);

/* A text of any bytes; what is not UTF-8 becomes U+FFFD. */
json_t *json_read_string(const char *bytes);

#endif
