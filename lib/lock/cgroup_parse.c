#include "cgroup_parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

uint64_t al_cgroup_parse_limit(const char *text)
{
    /* The page counter's largest value in bytes, whatever the size of a page is. */
    const uint64_t least_of_none = INT64_MAX & ~(uint64_t)0xFFFF;
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return AL_CGROUP_UNLIMITED;
    if (at == text || (*at && *at != '\n') || value >= least_of_none)
        return AL_CGROUP_UNLIMITED;
    return value;
}

/* Whether `word` is one of a comma-separated list of `length` bytes. */
static bool lists(const char *list, size_t length, const char *word)
{
    size_t wanted = strlen(word);

    while (length) {
        const char *comma = memchr(list, ',', length);
        size_t span = comma ? (size_t)(comma - list) : length;

        if (span == wanted && memcmp(list, word, wanted) == 0)
            return true;
        if (!comma)
            break;
        list += span + 1;
        length -= span + 1;
    }
    return false;
}

static bool leads_out(const char *path)
{
    while ((path = strstr(path, "/.."))) {
        path += strlen("/..");
        if (*path == '/' || *path == '\0')
            return true;
    }
    return false;
}

bool al_cgroup_parse_line_to(const char *line, enum al_cgroup_version *version, char *path,
                             size_t size)
{
    const char *controllers = strchr(line, ':');
    const char *at = controllers ? strchr(++controllers, ':') : NULL;
    enum al_cgroup_version found = AL_CGROUP_NONE;
    size_t length;

    if (!at)
        return true;
    if (lists(controllers, (size_t)(at - controllers), "memory"))
        found = AL_CGROUP_V1;
    else if (at == controllers && strncmp(line, "0:", 2) == 0)
        found = AL_CGROUP_V2;
    if (found <= *version)
        return true;
    *version = found;
    path[0] = '\0';
    length = strlen(++at);
    if (length >= size)
        return false;
    if (*at == '/' && length > 1 && !leads_out(at))
        memcpy(path, at, length + 1);
    return true;
}

void al_cgroup_parse_line(const char *line, struct al_cgroup *cgroup)
{
    (void)al_cgroup_parse_line_to(line, &cgroup->version, cgroup->path, sizeof(cgroup->path));
}

/* Blanks and the like are written \040 there. */
static void undo_escapes(char *text)
{
    char *to = text;

    for (; *text; to++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *to = *text++;
        }
    }
    *to = '\0';
}

/* Ends the word at `*at` and moves on behind it; NULL if there is none. */
static char *next_word(char **at)
{
    char *word = *at;

    if (!*word)
        return NULL;
    *at += strcspn(*at, " ");
    if (**at)
        *(*at)++ = '\0';
    return word;
}

char *al_cgroup_parse_mount(char *line, enum al_cgroup_version version)
{
    char *dash = strstr(line, " - ");
    char *at = line;
    char *point = NULL;
    const char *type;
    const char *options;

    if (!dash)
        return NULL;
    *dash = '\0';
    /* number, parent, device, root, mount point */
    for (int field = 0; field < 5; field++)
        point = next_word(&at);
    at = dash + strlen(" - ");
    type = next_word(&at);
    (void)next_word(&at);
    options = next_word(&at);
    if (!point || !type)
        return NULL;
    if (version == AL_CGROUP_V2
            ? strcmp(type, "cgroup2") != 0
            : strcmp(type, "cgroup") != 0 || !options || !lists(options, strlen(options), "memory"))
        return NULL;
    undo_escapes(point);
    return point;
}
