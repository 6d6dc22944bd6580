/*
 * Programs of several tests: the first argument names the one to run, in a process of its own.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "claims.h"
#include "watch.h"

#include "../expect.h"

/* What may be locked without an owner where little is locked, and by the library for itself. */
enum { SPARE_KB = (SLACK_LEAST + SLACK_UNKNOWN + (1 << 20)) / 1024 };

struct scenario {
    const char *name;
    void (*run)(void);
};

#define SCENARIO(function)                                                                         \
    {                                                                                              \
#        function, function                                                                        \
    }

/* The kernel's map is read, and all of the range is locked; in memory too, unless on fault. */
#define expect_locked(start, length)                                                               \
    expect_locked_at(__FILE__, __LINE__, #start, (start), (length), true)

/* … locked, whether it is in memory or not. */
#define expect_marked(start, length)                                                               \
    expect_locked_at(__FILE__, __LINE__, #start, (start), (length), false)

/* … and not a page of the range is locked. */
#define expect_unlocked(start, length)                                                             \
    expect_unlocked_at(__FILE__, __LINE__, #start, (start), (length))

static inline void expect_locked_at(const char *file, int line, const char *what, const void *start,
                                    size_t length, bool resident)
{
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)start + length + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

    watch_take();
    if (watch_locked_pages(start, length) != pages_of(start, length))
        end_with_1("%s:%d: of %s (%p + %zu) only %zu of %zu pages are locked\n", file, line, what,
                   start, length, watch_locked_pages(start, length), pages_of(start, length));
    if (resident && watch_first_absent(first, end) != end)
        end_with_1("%s:%d: of %s (%p + %zu) page %#lx is not in memory\n", file, line, what, start,
                   length, (unsigned long)watch_first_absent(first, end));
}

static inline void expect_unlocked_at(const char *file, int line, const char *what,
                                      const void *start, size_t length)
{
    watch_take();
    if (watch_locked_pages(start, length))
        end_with_1("%s:%d: of %s (%p + %zu) %zu of %zu pages are locked\n", file, line, what, start,
                   length, watch_locked_pages(start, length), pages_of(start, length));
}

static inline int run_scenario(const struct scenario *scenarios, size_t count, char **arguments)
{
    prove_loaded();
    need_privilege();
    for (size_t i = 0; i < count; i++) {
        if (!arguments[1] || strcmp(arguments[1], scenarios[i].name) != 0)
            continue;
        scenarios[i].run();
        return 0;
    }
    end_with_1("no such scenario: %s\n", arguments[1] ? arguments[1] : "none");
}

#define SCENARIOS(...)                                                                             \
    int main(int count, char **arguments)                                                          \
    {                                                                                              \
        static const struct scenario scenarios[] = {__VA_ARGS__};                                  \
                                                                                                   \
        (void)count;                                                                               \
        return run_scenario(scenarios, sizeof(scenarios) / sizeof(*scenarios), arguments);         \
    }

#endif
