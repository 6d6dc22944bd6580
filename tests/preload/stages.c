/*
 * Everything the library replaces, used in all stages of a program's life, by itself and by
 * libraries around it.
 */
#include "every_hook.h"

void stage_library_used(void);

static void at_exit(void)
{
    every_hook();
    dprintf(STDOUT_FILENO, "atexit handler\n");
}

static void __attribute__((constructor)) begin(void)
{
    every_hook();
    dprintf(STDOUT_FILENO, "program begins\n");
}

static void __attribute__((destructor)) end(void)
{
    every_hook();
    dprintf(STDOUT_FILENO, "program ends\n");
}

int main(void)
{
    prove_loaded();
    stage_library_used();
    expect(atexit(at_exit) == 0);
    every_hook();
    dprintf(STDOUT_FILENO, "main\n");
    return 0;
}
