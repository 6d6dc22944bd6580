/*
 * hog BYTES
 *
 * Fills BYTES with what cannot be compressed, prints a line, and stays there until its standard
 * input ends.
 */
#include "pattern.h"

int main(int count, char *arguments[])
{
    size_t words = argument(count, arguments, 1, 4096) / sizeof(uint64_t);
    volatile uint64_t *memory = malloc(words * sizeof(*memory));
    uint64_t state = 88172645463325252;

    if (!memory)
        die("out of memory");
    for (size_t i = 0; i < words; i++)
        memory[i] = next_random(&state);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
