/*
 * The one formatter: appends to a buffer of fixed size, allocates nothing, knows no locale.
 *
 * A text that no longer fits is cut, `cut` is set, and the buffer stays terminated. All functions
 * are safe in signal handlers; a text is used by one thread at a time.
 */
#ifndef AL_TEXT_H
#define AL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct al_text {
    char *at;
    size_t size;   /* of the buffer, the terminator included; at least 1 */
    size_t length; /* without the terminator */
    bool cut;
};

/* Makes an empty text over a buffer that the caller keeps. */
struct al_text al_text_over(char *buffer, size_t size);

void al_text_char(struct al_text *text, char c);
void al_text_string(struct al_text *text, const char *string);
void al_text_bytes(struct al_text *text, const char *bytes, size_t count);
void al_text_u64(struct al_text *text, uint64_t value);
void al_text_i64(struct al_text *text, int64_t value);

/* With a separator between thousands: 1,234,567. */
void al_text_count(struct al_text *text, uint64_t value);

/* For people: 231.4 MiB; bytes below 1 KiB are exact. */
void al_text_size(struct al_text *text, uint64_t bytes);

/* For people: 1.2 ms; below a microsecond exact. */
void al_text_duration(struct al_text *text, uint64_t ns);

/* The largest unit that divides it exactly, as options are written: 64K, 3M, 100. */
void al_text_exact_size(struct al_text *text, uint64_t bytes);

/* In seconds, exactly and without trailing zeros: 1.0203. */
void al_text_seconds(struct al_text *text, uint64_t ns);

/* Spaces up to column `column` of the current line, at least one. */
void al_text_pad(struct al_text *text, size_t column);

/* Length of the UTF-8 sequence that `string` begins with (1 to 4), or 0 if it is none. */
unsigned al_text_utf8(const char *string);

/* A member's name in a JSON object, with a comma before it unless the object has just been opened.
 */
void al_text_json_key(struct al_text *text, const char *name);

/* In double quotes, as JSON wants it; bytes that are not UTF-8 become U+FFFD. What a terminal would
 * obey is escaped, also where JSON does not want it. */
void al_text_json(struct al_text *text, const char *string);

/* Fit to be part of a file's name: control bytes, slashes and what is not UTF-8 become _; at most
 * `limit` bytes. */
void al_text_file_name(struct al_text *text, const char *string, size_t limit);

/* In double quotes, as Prometheus wants a label's value; bytes that are not UTF-8 become U+FFFD. */
void al_text_label(struct al_text *text, const char *string);

/* Fit for a line on a terminal: the bytes of control characters, of those that change the direction
 * of what follows, and those that are not UTF-8, become \xNN, and after at most `limit` bytes "..."
 * follows. */
void al_text_printable(struct al_text *text, const char *string, size_t limit);

#endif
