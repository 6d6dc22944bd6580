/*
 * hog BYTES CHUNK_BYTES MILLISECONDS
 *
 * Holds BYTES in chunks and, each time so many milliseconds have passed, gives the oldest chunk
 * back and fills a new one: a neighbour that always wants memory. Prints a line each time all of it
 * is new, until nobody reads, or its standard input ends.
 */
#include "pattern.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST_CHUNKS = 4096, PAGE = 4096, FILLED = 512 };

/* Of each page as much as keeps it from being stored smaller than it is worth. */
static void *filled(size_t bytes, uint64_t *state)
{
    char *chunk = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (chunk == MAP_FAILED)
        die("out of memory");
    for (size_t page = 0; page < bytes; page += PAGE)
        for (size_t i = 0; i < FILLED; i += sizeof(*state)) {
            next_random(state);
            memcpy(chunk + page + i, state, sizeof(*state));
        }
    return chunk;
}

int main(int count, char *arguments[])
{
    static void *chunks[MOST_CHUNKS];
    size_t chunk_bytes = argument(count, arguments, 2, 4 << 20);
    size_t chunk_count = argument(count, arguments, 1, 64 << 20) / chunk_bytes;
    int pause_ms = (int)argument(count, arguments, 3, 50);
    struct pollfd end = {.fd = 0, .events = POLLIN};
    uint64_t state = 88172645463325252;

    if (!chunk_count || chunk_count > MOST_CHUNKS)
        die("too few chunks, or too many");
    for (size_t i = 0;; i = (i + 1) % chunk_count) {
        if (chunks[i])
            munmap(chunks[i], chunk_bytes);
        chunks[i] = filled(chunk_bytes, &state);
        if (i == chunk_count - 1 && (puts("round") < 0 || fflush(stdout)))
            return 0;
        if (poll(&end, 1, pause_ms) != 0)
            return 0;
    }
}
