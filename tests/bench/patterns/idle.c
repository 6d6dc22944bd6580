/*
 * idle TOUCHES BYTES
 *
 * Fills BYTES in blocks of 64 KiB, prints a line and waits for one; then writes to TOUCHES random
 * pages of it, each timed by itself. Prints p50, p99, p99.9 and the longest in nanoseconds, and
 * then how many major faults the process has had when the last page was written.
 */
#include "latency.h"

#include <sys/resource.h>

enum { BLOCK = 65536, PAGE = 4096 };

int main(int count, char *arguments[])
{
    size_t touches = argument(count, arguments, 1, 1);
    size_t blocks = argument(count, arguments, 2, BLOCK) / BLOCK;
    struct latencies latencies = latencies_of(touches);
    char **block = calloc(blocks, sizeof(*block));
    uint64_t state = 88172645463325252;
    struct rusage usage;

    if (!blocks || !block)
        die("BYTES is at least 65536, and no more than there is");
    for (size_t i = 0; i < blocks; i++) {
        block[i] = used(malloc(BLOCK));
        for (size_t at = 0; at < BLOCK; at += sizeof(state)) {
            uint64_t value = next_random(&state);

            *(volatile uint64_t *)&block[i][at] = value;
        }
    }
    puts("ready");
    fflush(stdout);
    if (getchar() == EOF)
        die("nobody said when to begin");
    for (size_t i = 0; i < touches; i++) {
        uint64_t random = next_random(&state) >> 16;
        volatile char *page = &block[random % blocks][(random >> 24) % (BLOCK / PAGE) * PAGE];
        uint64_t begin = now_ns();

        *page = 1;
        note_latency(&latencies, i, now_ns() - begin);
    }
    getrusage(RUSAGE_SELF, &usage);
    print_latencies(&latencies);
    printf("%ld\n", usage.ru_majflt);
    return 0;
}
