#include "policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *const kind_name[KIND_TOTAL] = {
    [KIND_HEAP] = "heap",     [KIND_ANON] = "anon",   [KIND_FILE] = "file",
    [KIND_SHARED] = "shared", [KIND_STACK] = "stack", [KIND_IMAGE] = "image",
};

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    while (*list) {
        size_t here = strcspn(list, ",");

        if (here == length && memcmp(list, word, length) == 0)
            return true;
        list += here + (list[here] == ',');
    }
    return false;
}

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

static size_t size_of(const char *value)
{
    char *end;
    size_t size = strtoul(value, &end, 10);

    switch (*end) {
    case 'K':
        return size << 10;
    case 'M':
        return size << 20;
    case 'G':
        return size << 30;
    default:
        return size;
    }
}

struct policy policy_read(void)
{
    const char *kinds = variable("AUTOLOCK_KINDS", "heap,anon");
    const char *flags = variable("AUTOLOCK_FLAGS", "current,future");
    const char *max_size = variable("AUTOLOCK_MAX_SIZE", "");
    struct policy policy = {
        .min_size = size_of(variable("AUTOLOCK_MIN_SIZE", "0")),
        .max_size = *max_size ? size_of(max_size) : SIZE_MAX,
        .current = has_word(flags, "current"),
        .future = has_word(flags, "future"),
        .onfault = has_word(flags, "onfault"),
    };

    if (!policy.current && !policy.future)
        policy.current = policy.future = true;
    for (int kind = 0; kind < KIND_TOTAL; kind++)
        if (has_word(kinds, kind_name[kind]))
            policy.kinds |= 1U << kind;
    return policy;
}

bool policy_has(const struct policy *policy, enum kind kind)
{
    return policy->kinds >> kind & 1;
}

enum verdict policy_judge(const struct policy *policy, enum kind kind, size_t low, size_t high)
{
    if (!policy->future || !policy_has(policy, kind) || high < policy->min_size ||
        low > policy->max_size)
        return VERDICT_NO;
    return low >= policy->min_size && high <= policy->max_size ? VERDICT_YES : VERDICT_EITHER;
}
