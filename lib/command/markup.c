#include "markup.h"

#include <stdbool.h>
#include <stdint.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/* How many bytes the character there has, and which it is; 0: there is none. */
static int decode(const unsigned char *at, uint32_t *ret_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = *at < 0x80 ? 1 : *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;
    uint32_t character = length == 1 ? *at : *at & (0x7FU >> length);

    if (*at >= 0x80 && (*at < 0xC2 || *at > 0xF4))
        return 0;
    for (int i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (at[i] & 0x3F);
    }
    if (character < least[length] || character > 0x10FFFF)
        return 0;
    *ret_character = character;
    return length;
}

/* What stands behind them is shown in another order than it is read. */
static bool is_direction(uint32_t character)
{
    return (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* As XML 1.0 has them. */
static bool is_allowed(uint32_t character)
{
    if (is_direction(character))
        return false;
    return character >= 0x20
               ? (character < 0x7F || character > 0x9F) &&
                     (character < 0xD800 || character > 0xDFFF) && (character & 0xFFFE) != 0xFFFE
               : character == '\t' || character == '\n' || character == '\r';
}

static const char *escaped(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r': /* would be read as a newline */
        return "&#13;";
    default:
        return NULL;
    }
}

void markup_put(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        uint32_t character = 0;
        int length = decode(at, &character);
        const char *instead = length && is_allowed(character) ? escaped(character) : REPLACEMENT;

        if (instead)
            (void)fputs(instead, out);
        else
            (void)fwrite(at, 1, (size_t)length, out);
        at += length ? length : 1;
    }
}
