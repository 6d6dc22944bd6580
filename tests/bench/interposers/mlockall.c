/*
 * Locks everything at the start and does nothing else: what the kernel takes for mlockall and for
 * bringing all of it in, which no library can do without.
 */
#include <stdio.h>
#include <sys/mman.h>

static void __attribute__((constructor)) start(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE))
        perror("mlockall");
}
