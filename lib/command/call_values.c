#include "call_values.h"

#include "command.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool call_read_time(const char *option, const char *value, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
    char *end;
    double number = strtod(value, &end);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double ms = number * units[i].ms;

        if (!isdigit((unsigned char)*value) || strcmp(end, units[i].unit) != 0)
            continue;
        if (!(ms >= 1 && ms <= 7 * 24 * 3600e3))
            break;
        *ret_ms = (int64_t)ms;
        return true;
    }
    complain("%s %s: must be a time, as 2s, 500ms or 1m", option, value);
    return false;
}

bool call_read_format(const char *value, bool *ret_json)
{
    *ret_json = strcmp(value, "json") == 0;
    if (*ret_json || strcmp(value, "text") == 0)
        return true;
    complain("--format %s: it is one of text, json", value);
    return false;
}

bool call_are_pids(char *const *operands)
{
    for (; *operands; operands++) {
        size_t digits = strspn(*operands, "0123456789");

        if (digits && digits <= 9 && !(*operands)[digits] && strtol(*operands, NULL, 10) > 0)
            continue;
        complain("\"%s\" is no process", *operands);
        return false;
    }
    return true;
}
