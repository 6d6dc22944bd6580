#include "downgrades.h"

#include "live.h"
#include "sys.h"

#include <string.h>

static void (*watcher)(const char *reason);

void al_downgrades_begin(uint64_t now_ns)
{
    memset(al_live.head.downgrade, 0, sizeof(al_live.head.downgrade));
    al_live.head.downgrade_count = 0;
    al_live.head.began_ns = now_ns;
}

void al_downgrades_watch(void (*on_downgrade)(const char *reason))
{
    watcher = on_downgrade;
}

/* Its first byte comes last: who sees that sees all of it. */
static void copy_reason(char *to, const char *reason)
{
    size_t length = strnlen(reason, AL_DOWNGRADE_BYTES - 1);

    if (!length)
        return;
    memcpy(to + 1, reason + 1, length - 1);
    __atomic_store_n(to, *reason, __ATOMIC_RELEASE);
}

void al_downgrade_add(const char *reason)
{
    uint64_t index = __atomic_fetch_add(&al_live.head.downgrade_count, 1, __ATOMIC_RELAXED);

    if (watcher)
        watcher(reason);
    if (index >= AL_DOWNGRADES_MAX)
        return;
    al_live.head.downgrade[index].when_ns = al_now_ns() - al_live.head.began_ns;
    copy_reason(al_live.head.downgrade[index].reason, reason);
}

size_t al_downgrades_count(void)
{
    return (size_t)__atomic_load_n(&al_live.head.downgrade_count, __ATOMIC_RELAXED);
}

const struct al_downgrade *al_downgrade_at(const struct al_live_head *head, size_t index)
{
    const struct al_downgrade *entry = &head->downgrade[index];

    if (index >= AL_DOWNGRADES_MAX ||
        index >= __atomic_load_n(&head->downgrade_count, __ATOMIC_RELAXED))
        return NULL;
    return __atomic_load_n(entry->reason, __ATOMIC_ACQUIRE) ? entry : NULL;
}
