/*
 * Every combination of AUTOLOCK_FLAGS: what exists at start, what comes later, at once or on fault.
 */
#include "expect.h"

#include <pthread.h>

enum { LENGTH = 50 * PAGE };

static char existing[LENGTH] __attribute__((aligned(PAGE)));

static bool current;
static bool future;
static bool onfault;

/* `lock`: whether the range must be locked; nobody has touched it yet. */
static void check(char *start, size_t length, bool lock)
{
    char *inner = start + 2 * PAGE;
    size_t before = resident_pages(inner, 8 * PAGE);
    long locked_kb = mapping_of(inner).locked_kb;

    expect_equal(is_locked(inner), lock);
    if (!lock) {
        expect_equal(before, 0);
        return;
    }
    if (!onfault) {
        expect_equal(resident_pages(start, length), pages_of(start, length));
        return;
    }
    expect_equal(before, 0);
    for (long i = 0; i < 8; i++) {
        inner[i * PAGE] = 1;
        expect_equal(resident_pages(inner, 8 * PAGE), i + 1);
        expect_equal(mapping_of(inner).locked_kb, locked_kb + 4 * (i + 1));
    }
}

static void *look_at_stack(void *unused)
{
    char here;

    expect_equal(is_locked(&here), future);
    return unused;
}

int main(void)
{
    const char *flags = getenv("AUTOLOCK_FLAGS");
    pthread_t thread;
    char *later;
    char *block;

    prove_loaded();
    need_privilege();
    expect(flags);
    current = strstr(flags, "current");
    future = strstr(flags, "future");
    onfault = strstr(flags, "onfault");
    if (!current && !future)
        current = future = true;

    check(existing, LENGTH, current);
    expect_equal(is_locked(&flags), current);

    later = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(later != MAP_FAILED);
    check(later, LENGTH, future);

    block = malloc(200000);
    expect(block);
    check(block, 200000, future);

    expect(pthread_create(&thread, NULL, look_at_stack, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
    return 0;
}
