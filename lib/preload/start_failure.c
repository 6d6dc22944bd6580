#include "start_failure.h"

#include "counters.h"
#include "kernel.h"
#include "lock_alloc.h"

#include <errno.h>

struct al_start_failure al_start_failure_of(int error, unsigned flags)
{
    struct al_start_failure failure = {.error = error, .outcome = AL_OUTCOME_NOTHING};
    struct al_lock_alloc_figures figures;

    al_lock_alloc_figures(&figures);
    for (size_t i = 0; i < sizeof(figures.kind) / sizeof(figures.kind[0]); i++)
        failure.wanted += figures.kind[i].mapped_bytes;
    if (figures.tracked_bytes)
        failure.outcome = AL_OUTCOME_PART;
    else if ((error == -ENOENT || error == -EACCES) && flags & AL_FLAG_FUTURE)
        failure.outcome = AL_OUTCOME_FUTURE; /* only what exists could not be looked up */
    return failure;
}

bool al_start_failure_is_budgets(int error, const struct al_budget *budget)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    if (error != -ENOMEM || budget->by == AL_BUDGET_BY_MEMLOCK)
        return false;
    al_counters_sum(sum);
    return sum[AL_COUNT_failures_ENOMEM] == 0;
}

int al_start_failure_of_nothing(void)
{
    int error = al_kernel_mlock2(NULL, 0, AL_MLOCK_ONFAULT);

    return error ? error : -EPERM;
}
