#include "fuzz.h"

#include <string.h>

char *fuzz_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);

    fuzz_expect(text);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

void fuzz_lines(const uint8_t *bytes, size_t size, void (*visit)(char *line, void *data),
                void *data)
{
    while (size) {
        const uint8_t *newline = memchr(bytes, '\n', size);
        size_t length = newline ? (size_t)(newline - bytes) : size;
        char *line = fuzz_text(bytes, length);

        visit(line, data);
        free(line);
        length += newline != NULL;
        bytes += length;
        size -= length;
    }
}
