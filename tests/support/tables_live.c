#include "tables_live.h"

#include "fields.h"
#include "live.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* -- members of structures ------------------------------------------------------------------ */

struct member {
    const char *name;
    size_t offset;
    size_t bytes;
    const char *type;
    const char *help;
};

#define MEMBER(structure, member, type, help)                                                      \
    {                                                                                              \
#        member, offsetof(struct structure, member), sizeof(((struct structure *)0)->member),      \
            type, help                                                                             \
    }

static const struct member head[] = {
    MEMBER(al_live_head, magic, "text", "`" AL_LIVE_MAGIC "`, without an end"),
    MEMBER(al_live_head, layout, "u32", "which layout this is; what follows is that of layout 1"),
    MEMBER(al_live_head, state, "u32", "0: begins, 1: runs, 2: has ended, as `ended` says"),
    MEMBER(al_live_head, version, "text", "the library's version"),
    MEMBER(al_live_head, total_bytes, "u32", "how far it reaches, with what was added in a file"),
    MEMBER(al_live_head, field_offset, "u32", "where the fields begin"),
    MEMBER(al_live_head, field_count, "u32", "how many there are"),
    MEMBER(al_live_head, downgrade_offset, "u32", "where the downgrades begin"),
    MEMBER(al_live_head, downgrade_stride, "u32", "bytes from one to the next"),
    MEMBER(al_live_head, histogram_offset, "u32", "where the histograms begin"),
    MEMBER(al_live_head, histogram_stride, "u32", "bytes from one to the next"),
    MEMBER(al_live_head, histogram_count, "u32", "how many there are"),
    MEMBER(al_live_head, block_offset, "u32", "where the blocks begin"),
    MEMBER(al_live_head, block_stride, "u32", "bytes from one to the next, in slabs as well"),
    MEMBER(al_live_head, block_count, "u32", "how many there are, without those in slabs"),
    MEMBER(al_live_head, part_count, "u32", "how many parts a block begins with"),
    MEMBER(al_live_head, counter_count, "u32", "how many counters follow them"),
    MEMBER(al_live_head, page_bytes, "u32", "the machine's page size"),
    MEMBER(al_live_head, pid, "i32", "the process, as it sees itself"),
    MEMBER(al_live_head, ppid, "i32", "its parent when the file was made; 0 without a file"),
    MEMBER(al_live_head, locked, "u32", "1: the file is locked while the process is there"),
    MEMBER(al_live_head, timed, "u32", "bit N: something was recorded in histogram N"),
    MEMBER(al_live_head, began_ns, "u64", "when it began to count, by `CLOCK_MONOTONIC`"),
    MEMBER(al_live_head, began_real_ns, "u64", "the same by `CLOCK_REALTIME`, as in the name"),
    MEMBER(al_live_head, backend, "text", "who locks, now"),
    MEMBER(al_live_head, ended, "text", "how it has ended, in state 2"),
    MEMBER(al_live_head, program, "text", "as `program` in the report"),
    MEMBER(al_live_head, command, "text", "as `command` in the report"),
    MEMBER(al_live_head, options, "texts", "each option that was given, as NAME=value"),
    MEMBER(al_live_head, downgrade_count, "u64", "how many there were; the first 16 are kept"),
    MEMBER(al_live_head, downgrade, "", "the downgrades"),
    MEMBER(al_live_head, field, "u64 …", "the fields"),
    MEMBER(al_live_head, minor_at_lock, "u64", "minor faults when the lock at start was done"),
    MEMBER(al_live_head, major_at_lock, "u64", "major ones"),
    MEMBER(al_live_head, minor_at_mark, "u64", "minor ones at the last mark, else as at the lock"),
    MEMBER(al_live_head, major_at_mark, "u64", "major ones"),
    MEMBER(al_live_head, slab, "", "the first slab: its blocks are those of the area"),
    MEMBER(al_live_head, lock_ns, "u64",
           "when the lock at start was done, by `CLOCK_MONOTONIC`; 0: not yet"),
    MEMBER(al_live_head, mark_ns, "u64", "when the last mark was made, else as at the lock"),
};

static const struct member downgrade[] = {
    MEMBER(al_downgrade, when_ns, "u64", "nanoseconds since `began_ns`"),
    MEMBER(al_downgrade, reason, "text", "empty until all of it is there"),
};

static const struct member histogram[] = {
    MEMBER(al_histogram, max, "u64", "the longest, in nanoseconds"),
    MEMBER(al_histogram, bucket, "u32 …", "how many took as long as this bucket says"),
};

