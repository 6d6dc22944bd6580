/*
 * The program's own munlockall releases everything, what is yet to come included.
 */
#include "expect.h"

int main(void)
{
    char *block = malloc(200000);
    char *later;

    prove_loaded();
    need_privilege();
    expect(is_locked(block) && status_kb("VmLck") > 1000);
    expect(munlockall() == 0);
    expect_equal(status_kb("VmLck"), 0);
    later = malloc(300000);
    expect(later && !is_locked(block) && !is_locked(later));
    puts("released");
    return 0;
}
