#include "budget.h"

#include "cgroup.h"
#include "machine.h"

static uint64_t percent_of(uint64_t bytes, uint64_t percent)
{
    if (bytes == AL_UNLIMITED)
        return AL_UNLIMITED;
    return bytes / 100 * percent + bytes % 100 * percent / 100;
}

static void at_most(struct al_budget *budget, uint64_t bytes, enum al_budget_by by)
{
    if (bytes >= budget->bytes)
        return;
    budget->bytes = bytes;
    budget->by = by;
}

void al_budget_decide(struct al_budget *budget, const struct al_budget_option *option,
                      const struct al_privilege *privilege)
{
    bool whole = option->sort == AL_BUDGET_PERCENT;
    uint64_t cgroup = percent_of(budget->cgroup_bytes, whole ? 100 : AL_BUDGET_CGROUP_PERCENT);
    uint64_t machine = percent_of(budget->machine_bytes, whole ? 100 : AL_BUDGET_MACHINE_PERCENT);

    budget->bytes = AL_UNLIMITED;
    budget->by = AL_BUDGET_BY_NOTHING;
    if (option->sort == AL_BUDGET_SIZE)
        at_most(budget, option->amount, AL_BUDGET_BY_OPTION);
    if (!privilege->exempt)
        at_most(budget, privilege->soft_limit, AL_BUDGET_BY_MEMLOCK);
    if (option->sort == AL_BUDGET_AUTO || option->sort == AL_BUDGET_PERCENT) {
        at_most(budget, cgroup, AL_BUDGET_BY_CGROUP);
        at_most(budget, machine, AL_BUDGET_BY_MACHINE);
    }
    if (option->sort == AL_BUDGET_PERCENT)
        budget->bytes = percent_of(budget->bytes, option->amount);
}

uint64_t al_budget_of_machine(void)
{
    return percent_of(al_machine_memory(), AL_BUDGET_MACHINE_PERCENT);
}

static struct al_budget look(const struct al_budget_option *option,
                             const struct al_privilege *privilege, bool machine)
{
    struct al_budget budget = {.cgroup_bytes = AL_UNLIMITED, .machine_bytes = AL_UNLIMITED};

    if (option->sort != AL_BUDGET_UNLIMITED) {
        budget.cgroup_bytes = al_cgroup_limit("");
        if (machine)
            budget.machine_bytes = al_machine_memory();
    }
    al_budget_decide(&budget, option, privilege);
    return budget;
}

struct al_budget al_budget_read(const struct al_budget_option *option,
                                const struct al_privilege *privilege)
{
    return look(option, privilege, true);
}

struct al_budget al_budget_read_without_machine(const struct al_budget_option *option,
                                                const struct al_privilege *privilege)
{
    return look(option, privilege, false);
}
