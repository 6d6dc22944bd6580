/*
 * Holds 50 MB when it ends, and says as its last act what the kernel counts as locked.
 *
 *     hold main|atexit [megabytes]
 */
#include "expect.h"

static void say(void)
{
    dprintf(STDOUT_FILENO, "%ld\n", status_kb("VmLck"));
}

int main(int argc, char **argv)
{
    size_t bytes = (argc > 2 ? strtoul(argv[2], NULL, 10) : 50) * 1000000;
    char *block = malloc(bytes);

    prove_loaded();
    need_privilege();
    expect(argc >= 2 && block);
    memset(used(block), 1, bytes);
    if (strcmp(argv[1], "atexit") == 0)
        expect(atexit(say) == 0);
    else
        say();
    return 0;
}
