/* What the tests of explanations start from: an ordinary user under the usual limit, in a shell. */
#ifndef EXPLAINED_H
#define EXPLAINED_H

#include "explain.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static const uint64_t mib = 1 << 20;

static struct al_failure failure;

static void ordinary_user(void)
{
    failure = (struct al_failure){.program = "gateway",
                                  .flags = AL_FLAG_CURRENT | AL_FLAG_FUTURE,
                                  .call = "mlockall",
                                  .error = -ENOMEM,
                                  .soft_limit = 8 * mib,
                                  .hard_limit = 8 * mib,
                                  .wanted = 100 * mib,
                                  .proc = true,
                                  .mappings = 50,
                                  .mappings_max = 65530,
                                  .user = 1000};
}

static inline void root_whom_nothing_limits(int error)
{
    failure.user = 0;
    failure.capable = true;
    failure.exempt = true;
    failure.error = error;
}

static inline void expect_line(const char *expected)
{
    char line[1024];
    struct al_text text = al_text_over(line, sizeof(line));

    al_explain(&text, &failure);
    ck_assert_str_eq(line, expected);
    ck_assert_uint_lt(text.length, 400);
}

#endif
