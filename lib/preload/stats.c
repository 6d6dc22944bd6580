#include "stats.h"

#include "downgrades.h"

#include <assert.h>
#include <string.h>

/* Members that are a field each, and have its name. */
static const struct {
    size_t offset;
    enum al_field field;
} members[] = {
#define MEMBER(name)                                                                               \
    {                                                                                              \
        offsetof(struct autolock_stats, name), AL_FIELD_##name                                     \
    }
    MEMBER(locked_kernel_bytes),
    MEMBER(locked_peak_kernel_bytes),
    MEMBER(locked_tracked_bytes),
    MEMBER(locked_peak_tracked_bytes),
    MEMBER(locked_regions),
    MEMBER(skipped_budget),
    MEMBER(faults_minor),
    MEMBER(faults_major),
    MEMBER(faults_minor_after_lock),
    MEMBER(faults_major_after_lock),
    MEMBER(faults_minor_after_mark),
    MEMBER(faults_major_after_mark),
    MEMBER(memory_rss_bytes),
    MEMBER(memory_swap_bytes),
    MEMBER(memory_unlocked_resident_bytes),
    MEMBER(memory_limit_bytes),
    MEMBER(syscalls_mlock2_count),
    MEMBER(syscalls_mlock2_time_ns),
    MEMBER(syscalls_munlock_count),
    MEMBER(syscalls_munlock_time_ns),
    MEMBER(syscalls_mlockall_count),
    MEMBER(syscalls_mlockall_time_ns),
    MEMBER(hooks_slow_count),
    MEMBER(hooks_slow_time_ns),
    MEMBER(calls_malloc),
    MEMBER(calls_free),
    MEMBER(calls_mmap),
    MEMBER(calls_munmap),
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]), MADE_HERE = 4 };

static_assert(sizeof(struct autolock_stats) == (MEMBERS + MADE_HERE) * sizeof(uint64_t),
              "each member is in the table or made in al_stats_fill");

/* Of all fields in an object of the report. */
static uint64_t sum_of(const char *object, const uint64_t *field)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        if (!*al_field_outer(&al_fields[i]) && strcmp(al_field_inner(&al_fields[i]), object) == 0)
            sum += field[i];
    return sum;
}

void al_stats_fill(struct autolock_stats *ret_stats, const uint64_t field[AL_FIELD_TOTAL])
{
    *ret_stats = (struct autolock_stats){.known_bytes = sizeof(*ret_stats),
                                         .failures_total = sum_of("failures", field),
                                         .skipped_total = sum_of("skipped", field),
                                         .downgrades = al_downgrades_count()};
    for (size_t i = 0; i < MEMBERS; i++)
        *(uint64_t *)((char *)ret_stats + members[i].offset) = field[members[i].field];
}

void al_stats_give(void *ret_stats, size_t size, const struct autolock_stats *stats)
{
    size_t given = size < sizeof(*stats) ? size - size % sizeof(uint64_t) : sizeof(*stats);

    memcpy(ret_stats, stats, given);
    memset((char *)ret_stats + given, 0, size - given);
}
