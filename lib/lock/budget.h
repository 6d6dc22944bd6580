/*
 * The most that may be locked, from what was asked for and what holds here.
 */
#ifndef AL_BUDGET_H
#define AL_BUDGET_H

#include "options.h"
#include "privilege.h"

/* Which limit decided. */
enum al_budget_by {
    AL_BUDGET_BY_NOTHING, /* there is no bound */
    AL_BUDGET_BY_OPTION,  /* the size asked for */
    AL_BUDGET_BY_MEMLOCK,
    AL_BUDGET_BY_CGROUP,
    AL_BUDGET_BY_MACHINE
};

struct al_budget {
    uint64_t bytes; /* AL_UNLIMITED: no bound */
    enum al_budget_by by;
    uint64_t cgroup_bytes;  /* the cgroup's memory limit; AL_UNLIMITED: none, or not looked at */
    uint64_t machine_bytes; /* the machine's memory; AL_UNLIMITED: not known, or not looked at */
};

/* Of the cgroup's limit and the machine's memory, what is locked by itself leaves a part. */
#define AL_BUDGET_CGROUP_PERCENT  90
#define AL_BUDGET_MACHINE_PERCENT 80

/*
 * Looks at the cgroup and the machine, unless no bound is asked for. Async-signal safe; see
 * al_cgroup_limit() for the stack it takes.
 */
struct al_budget al_budget_read(const struct al_budget_option *option,
                                const struct al_privilege *privilege);

/* Of the machine's memory, the part that bounds AUTO; AL_UNLIMITED: not known. */
uint64_t al_budget_of_machine(void);

/* The same without the machine's memory, for which al_budget_of_machine() can be asked later. */
struct al_budget al_budget_read_without_machine(const struct al_budget_option *option,
                                                const struct al_privilege *privilege);

/* The decision alone: fills `bytes` and `by` of a budget whose other members are known. */
void al_budget_decide(struct al_budget *budget, const struct al_budget_option *option,
                      const struct al_privilege *privilege);

#endif
