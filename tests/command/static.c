/* A program into which nothing can be preloaded. */
#include <stdio.h>

int main(void)
{
    puts("ran");
    return fflush(stdout) ? 1 : 6;
}
