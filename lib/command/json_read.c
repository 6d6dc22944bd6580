#include "json_read.h"

#include "memory.h"
#include "text.h"

#include <string.h>

json_t *json_read(const char *bytes, size_t length, char *ret_why, size_t why_size)
{
    struct al_text why = al_text_over(ret_why, why_size);
    json_error_t error;
    json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);

    if (!value)
        al_text_printable(&why, error.text, why_size / 2);
    return value;
}

const json_t *json_read_at(const json_t *value, const char *path)
{
    char name[64];

    while (value && *path) {
        size_t length = strcspn(path, ".");

        if (length >= sizeof(name))
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        value = json_object_get(value, name);
        path += length + (path[length] == '.');
    }
    return value;
}

int64_t json_read_integer(const json_t *value, const char *path)
{
    const json_t *found = json_read_at(value, path);

    return json_is_integer(found) ? json_integer_value(found) : JSON_READ_NONE;
}

const char *json_read_text(const json_t *value, const char *path)
{
    const char *text = json_string_value(json_read_at(value, path));

    return text ? text : "";
}

json_t *json_read_string(const char *bytes)
{
    size_t room = 3 * strlen(bytes) + 1;
    char *valid = allocate(room);
    struct al_text to = al_text_over(valid, room);

    while (*bytes) {
        unsigned taken = al_text_utf8(bytes);

        if (taken)
            al_text_bytes(&to, bytes, taken);
        else
            al_text_string(&to, "\xef\xbf\xbd");
        bytes += taken ? taken : 1;
    }
    return json_string(valid);
}
