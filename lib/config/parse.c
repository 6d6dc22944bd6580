#include "parse.h"

#include <errno.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

static int unit_shift(char unit)
{
    switch (lower(unit)) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    case 't':
        return 40;
    default:
        return -1;
    }
}

int al_parse_size(const char *value, uint64_t min, uint64_t max, uint64_t *ret_size)
{
    uint64_t size = 0;
    const char *at = value;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(size, 10U, &size) ||
            __builtin_add_overflow(size, (uint64_t)(*at - '0'), &size))
            return -ERANGE;
    }
    if (at == value)
        return -EINVAL;
    if (*at) {
        int shift = unit_shift(*at);

        if (shift < 0 || at[1])
            return -EINVAL;
        if (size > UINT64_MAX >> shift)
            return -ERANGE;
        size <<= shift;
    }
    if (size < min || size > max)
        return -ERANGE;
    *ret_size = size;
    return 0;
}

int al_parse_count(const char *value, uint64_t min, uint64_t max, uint64_t *ret_count)
{
    for (const char *at = value; *at; at++)
        if (*at < '0' || *at > '9')
            return -EINVAL;
    return al_parse_size(value, min, max, ret_count);
}

int al_parse_percent(const char *value, unsigned *ret_percent)
{
    unsigned percent = 0;
    const char *at = value;

    for (; *at >= '0' && *at <= '9'; at++) {
        percent = percent * 10 + (unsigned)(*at - '0');
        if (percent > 100)
            return -ERANGE;
    }
    if (at == value || at[0] != '%' || at[1])
        return -EINVAL;
    if (!percent)
        return -ERANGE;
    *ret_percent = percent;
    return 0;
}

int al_parse_word(const char *value, const struct al_word *words, unsigned *ret_value)
{
    for (; *words->word; words++) {
        if (same_word(value, words->word)) {
            *ret_value = words->value;
            return 0;
        }
    }
    return -EINVAL;
}

int al_parse_flag(const char *value, unsigned *ret_flag)
{
    static const struct al_word flag_values[] = {{"0", 0},    {"1", 1},     {"no", 0},
                                                 {"yes", 1},  {"off", 0},   {"on", 1},
                                                 {"true", 1}, {"false", 0}, {"", 0}};

    return al_parse_word(value, flag_values, ret_flag);
}

/* What libc has for that is elsewhere in it, and would be one more page to be mapped at each start.
 */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool al_parse_next_item(const char **list, struct al_parse_item *ret_item)
{
    const char *at = *list;
    size_t span = 0;
    size_t used;

    if (!at)
        return false;
    while (is_blank(*at))
        at++;
    while (at[span] && at[span] != ',')
        span++;
    used = span;
    while (used && is_blank(at[used - 1]))
        used--;
    *ret_item = (struct al_parse_item){.start = at, .length = used};
    *list = at[span] ? at + span + 1 : NULL;
    return true;
}

int al_parse_set(const char *value, const struct al_word *words, unsigned *ret_mask, char *ret_bad)
{
    struct al_parse_item part;
    unsigned mask = 0;

    while (al_parse_next_item(&value, &part)) {
        char item[AL_PARSE_ITEM_SIZE];
        size_t used = part.length;
        unsigned bit;

        if (used > sizeof(item) - 1)
            used = sizeof(item) - 1;
        memcpy(item, part.start, used);
        item[used] = '\0';

        if (al_parse_word(item, words, &bit)) {
            memcpy(ret_bad, item, sizeof(item));
            return -EINVAL;
        }
        mask |= bit;
    }
    *ret_mask = mask;
    return 0;
}

int al_parse_list(const char *value, char *ret_list, size_t size)
{
    size_t length = strnlen(value, size);
    const char *rest = value;
    struct al_parse_item item;

    if (length >= size)
        return -ERANGE;
    while (al_parse_next_item(&rest, &item))
        if (!item.length || (item.length == 1 && item.start[0] == '!'))
            return -EINVAL;
    memcpy(ret_list, value, length + 1);
    return 0;
}
