/*
 * A program that does little: says on both outputs that it ran, and ends with the status asked for.
 *
 *     exit_with [status [argument…]]
 */
#include "expect.h"

int main(int argc, char **argv)
{
    int status = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    puts("main ran");
    return status;
}
