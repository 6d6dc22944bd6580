/* For programs that use autolock/autolock.h: its calls, which leave errno alone. */
#ifndef HELPS_H
#define HELPS_H

#include "expect.h"

#include <autolock/autolock.h>

static inline struct autolock_stats snapshot(void)
{
    struct autolock_stats stats;

    memset(&stats, 0xAA, sizeof(stats));
    errno = ERRNO_UNTOUCHED;
    expect_equal(autolock_snapshot(&stats, sizeof(stats)), 0);
    expect_equal(errno, ERRNO_UNTOUCHED);
    expect_equal(stats.known_bytes, sizeof(stats));
    return stats;
}

static inline void mark(const char *phase)
{
    errno = ERRNO_UNTOUCHED;
    autolock_mark(phase);
    expect_equal(errno, ERRNO_UNTOUCHED);
}

/* One of a program's behaviours, by its name. */
struct scenario {
    const char *name;
    void (*run)(void);
};

/* Proves the library by the weak names, as the linker has them, and by the loader's. */
static inline void run_scenario(const struct scenario *scenarios, size_t count, const char *name)
{
    expect(autolock_version && autolock_mark && autolock_snapshot);
    expect(dlsym(RTLD_DEFAULT, "autolock_mark") == (void *)autolock_mark);
    expect(dlsym(RTLD_DEFAULT, "autolock_snapshot") == (void *)autolock_snapshot);
    for (size_t i = 0; i < count; i++) {
        if (name && strcmp(name, scenarios[i].name) == 0) {
            scenarios[i].run();
            return;
        }
    }
    end_with_1("no such scenario\n");
}

#endif
