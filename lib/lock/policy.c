#include "policy.h"

enum al_verdict al_policy_judge(const struct al_policy *policy, unsigned kind, uint64_t size,
                                bool accessible)
{
    if (!(policy->kinds & kind))
        return AL_SKIP_KIND;
    if (!accessible)
        return AL_SKIP_INACCESSIBLE;
    if (size < policy->min_size || size > policy->max_size)
        return AL_SKIP_SIZE;
    return AL_TAKE;
}
