/*
 * The program's own lock of two bytes that lie on two pages covers both pages wholly, and no third.
 */
#include "expect.h"

int main(void)
{
    char *start = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    prove_loaded();
    need_privilege();
    expect(start != MAP_FAILED);
    expect(!is_locked(start));

    expect(mlock(start + 2 * PAGE - 1, 2) == 0);
    expect(!is_locked(start));
    expect(is_locked(start + PAGE) && is_locked(start + 2 * PAGE - 1));
    expect(is_locked(start + 2 * PAGE) && is_locked(start + 3 * PAGE - 1));
    expect(!is_locked(start + 3 * PAGE));
    expect_equal(resident_pages(start, 4 * PAGE), 2);
    expect_equal(mapping_of(start + PAGE).locked_kb, 8);

    expect(munlock(start + 2 * PAGE, 1) == 0);
    expect(is_locked(start + PAGE) && !is_locked(start + 2 * PAGE));

    expect(mlock2(start + 3 * PAGE, 1, 1 /* MLOCK_ONFAULT */) == 0);
    expect(is_locked(start + 3 * PAGE));
    expect_equal(resident_pages(start + 3 * PAGE, 1), 0);
    return 0;
}