static const struct member slab[] = {
    MEMBER(al_slab, next, "u64", "the next slab's address in the process; 0: there is none"),
    MEMBER(al_slab, next_offset, "u64", "where that stands in the file; 0: it does not"),
    MEMBER(al_slab, blocks, "u64", "how many blocks follow this slab's own 64 bytes"),
    MEMBER(al_slab, offset, "u64", "where it stands in the file itself; 0: it does not"),
    {"block", sizeof(struct al_slab), sizeof(struct al_counts), "block …", "the blocks"},
};

static const struct member block[] = {
    MEMBER(al_counts, part, "u64 …", "the parts"),
    MEMBER(al_counts, value, "u64 …", "the counters"),
    MEMBER(al_counts, claimed, "u32", "1 while a thread counts here"),
};

static const char *name_of(size_t field, char buffer[128])
{
    const struct al_field_row *row = &al_fields[field];

    (void)snprintf(buffer, 128, "%s%s%s.%s", al_field_outer(row), *al_field_outer(row) ? "." : "",
                   al_field_inner(row), row->key);
    return buffer;
}

static void print_members(const struct member *members, size_t count)
{
    puts("| offset | bytes | type | name | meaning |\n| --- | --- | --- | --- | --- |");
    for (size_t i = 0; i < count; i++)
        printf("| %zu | %zu | %s | `%s` | %s |\n", members[i].offset, members[i].bytes,
               members[i].type, members[i].name, members[i].help);
}

#define PRINT_MEMBERS(members)                                                                     \
    static void print_##members(void)                                                              \
    {                                                                                              \
        print_members(members, sizeof(members) / sizeof((members)[0]));                            \
    }

PRINT_MEMBERS(head)
PRINT_MEMBERS(downgrade)
PRINT_MEMBERS(histogram)
PRINT_MEMBERS(slab)
PRINT_MEMBERS(block)

/* -- what stands where ---------------------------------------------------------------------- */

static void print_fields(void)
{
    char buffer[128];

    puts("| field | counter | key |\n| --- | --- | --- |");
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        printf("| %zu | ", i);
        if (al_fields[i].counter >= 0)
            printf("%d", al_fields[i].counter);
        printf(" | `%s` |\n", name_of(i, buffer));
    }
}

/* What the counters become by 1 in this part. */
static void print_part(size_t part)
{
    static struct al_counts counts;
    uint64_t sum[AL_COUNTER_TOTAL] = {0};
    const char *before = "";
    char buffer[128];

    memset(&counts, 0, sizeof(counts));
    counts.part[part] = 1;
    al_counters_add_block(sum, &counts);
    printf("| %zu | ", part);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        int counter = al_fields[i].counter;

        if (counter < 0 || !sum[counter])
            continue;
        printf("%s%c `%s`", before, sum[counter] == 1 ? '+' : '-', name_of(i, buffer));
        before = ", ";
    }
    puts(*before ? " |" : "nothing |");
}

static void print_parts(void)
{
    puts("| part | counts in |\n| --- | --- |");
    for (size_t i = 0; i < AL_PART_TOTAL; i++)
        print_part(i);
}

static void print_histograms(void)
{
    static const char *const names[] = {"syscalls.mlockall", "syscalls.mlock2", "syscalls.munlock",
                                        "syscalls.madvise",  "syscalls.msync",  "hooks"};

    _Static_assert(sizeof(names) / sizeof(names[0]) == AL_TIMED_TOTAL, "each has its name");
    puts("| histogram | object |\n| --- | --- |");
    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        printf("| %zu | `%s` |\n", i, names[i]);
}

/* The first and the last of each power of two at the ends, where the rule shows. */
static void print_buckets(void)
{
    static const size_t shown[] = {1,   63,  64,  127,  128,  129,
                                   191, 192, 255, 1919, 1982, AL_HISTOGRAM_BUCKETS - 1};

    puts("| bucket | from | to |\n| --- | --- | --- |");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        printf("| %zu | %" PRIu64 " ns | ", shown[i], al_histogram_least(shown[i]));
        if (shown[i] == AL_HISTOGRAM_BUCKETS - 1)
            puts("any |");
        else
            printf("%" PRIu64 " ns |\n", al_histogram_most(shown[i]));
    }
}

static const struct {
    const char *name;
    void (*print)(void);
} tables[] = {
    {"live_head", print_head},
    {"live_fields", print_fields},
    {"live_block", print_block},
    {"live_parts", print_parts},
    {"live_slab", print_slab},
    {"live_histogram", print_histogram},
    {"live_histograms", print_histograms},
    {"live_buckets", print_buckets},
    {"live_downgrade", print_downgrade},
};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

bool tables_live_print(const char *name)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(name, tables[i].name) == 0) {
            tables[i].print();
            return true;
        }
    }
    return false;
}

void tables_live_names(void)
{
    for (size_t i = 0; i < TABLES; i++)
        puts(tables[i].name);
}
