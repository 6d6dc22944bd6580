#include "programs.h"

#include "glob_match.h"
#include "parse.h"

#include <string.h>

static bool matches_any(const char *glob, size_t length, const char *const names[], size_t count)
{
    bool whole = memchr(glob, '/', length) != NULL;

    for (size_t i = 0; i < count; i++) {
        const char *name = names[i];
        const char *slash;

        if (!name || !*name)
            continue;
        slash = whole ? NULL : strrchr(name, '/');
        if (al_glob_matches(glob, length, slash ? slash + 1 : name))
            return true;
    }
    return false;
}

bool al_programs_include(const char *list, const char *const names[], size_t count)
{
    struct al_parse_item item;
    bool only_excludes = true;
    bool included = false;

    while (al_parse_next_item(&list, &item)) {
        bool excludes = item.length && item.start[0] == '!';

        if (excludes) {
            if (matches_any(item.start + 1, item.length - 1, names, count))
                return false;
            continue;
        }
        only_excludes = false;
        included |= matches_any(item.start, item.length, names, count);
    }
    return included || only_excludes;
}
