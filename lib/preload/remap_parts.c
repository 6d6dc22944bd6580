#include "remap_parts.h"

#include "maps.h"
#include "sys.h"

#include <sys/mman.h>

struct parts {
    uintptr_t end;  /* of the region */
    uintptr_t seen; /* alike from its start to here */
    uintptr_t last; /* where its last part begins */
    uint64_t sort;  /* what all parts have in common */
};

/* Rights and name, as one number. */
static uint64_t sort_of(const struct al_mapping *mapping)
{
    uint64_t sort = mapping->readable | (uint64_t)mapping->writable << 1 |
                    (uint64_t)mapping->executable << 2 | (uint64_t)mapping->shared << 3;

    for (const char *c = mapping->name; *c; c++)
        sort = (sort ^ (unsigned char)*c) * 0x100000001B3U;
    return sort;
}

static bool look(const struct al_mapping *mapping, void *data)
{
    struct parts *parts = data;

    if (mapping->end <= parts->seen)
        return true;
    if (!parts->last)
        parts->sort = sort_of(mapping);
    if (mapping->start > parts->seen || sort_of(mapping) != parts->sort)
        return false;
    parts->last = mapping->start > parts->seen ? mapping->start : parts->seen;
    parts->seen = mapping->end;
    return mapping->end < parts->end;
}

static long remap(uintptr_t start, size_t length, size_t new_length, int flags, uintptr_t target)
{
    return al_sys6(SYS_mremap, (long)start, (long)length, (long)new_length, flags, (long)target, 0);
}

/* Whether it is one mapping to the kernel: it lets nothing else grow, if there is room or not. */
static bool is_one(uintptr_t start, size_t length)
{
    size_t page = al_page_size();
    long result = remap(start, length, length + page, 0, 0);

    if (!al_sys_failed(result))
        al_sys2(SYS_munmap, start + length, page);
    return result != -EFAULT;
}

/* Where the list of mappings cannot be read (no descriptor is left, there is no /proc). */
static bool find_last_part(uintptr_t start, struct parts *parts)
{
    size_t page = al_page_size();
    uintptr_t end = (parts->end + page - 1) & ~(page - 1);
    uintptr_t low = start;       /* the last part begins here or behind */
    uintptr_t high = end - page; /* and here or before */

    if (!is_one(high, page))
        return false;
    while (low < high) {
        uintptr_t middle = low + ((high - low) / 2 & ~(page - 1));

        if (is_one(middle, end - middle))
            high = middle;
        else
            low = middle + page;
    }
    parts->last = high;
    return true;
}

static bool find_parts(uintptr_t start, size_t length, struct parts *ret_parts)
{
    int error;

    *ret_parts = (struct parts){.end = start + length, .seen = start};
    error = al_maps_each(look, ret_parts);
    return error ? find_last_part(start, ret_parts) : ret_parts->seen >= ret_parts->end;
}

/* To a place that is there and may be replaced. */
static long put(uintptr_t start, size_t length, size_t new_length, uintptr_t target)
{
    return remap(start, length, new_length, MREMAP_MAYMOVE | MREMAP_FIXED, target);
}

/*
 * Moves the region's parts, from the last one on, which becomes larger or smaller. 0, or a negative
 * errno; then what has been moved goes back to where it was.
 */
static long move_parts(uintptr_t start, size_t length, size_t new_length, uintptr_t target,
                       bool goes_back)
{
    uintptr_t end = start + length;
    uintptr_t at = end;
    long result = 0;

    while (at > start && !al_sys_failed(result)) {
        struct parts parts;
        size_t part;

        if (!find_parts(start, at - start, &parts))
            return -EFAULT;
        part = at - parts.last;
        result = put(parts.last, part, at == end ? part + new_length - length : part,
                     target + (parts.last - start));
        if (!al_sys_failed(result))
            at = parts.last;
    }
    if (at == start)
        return 0;
    if (at < end && goes_back)
        (void)move_parts(target + (at - start), new_length - (at - start), end - at, at, false);
    return result;
}

static long move_elsewhere(uintptr_t start, size_t length, size_t new_length)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    long target = al_sys_mmap(NULL, new_length, PROT_NONE, flags, -1, 0);
    long error;

    if (al_sys_failed(target))
        return target;
    error = move_parts(start, length, new_length, (uintptr_t)target, true);
    if (!error)
        return target;
    al_sys2(SYS_munmap, target, new_length);
    return error;
}

void *al_remap_parts(void *start, size_t length, size_t new_length, int flags)
{
    struct parts parts;
    size_t last;
    long result;

    if (!find_parts((uintptr_t)start, length, &parts))
        return (void *)(long)-EFAULT;
    /* Where there is room behind it. */
    last = parts.end - parts.last;
    result = remap(parts.last, last, last + new_length - length, 0, 0);
    if (!al_sys_failed(result))
        return start;
    if (flags & MREMAP_MAYMOVE)
        result = move_elsewhere((uintptr_t)start, length, new_length);
    return (void *)result;
}
