/* What the tests of the budget share where the kernel locks all that is to come. */
#ifndef ROOM_CHECK_H
#define ROOM_CHECK_H

#include "flight.h"
#include "kernel.h"
#include "kernel_double.h"
#include "room.h"
#include "sys.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint64_t mib = 1 << 20;
static const unsigned future = AL_MCL_CURRENT | AL_MCL_FUTURE;

static inline uint64_t resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return pages * al_page_size();
}

/* Room for `bytes` more than is resident. */
static inline void begin_with(uint64_t bytes)
{
    al_room_begin(future, resident() + bytes);
}

static inline char *map_of(uint64_t bytes)
{
    char *there = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert(there != MAP_FAILED);
    ck_assert_int_eq(madvise(there, bytes, MADV_NOHUGEPAGE), 0);
    return there;
}

/* Takes memory without asking. */
static inline char *fill(uint64_t bytes)
{
    char *there = map_of(bytes);

    memset(there, 1, bytes);
    return there;
}

/* The tests of room_left_out.c. */
void room_add_left_out(TCase *tests);

#endif
