#include "unlocked.h"

#include "io.h"
#include "maps.h"
#include "residence.h"
#include "smaps.h"
#include "sys.h"

#include <sys/mman.h>

struct look {
    int pagemap;     /* a descriptor */
    uintptr_t start; /* the range that is not locked, as far as it has been seen */
    uintptr_t end;
    uint64_t locked;   /* bytes of the mappings that are locked */
    uint64_t resident; /* bytes that are there of those that are not */
    int error;
};

/* Neighbours that are not locked are looked at together. */
static void end_range(struct look *look)
{
    if (look->start < look->end && !look->error)
        look->error = al_residence_add(look->pagemap, look->start, look->end, &look->resident);
    look->start = look->end;
}

/*
 * For MS_INVALIDATE the kernel has to find out whether any of the range is locked, and with nothing
 * else asked for it does no more: 0.2 us, where the flags of smaps come with all the rest of it.
 */
static int is_locked(const struct al_mapping *mapping)
{
    return (int)al_sys3(SYS_msync, mapping->start, mapping->end - mapping->start, MS_INVALIDATE);
}

static bool visit(const struct al_mapping *mapping, void *data)
{
    struct look *look = data;

    if (al_mapping_is_kernels(mapping))
        return true;
    switch (is_locked(mapping)) {
    case -EBUSY:
        look->locked += mapping->end - mapping->start;
        break;
    case 0:
        if (look->end != mapping->start) {
            end_range(look);
            look->start = mapping->start;
        }
        look->end = mapping->end;
        break;
    default:
        look->error = -EAGAIN; /* another thread has unmapped it */
        break;
    }
    return !look->error;
}

static int read_again(struct al_memory_status *status)
{
    struct al_memory_status now;
    int error = al_memory_status_read(&now);

    if (!error)
        *status = now;
    return error;
}

/*
 * The quick way. What it took for locked must be what the kernel says is: it is not where other
 * threads map at this moment, or where msync does not mean what it should.
 */
static int by_pagemap(struct al_memory_status *status, uint64_t *ret_bytes)
{
    struct look look = {.pagemap = al_residence_open()};
    int error;

    if (look.pagemap < 0)
        return look.pagemap;
    error = al_maps_each_by(al_procfs_text, AL_PROCFS_BYTES, visit, &look);
    end_range(&look);
    al_io_close(look.pagemap);
    if (!error)
        error = look.error;
    if (!error)
        error = read_again(status);
    if (!error && look.locked != status->locked)
        error = -EAGAIN;
    if (!error)
        *ret_bytes = look.resident;
    return error;
}

static int by_smaps(struct al_memory_status *status, uint64_t *ret_bytes)
{
    int error = al_smaps_unlocked(ret_bytes);

    if (!error)
        (void)read_again(status);
    return error;
}

int al_unlocked_resident(struct al_memory_status *status, bool whole, uint64_t *ret_bytes)
{
    if (!status->locked) {
        *ret_bytes = status->resident;
        return 0;
    }
    if (whole && status->virtual <= status->locked + AL_UNLOCKED_KERNELS_MOST) {
        *ret_bytes = 0;
        return 0;
    }
    /* Of pages of hugetlbfs the page map says what it says of others. */
    if (!status->huge && by_pagemap(status, ret_bytes) == 0)
        return 0;
    return by_smaps(status, ret_bytes);
}
