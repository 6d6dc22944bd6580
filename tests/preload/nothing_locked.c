/*
 * Modes observe and off: not a page is locked, neither at start nor later.
 */
#include "expect.h"

int main(void)
{
    char *block = malloc(1 << 20);

    prove_loaded();
    expect(block);
    expect(!is_locked(block));
    expect_equal(status_kb("VmLck"), 0);
    puts("main ran");
    return 0;
}
