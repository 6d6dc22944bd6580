#include "memlock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "unlimited" is no number. */
static uint64_t limit_of(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    return end == text ? UINT64_MAX : value;
}

/* "Max locked memory  8388608  8388608  bytes" */
bool memlock_read(const char *path, uint64_t *ret_soft, uint64_t *ret_hard)
{
    static const char name[] = "Max locked memory";
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *at = line + sizeof(name) - 1;

        if (strncmp(line, name, sizeof(name) - 1) != 0)
            continue;
        *ret_soft = limit_of(at);
        at += strspn(at, " ");
        at += strcspn(at, " ");
        *ret_hard = limit_of(at);
        found = true;
    }
    if (file)
        (void)fclose(file);
    return found;
}
