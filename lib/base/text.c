#include "text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

struct al_text al_text_over(char *buffer, size_t size)
{
    struct al_text text = {.at = buffer, .size = size};

    buffer[0] = '\0';
    return text;
}

void al_text_bytes(struct al_text *text, const char *bytes, size_t count)
{
    size_t room = text->size - 1 - text->length;

    if (count > room) {
        count = room;
        text->cut = true;
    }
    memcpy(text->at + text->length, bytes, count);
    text->length += count;
    text->at[text->length] = '\0';
}

void al_text_char(struct al_text *text, char c)
{
    al_text_bytes(text, &c, 1);
}

void al_text_string(struct al_text *text, const char *string)
{
    al_text_bytes(text, string, strlen(string));
}

/* Writes the digits of `value` to the end of `digits`; returns where they begin. */
static char *put_digits(char digits[static 32], uint64_t value, char separator)
{
    char *at = digits + 32;
    unsigned written = 0;

    do {
        if (separator && written && written % 3 == 0)
            *--at = separator;
        *--at = (char)('0' + value % 10);
        value /= 10;
        written++;
    } while (value);
    return at;
}

void al_text_u64(struct al_text *text, uint64_t value)
{
    char digits[32];
    char *at = put_digits(digits, value, '\0');

    al_text_bytes(text, at, (size_t)(digits + sizeof(digits) - at));
}

void al_text_count(struct al_text *text, uint64_t value)
{
    char digits[32];
    char *at = put_digits(digits, value, ',');

    al_text_bytes(text, at, (size_t)(digits + sizeof(digits) - at));
}

void al_text_i64(struct al_text *text, int64_t value)
{
    if (value < 0)
        al_text_char(text, '-');
    al_text_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void al_text_size(struct al_text *text, uint64_t bytes)
{
    static const char units[][5] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    unsigned unit = 0;
    uint64_t rest = 0;

    while (bytes >= 1024) {
        rest = bytes % 1024;
        bytes /= 1024;
        unit++;
    }
    al_text_u64(text, bytes);
    if (unit) {
        al_text_char(text, '.');
        al_text_u64(text, rest * 10 / 1024);
    }
    al_text_string(text, units[unit]);
}

void al_text_duration(struct al_text *text, uint64_t ns)
{
    static const char units[][4] = {" ns", " us", " ms", " s"};
    unsigned unit = 0;
    uint64_t rest = 0;

    for (; ns >= 1000 && unit < 3; unit++) {
        rest = ns % 1000;
        ns /= 1000;
    }
    al_text_u64(text, ns);
    if (unit) {
        al_text_char(text, '.');
        al_text_u64(text, rest / 100);
    }
    al_text_string(text, units[unit]);
}

void al_text_seconds(struct al_text *text, uint64_t ns)
{
    uint64_t rest = ns % 1000000000;

    al_text_u64(text, ns / 1000000000);
    if (rest)
        al_text_char(text, '.');
    for (uint64_t digit = 100000000; rest; digit /= 10) {
        al_text_char(text, (char)('0' + rest / digit));
        rest %= digit;
    }
}

void al_text_exact_size(struct al_text *text, uint64_t bytes)
{
    static const char units[] = "\0KMGT";
    unsigned unit = 0;

    while (bytes && bytes % 1024 == 0 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    al_text_u64(text, bytes);
    if (unit)
        al_text_char(text, units[unit]);
}

void al_text_pad(struct al_text *text, size_t column)
{
    const char *newline = memrchr(text->at, '\n', text->length);
    size_t line = newline ? (size_t)(newline + 1 - text->at) : 0;

    do {
        al_text_char(text, ' ');
    } while (text->length - line < column && !text->cut);
}

/* RFC 3629, section 4. */
unsigned al_text_utf8(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    unsigned count;
    unsigned low = 0x80;
    unsigned high = 0xBF;

    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF) {
        count = 2;
    } else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        count = 3;
        low = at[0] == 0xE0 ? 0xA0 : 0x80;
        high = at[0] == 0xED ? 0x9F : 0xBF;
    } else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        count = 4;
        low = at[0] == 0xF0 ? 0x90 : 0x80;
        high = at[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (at[1] < low || at[1] > high)
        return 0;
    for (unsigned i = 2; i < count; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return count;
}

/* U+202A to U+202E and U+2066 to U+2069, which change the direction of what follows. */
static bool is_direction(const unsigned char *at)
{
    return *at == 0xE2 && ((at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE) ||
                           (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9));
}

/* Control characters, the upper ones too, as UTF-8 or as a byte of their own: a terminal obeys. */
static bool is_control(const unsigned char *at, unsigned count)
{
    return !count || *at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0) ||
           (count == 3 && is_direction(at));
}

/* A control character of `count` bytes. */
static void put_json_escape(struct al_text *text, const unsigned char *at, unsigned count)
{
    unsigned point = *at;

    if (count == 2)
        point = at[1];
    else if (count == 3)
        point = 0x2000U | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    al_text_string(text, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        al_text_char(text, hex_digits[point >> shift & 15]);
}

void al_text_json(struct al_text *text, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;

    al_text_char(text, '"');
    while (*at) {
        unsigned count = al_text_utf8((const char *)at);

        if (count == 0) {
            al_text_string(text, "\\ufffd");
            count = 1;
        } else if (*at == '"' || *at == '\\') {
            al_text_char(text, '\\');
            al_text_char(text, (char)*at);
        } else if (is_control(at, count)) {
            put_json_escape(text, at, count);
        } else {
            al_text_bytes(text, (const char *)at, count);
        }
        at += count;
    }
    al_text_char(text, '"');
}

void al_text_label(struct al_text *text, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;

    al_text_char(text, '"');
    while (*at) {
        unsigned count = al_text_utf8((const char *)at);

        if (count == 0) {
            al_text_string(text, "\xEF\xBF\xBD");
            count = 1;
        } else if (*at == '\n') {
            al_text_string(text, "\\n");
        } else {
            if (*at == '"' || *at == '\\')
                al_text_char(text, '\\');
            al_text_bytes(text, (const char *)at, count);
        }
        at += count;
    }
    al_text_char(text, '"');
}

void al_text_printable(struct al_text *text, const char *string, size_t limit)
{
    const unsigned char *at = (const unsigned char *)string;
    unsigned shown = 0; /* bytes of a character that are as they are */

    for (; *at; at++, limit--) {
        unsigned count = shown ? shown : al_text_utf8((const char *)at);

        if (!limit || count > limit) {
            al_text_string(text, "...");
            return;
        }
        if (!shown && is_control(at, count)) {
            al_text_string(text, "\\x");
            al_text_char(text, hex_digits[*at >> 4]);
            al_text_char(text, hex_digits[*at & 15]);
            continue;
        }
        al_text_char(text, (char)*at);
        shown = count - 1;
    }
}

/* A file in its directory whose name is not UTF-8 ends Prometheus' node exporter (1.5). */
void al_text_file_name(struct al_text *text, const char *string, size_t limit)
{
    while (*string && limit) {
        unsigned char c = (unsigned char)*string;
        unsigned count = al_text_utf8(string);

        if (is_control((const unsigned char *)string, count) || c == '/') {
            al_text_char(text, '_');
            count = 1;
        } else if (count > limit) {
            return;
        } else {
            al_text_bytes(text, string, count);
        }
        string += count;
        limit -= count;
    }
}

void al_text_json_key(struct al_text *text, const char *name)
{
    if (text->length && text->at[text->length - 1] != '{')
        al_text_char(text, ',');
    al_text_json(text, name);
    al_text_char(text, ':');
}
