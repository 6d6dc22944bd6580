#include "families.h"

#include <string.h>

#define VALUES(pattern)                                                                            \
    {                                                                                              \
        [AL_SAMPLE_VALUE] = (pattern)                                                              \
    }

const struct al_family al_families[] = {
    {"autolock_calls_total", AL_FAMILY_COUNTER, "call",
     "calls that the program or a library in it made through the dynamic linker",
     VALUES("calls.*")},
    {"autolock_locked_bytes_total", AL_FAMILY_COUNTER, NULL, NULL, VALUES("locked.total_bytes")},
    {"autolock_locked_*", AL_FAMILY_GAUGE, NULL, NULL, VALUES("locked.*")},
    {"autolock_kind_requested_bytes", AL_FAMILY_GAUGE, "kind",
     "memory of a kind that the program has asked for, now", VALUES("by_kind.*.requested_bytes")},
    {"autolock_kind_locked_bytes", AL_FAMILY_GAUGE, "kind",
     "memory of a kind that the hooks hold locked, now", VALUES("by_kind.*.locked_bytes")},
    {"autolock_kind_regions", AL_FAMILY_GAUGE, "kind",
     "live blocks of the heap, and separate runs of pages of the other kinds, now",
     VALUES("by_kind.*.regions")},
    {"autolock_skipped_regions_total", AL_FAMILY_COUNTER, "reason",
     "regions that were left unlocked; program: 1 if the program is not among those to be locked",
     VALUES("skipped.*")},
    {"autolock_failures_total", AL_FAMILY_COUNTER, "errno",
     "system calls of the library that were to lock memory and failed", VALUES("failures.*")},
    {"autolock_syscall_seconds",
     AL_FAMILY_SUMMARY,
     "call",
     "time that the library's own system calls took",
     {[AL_SAMPLE_P50] = "syscalls.*.p50_ns",
      [AL_SAMPLE_P99] = "syscalls.*.p99_ns",
      [AL_SAMPLE_P999] = "syscalls.*.p999_ns",
      [AL_SAMPLE_SUM] = "syscalls.*.time_ns",
      [AL_SAMPLE_COUNT] = "syscalls.*.count"}},
    {"autolock_syscall_max_seconds", AL_FAMILY_GAUGE, "call",
     "the longest of the library's own system calls", VALUES("syscalls.*.max_ns")},
    {"autolock_hook_seconds",
     AL_FAMILY_SUMMARY,
     NULL,
     "time of the stretches in the program's calls that locked or unlocked",
     {[AL_SAMPLE_P50] = "hooks.p50_ns",
      [AL_SAMPLE_P99] = "hooks.p99_ns",
      [AL_SAMPLE_P999] = "hooks.p999_ns",
      [AL_SAMPLE_SUM] = "hooks.slow_time_ns",
      [AL_SAMPLE_COUNT] = "hooks.slow_count"}},
    {"autolock_hook_max_seconds", AL_FAMILY_GAUGE, NULL, NULL, VALUES("hooks.max_ns")},
    {"autolock_page_faults_after_lock_total", AL_FAMILY_COUNTER, "type",
     "page faults after the lock at start", VALUES("faults.*_after_lock")},
    {"autolock_page_faults_after_mark_total", AL_FAMILY_COUNTER, "type",
     "page faults after autolock_mark", VALUES("faults.*_after_mark")},
    {"autolock_page_faults_total", AL_FAMILY_COUNTER, "type",
     "page faults of the whole process: served without reading (minor), had to read (major)",
     VALUES("faults.*")},
    {"autolock_memory_limit_bytes", AL_FAMILY_GAUGE, NULL,
     "the soft limit of locked memory, +Inf: none", VALUES("memory.limit_bytes")},
    {"autolock_memory_cgroup_limit_bytes", AL_FAMILY_GAUGE, NULL,
     "the memory limit of the cgroup, +Inf: none is known", VALUES("memory.cgroup_limit_bytes")},
    {"autolock_memory_*", AL_FAMILY_GAUGE, NULL, NULL, VALUES("memory.*")},
    {"autolock_need_*", AL_FAMILY_GAUGE, NULL, NULL, VALUES("need.*")},
    {"autolock_*s_total", AL_FAMILY_COUNTER, NULL, NULL, VALUES("children.*")},
};

const size_t al_family_count = sizeof(al_families) / sizeof(al_families[0]);

/* Whether the pattern is one for the name; what its * stands for. */
static bool matches(const char *pattern, const struct al_text *name, struct al_text *star)
{
    const char *asterisk = strchr(pattern, '*');
    size_t before = asterisk ? (size_t)(asterisk - pattern) : 0;
    size_t behind = asterisk ? strlen(asterisk + 1) : 0;
    const char *middle = name->at + before;
    size_t length;

    if (!asterisk)
        return strcmp(pattern, name->at) == 0;
    if (name->length <= before + behind || memcmp(pattern, name->at, before) != 0 ||
        strcmp(asterisk + 1, name->at + name->length - behind) != 0)
        return false;
    length = name->length - before - behind;
    if (memchr(middle, '.', length))
        return false;
    al_text_bytes(star, middle, length);
    return true;
}

struct al_membership al_family_find(const struct al_field_row *row)
{
    struct al_membership member = {0};
    struct al_text star = al_text_over(member.star, sizeof(member.star));
    char bytes[96];
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, al_field_outer(row));
    al_text_string(&name, *al_field_outer(row) ? "." : "");
    al_text_string(&name, al_field_inner(row));
    al_text_char(&name, '.');
    al_text_string(&name, row->key);
    for (size_t i = 0; i < al_family_count; i++) {
        for (unsigned sample = 0; sample < AL_SAMPLE_TOTAL; sample++) {
            const char *pattern = al_families[i].rows[sample];

            if (!pattern || !matches(pattern, &name, &star))
                continue;
            member.family = &al_families[i];
            member.sample = (enum al_sample)sample;
            return member;
        }
    }
    return member;
}

bool al_family_is_many(const struct al_family *family)
{
    return strchr(family->name, '*') != NULL;
}

void al_family_print_name(struct al_text *text, const struct al_membership *member)
{
    const char *name = member->family->name;
    const char *asterisk = strchr(name, '*');

    if (!asterisk) {
        al_text_string(text, name);
        return;
    }
    al_text_bytes(text, name, (size_t)(asterisk - name));
    al_text_string(text, member->star);
    al_text_string(text, asterisk + 1);
}

const char *al_family_help(const struct al_membership *member, const struct al_field_row *row)
{
    return member->family->help ? member->family->help : al_field_help(row);
}

const char *al_family_type_name(const struct al_family *family)
{
    switch (family->type) {
    case AL_FAMILY_COUNTER:
        return "counter";
    case AL_FAMILY_GAUGE:
        return "gauge";
    case AL_FAMILY_SUMMARY:
        break;
    }
    return "summary";
}
