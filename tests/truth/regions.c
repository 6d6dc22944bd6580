#include "regions.h"

#include "record.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LARGEST_PAGES_BITS = 11 };

int regions_file(void)
{
    int file = memfd_create("regions", MFD_CLOEXEC);

    must(file >= 0 && ftruncate(file, (off_t)PAGE << (LARGEST_PAGES_BITS + 1)) == 0, "a file");
    return file;
}

static size_t pick_length(struct regions *regions, struct random *random)
{
    unsigned bits = (unsigned)random_below(random, LARGEST_PAGES_BITS + 1);
    size_t length = (random_below(random, (size_t)1 << bits) + 1) * PAGE;

    return regions->live_bytes + length <= regions->most_bytes ? length : PAGE;
}

/* One page in so many is written to. */
static void touch(const struct region *region, struct random *random)
{
    size_t step = (size_t)PAGE << random_below(random, 4);

    for (size_t at = 0; !region->closed && at < region->length; at += step)
        region->start[at] = 1;
}

static void map(struct regions *regions, struct region *region, struct random *random)
{
    static const struct {
        const char *kind;
        int flags;
    } sorts[] = {{"anon", MAP_PRIVATE | MAP_ANONYMOUS},
                 {"anon", MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE},
                 {"shared", MAP_SHARED | MAP_ANONYMOUS},
                 {"file", MAP_PRIVATE},
                 {"file", MAP_SHARED},
                 {"stack", MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK}};
    size_t sort = random_below(random, sizeof(sorts) / sizeof(sorts[0]));
    int closed = random_below(random, 4) == 0;
    size_t length = pick_length(regions, random);
    int file = sorts[sort].flags & MAP_ANONYMOUS ? -1 : regions->file;
    /* The kernel rounds up what is no whole number of pages. */
    size_t asked = length - random_below(random, 2) * random_below(random, PAGE);

    count(CALL_mmap);
    region->start =
        mmap(NULL, asked, closed ? PROT_NONE : PROT_READ | PROT_WRITE, sorts[sort].flags, file, 0);
    must(region->start != MAP_FAILED, "mmap");
    region->length = length;
    region->closed = closed;
    region->split = 0;
    region->shared = sorts[sort].flags == (MAP_SHARED | MAP_ANONYMOUS);
    regions->live_bytes += length;
    note("map", (uintptr_t)region->start, length, closed ? 1 : 0, (uintptr_t)sorts[sort].kind);
    touch(region, random);
}

static void unmap(struct regions *regions, char *start, size_t length)
{
    note("unmap", (uintptr_t)start, length, 0, 0);
    count(CALL_munmap);
    must(munmap(start, length) == 0, "munmap");
    regions->live_bytes -= length;
}

/* All of it, or its beginning or its end. */
static void unmap_some(struct regions *regions, struct region *region, struct random *random)
{
    size_t pages = region->length / PAGE;
    size_t part = (1 + random_below(random, pages)) * PAGE;

    if (random_below(random, 2) || part == region->length) {
        unmap(regions, region->start, region->length);
        region->start = NULL;
        return;
    }
    region->length -= part;
    if (random_below(random, 2)) {
        unmap(regions, region->start, part);
        region->start += part;
    } else {
        unmap(regions, region->start + region->length, part);
    }
}

static void protect(struct region *region, struct random *random)
{
    size_t pages = region->length / PAGE;
    size_t first = random_below(random, pages);
    size_t length = (1 + random_below(random, pages - first)) * PAGE;
    char *start = region->start + first * PAGE;
    int closed = random_below(random, 3) == 0;

    count(CALL_mprotect);
    must(mprotect(start, length, closed ? PROT_NONE : PROT_READ | PROT_WRITE) == 0, "mprotect");
    note("protect", (uintptr_t)start, length, closed ? 1 : 0, 0);
    if (length == region->length)
        region->closed = closed;
    else
        region->split = 1;
    region->closed |= closed;
    touch(region, random);
}

/*
 * The kernel remaps only what is one mapping to it. Shared memory does not become more by it: what
 * is gained lies beyond its end.
 */
static void resize(struct regions *regions, struct region *region, struct random *random)
{
    size_t length = pick_length(regions, random);
    char *start;

    if (region->closed || region->split || (region->shared && length > region->length))
        return;
    note("resize", (uintptr_t)region->start, region->length, (uintptr_t)region, 0);
    count(CALL_mremap);
    start = mremap(region->start, region->length, length, MREMAP_MAYMOVE);
    must(start != MAP_FAILED, "mremap");
    note("resized", (uintptr_t)start, length, (uintptr_t)region, 0);
    regions->live_bytes += length - region->length;
    region->start = start;
    region->length = length;
    touch(region, random);
}

/* Private memory reads as zeros then, or as the file has it. */
static void empty(struct region *region, struct random *random)
{
    size_t pages = region->length / PAGE;
    size_t first = random_below(random, pages);
    size_t length = (1 + random_below(random, pages - first)) * PAGE;

    count(CALL_madvise);
    must(madvise(region->start + first * PAGE, length, MADV_DONTNEED) == 0, "madvise");
    touch(region, random);
}

void regions_step(struct regions *regions, struct random *random)
{
    struct region *region = &regions->region[random_below(random, REGIONS_MAX)];

    if (!region->start) {
        map(regions, region, random);
        return;
    }
    switch (random_below(random, 5)) {
    case 0:
        protect(region, random);
        break;
    case 1:
        resize(regions, region, random);
        break;
    case 2:
        empty(region, random);
        break;
    default:
        unmap_some(regions, region, random);
        break;
    }
}

/* What the program has taken is given back only while nobody has taken more behind it. */
void heap_end_step(struct random *random)
{
    static char *own_start;
    static char *own_end;
    char *before;

    count(CALL_brk);
    before = sbrk(0);
#if !defined(__GLIBC__)
    /* musl leaves the heap's end to its own allocator. */
    count(CALL_brk);
    must(sbrk(PAGE) == (void *)-1 && errno == ENOMEM, "a refusal");
    count(CALL_brk);
    must(brk(before + PAGE) == -1 && errno == ENOMEM, "a refusal");
    return;
#endif
    if (own_end && own_end == before && random_below(random, 2)) {
        note("end", (uintptr_t)before, (uintptr_t)own_start, 0, 0);
        count(CALL_brk);
        if (random_below(random, 2))
            must(brk(own_start) == 0, "brk");
        else
            must(sbrk(own_start - own_end) != (void *)-1, "sbrk");
        own_end = NULL;
        return;
    }
    own_start = before;
    own_end = before + (1 + random_below(random, 40)) * PAGE;
    count(CALL_brk);
    must(sbrk(own_end - own_start) == own_start, "sbrk");
    note("end", (uintptr_t)own_start, (uintptr_t)own_end, 0, 0);
    *own_start = 1;
}
