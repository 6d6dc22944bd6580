#include "downgrades.h"

#include "sys.h"

#include <string.h>

static struct {
    uint64_t begin_ns;
    size_t count;
    struct al_downgrade entry[AL_DOWNGRADES_MAX];
} downgrades;

static void (*watcher)(const char *reason);

void al_downgrades_begin(uint64_t now_ns)
{
    memset(&downgrades, 0, sizeof(downgrades));
    downgrades.begin_ns = now_ns;
}

void al_downgrades_watch(void (*on_downgrade)(const char *reason))
{
    watcher = on_downgrade;
}

void al_downgrade_add(const char *reason)
{
    size_t index = __atomic_fetch_add(&downgrades.count, 1, __ATOMIC_RELAXED);

    if (watcher)
        watcher(reason);
    if (index >= AL_DOWNGRADES_MAX)
        return;
    downgrades.entry[index].when_ns = al_now_ns() - downgrades.begin_ns;
    __atomic_store_n(&downgrades.entry[index].reason, reason, __ATOMIC_RELEASE);
}

size_t al_downgrades_count(void)
{
    return __atomic_load_n(&downgrades.count, __ATOMIC_RELAXED);
}

struct al_downgrade al_downgrade_at(size_t index)
{
    struct al_downgrade entry = {
        .reason = __atomic_load_n(&downgrades.entry[index].reason, __ATOMIC_ACQUIRE)};

    if (entry.reason)
        entry.when_ns = downgrades.entry[index].when_ns;
    return entry;
}
