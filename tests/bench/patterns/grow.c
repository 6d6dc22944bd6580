/*
 * grow ITERATIONS [LIMIT]
 *
 * Two buffers take turns at growing by half, from 16 to LIMIT bytes (1 MiB), and begin again: they
 * stand in each other's way, so that some are moved. One operation: one realloc.
 */
#include "pattern.h"

enum { SMALLEST = 16 };

struct buffer {
    char *at;
    size_t size;
};

static void grow(struct buffer *buffer, size_t limit)
{
    if (buffer->size >= limit) {
        free(buffer->at);
        *buffer = (struct buffer){NULL, 0};
    }
    buffer->size = buffer->size ? buffer->size + buffer->size / 2 : SMALLEST;
    buffer->at = used(realloc(buffer->at, buffer->size));
    *(volatile char *)&buffer->at[buffer->size - 1] = 1;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t limit = argument(count, arguments, 2, (size_t)1 << 20);
    struct buffer buffers[2] = {{NULL, 0}, {NULL, 0}};
    uint64_t begin = now_ns();

    for (size_t i = 0; i < iterations; i++)
        grow(&buffers[i % 2], limit);
    print_result(now_ns() - begin, iterations);
    free(buffers[0].at);
    free(buffers[1].at);
    return 0;
}
