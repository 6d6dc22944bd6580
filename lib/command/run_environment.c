#include "run.h"

#include "memory.h"

#include <string.h>

static size_t count_of(char *const *list)
{
    size_t count = 0;

    while (list[count])
        count++;
    return count;
}

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

static bool same_name(const char *a, const char *b)
{
    size_t length = name_length(a);

    return length == name_length(b) && strncmp(a, b, length) == 0;
}

/* The place of a variable of the same name, before `end`. */
static char **find(char **list, char **end, const char *variable)
{
    for (; list < end; list++)
        if (same_name(*list, variable))
            return list;
    return NULL;
}

char **run_environment_with(char *const *environment, char *const *settings)
{
    char **result = allocate((count_of(environment) + count_of(settings) + 1) * sizeof(*result));
    char **end = result;

    for (; *environment; environment++) {
        const char *variable = *environment;

        /* Of two with one name the first counts, so the second would be of no use. */
        for (char *const *setting = settings; *setting; setting++) {
            if (!same_name(variable, *setting))
                continue;
            variable = find(result, end, variable) ? NULL : *setting;
            break;
        }
        if (variable)
            *end++ = (char *)variable;
    }
    for (; *settings; settings++)
        if (!find(result, end, *settings))
            *end++ = *settings;
    *end = NULL;
    return result;
}

const char *run_environment_get(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}
