/*
 * Parsers of the option types. Each takes a value as a person writes it and returns 0, or -EINVAL
 * (not such a value) or -ERANGE (out of bounds); the output is untouched on failure. Words are
 * compared without regard to case (ASCII). Async-signal safe.
 */
#ifndef AL_PARSE_H
#define AL_PARSE_H

#include "options.h"

/* Bytes, optionally followed by K, M, G or T (powers of 1024, either case). */
int al_parse_size(const char *value, uint64_t min, uint64_t max, uint64_t *ret_size);

/* A whole number from 1 to 100 followed by %. */
int al_parse_percent(const char *value, unsigned *ret_percent);

/* 0/1, no/yes, off/on, false/true. */
int al_parse_flag(const char *value, unsigned *ret_flag);

/* One of `words`. */
int al_parse_word(const char *value, const struct al_word *words, unsigned *ret_value);

/*
 * Any of `words`, separated by commas and optional blanks; the values are or-ed together. On
 * failure `ret_bad` (of AL_PARSE_ITEM_SIZE bytes) holds the item that is none of them.
 */
int al_parse_set(const char *value, const struct al_word *words, unsigned *ret_mask, char *ret_bad);

#define AL_PARSE_ITEM_SIZE 32

/* An item of a list, without the blanks around it. */
struct al_parse_item {
    const char *start;
    size_t length;
};

/*
 * The list's next item; `list` moves on behind it, and is NULL after the last one. False at the
 * end.
 */
bool al_parse_next_item(const char **list, struct al_parse_item *ret_item);

/*
 * Items of any text, separated by commas and optional blanks; none may be empty, nor "!" alone.
 * Copied to `ret_list`, which has `size` bytes.
 */
int al_parse_list(const char *value, char *ret_list, size_t size);

/* A whole number. */
int al_parse_count(const char *value, uint64_t min, uint64_t max, uint64_t *ret_count);

#endif
