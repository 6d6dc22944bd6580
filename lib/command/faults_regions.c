#include "faults_regions.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* -- names --------------------------------------------------------------------------------------
 */

struct name {
    struct name *next;
    char text[];
};

/* More are not told apart: a program that maps ever new files is not to fill the memory. */
enum { BUCKETS = 1024, NAMES_MAX = 1 << 16 };

const char *faults_name(const char *name)
{
    static struct name *bucket[BUCKETS];
    static size_t count;
    size_t hash = 5381;
    struct name *entry;

    for (const char *at = name; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    for (entry = bucket[hash % BUCKETS]; entry; entry = entry->next)
        if (strcmp(entry->text, name) == 0)
            return entry->text;
    if (count++ == NAMES_MAX)
        return "";
    entry = allocate(sizeof(*entry) + strlen(name) + 1);
    memcpy(entry->text, name, strlen(name) + 1);
    entry->next = bucket[hash % BUCKETS];
    bucket[hash % BUCKETS] = entry;
    return entry->text;
}

/* -- the list -----------------------------------------------------------------------------------
 */

/* The index of the first region that ends above the address. */
static size_t place_of(const struct faults_regions *regions, uint64_t address)
{
    size_t low = 0;
    size_t high = regions->list ? regions->count : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (regions->list[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct faults_region *faults_regions_above(const struct faults_regions *regions,
                                                 uint64_t address)
{
    size_t at = place_of(regions, address);

    return at < regions->count ? &regions->list[at] : NULL;
}

const struct faults_region *faults_regions_find(const struct faults_regions *regions,
                                                uint64_t address)
{
    const struct faults_region *region = faults_regions_above(regions, address);

    return region && region->start <= address ? region : NULL;
}

static void reserve(struct faults_regions *regions, size_t more)
{
    struct faults_region *list;

    if (regions->list && regions->count + more <= regions->size)
        return;
    regions->size = 2 * (regions->count + more);
    list = allocate(regions->size * sizeof(*list));
    if (regions->list)
        memcpy(list, regions->list, regions->count * sizeof(*list));
    free(regions->list);
    regions->list = list;
}

static void append(struct faults_regions *regions, const struct faults_region *region)
{
    reserve(regions, 1);
    regions->list[regions->count++] = *region;
}

/* What the region covers of others is gone, what it leaves of them stays. */
static void put(struct faults_regions *regions, const struct faults_region *region)
{
    struct faults_region piece[3];
    size_t pieces = 0;
    struct faults_region *list;
    size_t first;
    size_t behind;

    reserve(regions, 2);
    first = place_of(regions, region->start);
    behind = first;
    while (behind < regions->count && regions->list[behind].start < region->end)
        behind++;
    if (behind > first && regions->list[first].start < region->start) {
        piece[pieces] = regions->list[first];
        piece[pieces++].end = region->start;
    }
    piece[pieces++] = *region;
    if (behind > first && regions->list[behind - 1].end > region->end) {
        piece[pieces] = regions->list[behind - 1];
        piece[pieces].offset += region->end - piece[pieces].start;
        piece[pieces++].start = region->end;
    }
    list = regions->list;
    memmove(list + first + pieces, list + behind, (regions->count - behind) * sizeof(*list));
    memcpy(list + first, piece, pieces * sizeof(*list));
    regions->count = regions->count + pieces - (behind - first);
}

void faults_regions_clear(struct faults_regions *regions)
{
    free(regions->list);
    *regions = (struct faults_regions){0};
}

/* As far as the kernel may move the heap away from the program. */
#define HEAP_DISTANCE (UINT64_C(0x44000000))

/* -- what is told -------------------------------------------------------------------------------
 */

/* Of the heap the kernel tells all when it has grown; what was there before is as it was. */
static void put_growth(struct faults_regions *regions, struct faults_region region)
{
    while (region.start < region.end) {
        const struct faults_region *next = faults_regions_above(regions, region.start);
        struct faults_region piece = region;

        if (next && next->start < piece.end)
            piece.end = next->start;
        region.start = next && next->start < region.end ? next->end : region.end;
        if (piece.start < piece.end)
            put(regions, &piece);
    }
}

/*
 * The kernel calls the heap so when it has grown, and not yet when it begins: then it is what lies
 * a little above the program, where nothing else is put. What begins just there is the program's
 * own memory that is zero at start.
 */
static const char *name_of(struct faults_regions *regions, const struct faults_record *record)
{
    if (record->name[0] == '/' && record->name[1] != '/') {
        const char *name = faults_name(record->name);

        if (!regions->program)
            regions->program = name;
        if (name == regions->program && record->end > regions->program_end)
            regions->program_end = record->end;
        return name;
    }
    if (strcmp(record->name, "//anon") != 0)
        return faults_name(record->name);
    if (!(record->flags & MAP_SHARED) && regions->program && record->start > regions->program_end &&
        record->start - regions->program_end < HEAP_DISTANCE)
        return faults_name("[heap]");
    return faults_name("");
}

void faults_regions_map(struct faults_regions *regions, const struct faults_record *record,
                        bool on_fault)
{
    bool locked = record->flags & MAP_LOCKED;
    struct faults_region region = {
        .start = record->start,
        .end = record->end,
        .offset = record->offset,
        .inode = record->inode,
        .name = name_of(regions, record),
        .is_private = !(record->flags & MAP_SHARED),
        .writable = record->protection & PROT_WRITE,
        .fresh = true,
        .made_ns = record->time_ns,
        .lock = !locked    ? FAULTS_LOCK_NONE
                : on_fault ? FAULTS_LOCKED_ON_FAULT
                           : FAULTS_LOCKED,
        .populated_ns = locked && !on_fault ? record->time_ns : 0,
    };

    if (region.start >= region.end)
        return;
    if (strcmp(region.name, "[heap]") == 0)
        put_growth(regions, region);
    else
        put(regions, &region);
}

void faults_regions_copy(struct faults_regions *regions, const struct faults_regions *other)
{
    faults_regions_clear(regions);
    regions->program = other->program;
    regions->program_end = other->program_end;
    for (size_t i = 0; i < other->count; i++)
        append(regions, &other->list[i]);
}

/* -- what is seen -------------------------------------------------------------------------------
 */

static bool read_head(const char *line, struct faults_region *ret_region)
{
    unsigned long start;
    unsigned long end;
    unsigned long offset;
    unsigned long inode;
    char rights[5];
    int name = 0;

    if (sscanf(line, "%lx-%lx %4s %lx %*s %lu %n", &start, &end, rights, &offset, &inode, &name) !=
        5)
        return false;
    *ret_region = (struct faults_region){
        .start = start,
        .end = end,
        .offset = offset,
        .inode = inode,
        .name = faults_name(line + name),
        .is_private = rights[3] == 'p',
        .writable = rights[1] == 'w',
    };
    return true;
}

static void read_flags(const char *flags, struct faults_region *region,
                       const struct faults_regions *before, uint64_t now_ns)
{
    const struct faults_region *old = faults_regions_find(before, region->start);

    region->lock = !strstr(flags, " lo")  ? FAULTS_LOCK_NONE
                   : strstr(flags, " lf") ? FAULTS_LOCKED_ON_FAULT
                                          : FAULTS_LOCKED;
    if (old && old->populated_ns)
        region->populated_ns = old->populated_ns;
    else if (region->lock == FAULTS_LOCKED)
        region->populated_ns = now_ns;
}

bool faults_regions_look(pid_t pid, const struct faults_regions *before, uint64_t now_ns,
                         struct faults_regions *ret_now)
{
    char path[32];
    struct faults_region region = {0};
    FILE *smaps;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    *ret_now =
        (struct faults_regions){.program = before->program, .program_end = before->program_end};
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    smaps = fopen(path, "re");
    if (!smaps)
        return false;
    while ((length = getline(&line, &size, smaps)) > 0) {
        line[length - 1] = '\0';
        if (strncmp(line, "VmFlags:", 8) == 0) {
            read_flags(line + 8, &region, before, now_ns);
            append(ret_now, &region);
        } else if (!(line[0] >= 'A' && line[0] <= 'Z')) {
            (void)read_head(line, &region);
        }
    }
    free(line);
    (void)fclose(smaps);
    return ret_now->count > 0;
}
