#include "residence.h"

#include "io.h"
#include "sys.h"

#include <sys/ioctl.h>

/* As linux/fs.h has it from 6.7 on; the library is also built where that is older. */
struct scan {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end; /* where it has stopped */
    uint64_t regions;  /* an address */
    uint64_t regions_count;
    uint64_t max_pages;
    uint64_t inverted; /* of these categories, those that a page must not have */
    uint64_t all_of;
    uint64_t any_of;
    uint64_t returned;
};

struct region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

#define SCAN _IOWR('f', 16, struct scan)

enum {
    IS_PRESENT = 1 << 3,
    IS_ZEROS = 1 << 5 /* the one page that stands for all that were read and not written */
};

int al_residence_open(void)
{
    return al_io_open_read("/proc/self/pagemap");
}

int al_residence_add(int fd, uintptr_t start, uintptr_t end, uint64_t *bytes)
{
    struct region regions[16] = {{0}}; /* neighbours that are alike are one */
    struct scan scan = {.size = sizeof(scan),
                        .start = start,
                        .end = end,
                        .regions = (uintptr_t)regions,
                        .regions_count = sizeof(regions) / sizeof(regions[0]),
                        .inverted = IS_ZEROS,
                        .all_of = IS_PRESENT | IS_ZEROS,
                        .returned = IS_PRESENT};

    while (scan.start < end) {
        long found = al_sys3(SYS_ioctl, fd, SCAN, &scan);

        if (found == -EINTR)
            continue;
        if (found < 0)
            return (int)found;
        for (long i = 0; i < found; i++)
            *bytes += regions[i].end - regions[i].start;
        /* It goes on from there; a kernel that does not would be asked for ever. */
        if (scan.walk_end <= scan.start)
            return -EIO;
        scan.start = scan.walk_end;
    }
    return 0;
}
