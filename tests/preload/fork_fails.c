/* What a program sees whose fork fails. */
#include "expect.h"

int main(void)
{
    pid_t child;

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    errno = ERRNO_UNTOUCHED;
    child = fork();
    printf("fork = %d, errno %d\n", (int)child, errno);
    return 0;
}
