/*
 * A library that works in its constructor and destructor: before the lock is taken and after the
 * report, depending on where it stands. STAGE_NAME tells its copies apart.
 */
#include "every_hook.h"

static char *kept;

static void say(const char *when)
{
    dprintf(STDOUT_FILENO, "%s %s\n", STAGE_NAME, when);
}

static void __attribute__((constructor)) begin(void)
{
    every_hook();
    kept = malloc(5000);
    expect(kept);
    memset(kept, 9, 5000);
    say(status_kb("VmLck") ? "begins after the lock" : "begins before the lock");
}

static void __attribute__((destructor)) end(void)
{
    kept = realloc(kept, 50000);
    expect(kept && kept[0] == 9 && kept[4999] == 9);
    free(kept);
    every_hook();
    say("ends");
}

/* So that the program needs us. */
void stage_library_used(void);
void stage_library_used(void)
{
}
